"""Findings that go with whole classes of traffic, so that scenarios say them once."""


def amqp_login(scene, users=1):
    scene.expect("cred-amqp-cleartext", users, "PLAIN login in clear, folded by broker, user and source network for a day")


def redis_login(scene, users=1):
    scene.expect("cred-redis-cleartext", users, "AUTH or HELLO..AUTH in clear, folded by broker, user and source network "
                 "for a day")


def clear_tasks(scene, brokers=1):
    scene.expect("broker-cleartext", brokers, "task traffic between two hosts without TLS, folded by broker for a day")


def unsigned(scene, queues=1, names="celery"):
    scene.expect("task-unsigned", queues, f"info, folded by broker and queue for a day; queues: {names}")


def amqp_tasks(scene, queues=1, names="celery", users=1):
    amqp_login(scene, users)
    clear_tasks(scene)
    unsigned(scene, queues, names)


def redis_tasks(scene, queues=1, names="celery", users=1):
    redis_login(scene, users)
    clear_tasks(scene)
    unsigned(scene, queues, names)
