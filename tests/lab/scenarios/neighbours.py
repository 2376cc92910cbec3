"""Other users of Celery's Redis. They are named for what they are and never taken for Celery."""

from labkit.stacks import Stack

from . import scenario
from . import expectations as ex

APPS = [("rq", "rq_enqueue", "rq_work", "new"), ("huey", "huey_enqueue", "huey_work", "new"),
        ("dramatiq", "dramatiq_enqueue", "dramatiq_work", "new"), ("arq", "arq_enqueue", "arq_work", "arq")]


def _run(s, host, stack, *steps):
    s.produce(host, stack, *steps, script="neighbours.py")


@scenario("neighbours-amqp", "Celery, Dramatiq (with pika) and a program that is no task system at all, on one RabbitMQ.")
def neighbours_amqp(s):
    s.rabbit()
    s.on_amqp()
    s.record()
    w = s.worker("app1", "new", options=("--without-gossip",))
    s.produce("web1", "new", "plain:3")
    _run(s, "web2", "new", "dramatiq_rabbit_enqueue")
    _run(s, "app2", "new", "dramatiq_rabbit_work")
    _run(s, "web2", "new", "plain_pika")
    s.produce("web1", "new", "fire:3")
    s.stop(w)
    s.finish()
    s.software.append(", ".join(f"{n} {v}" for n, v in Stack("new").versions(("dramatiq", "pika")).items()) + " (PyPI)")
    ex.amqp_tasks(s)
    s.remark("Truth: lines `neighbour`. The JSON of queue telemetry has a key `task` and is none: only queue celery carries tasks.")


@scenario("neighbours-redis", "Celery, RQ, Huey, Dramatiq, arq, Django's cache and sessions, django-redis, Flask-Caching and cachelib on "
          "one Redis, and an exporter that looks in.")
def neighbours(s):
    s.redis()
    s.on_redis()
    s.record()
    w = s.worker("app1", "new", options=("--without-gossip",))
    s.produce("web1", "new", "plain:3")
    for _, enqueue, work, stack in APPS:
        if Stack(stack).usable():
            _run(s, "web2", stack, enqueue)
            _run(s, "app2", stack, work)
    for step in ("django_cache", "django_redis", "flask_caching", "cachelib"):
        _run(s, "web2", "new", step)
    _run(s, "ops1", "new", "exporter")
    s.produce("web1", "new", "fire:3")
    s.stop(w)
    s.finish()
    names = ("rq", "huey", "dramatiq", "django", "django-redis", "Flask-Caching", "cachelib", "Flask")
    s.software.append(", ".join(f"{n} {v}" for n, v in Stack("new").versions(names[:-1]).items()) + " (PyPI)")
    if Stack("arq").usable():
        s.software.append("; ".join(f"{n} {v}" for n, v in Stack("arq").versions(("arq", "redis")).items()) + " (PyPI)")
    ex.redis_tasks(s)
    s.expect("pickle-serializer", "at least 5, all info", "other programs' pickles, named by `celeriac.app`: rq (jobs and results), huey, django "
             "(both caches, one of them zlib-compressed), other (Flask-Caching, cachelib, arq); folded by producer and queue. Dramatiq writes JSON: none")
    s.expect_later("pickle-unknown-import", "some, info", "RQ names neighbour_jobs.resize as text; the caches hold an object of "
                   "neighbour_jobs.Settings; huey a huey.registry.Message")
    s.remark("Truth: lines `neighbour` say what each program queued or stored, by its own name; `app` values flask-caching, cachelib and arq "
             "are `other` in records.")
