"""The lab: hosts in network namespaces, real brokers, real Celery, and captures of what they say."""
