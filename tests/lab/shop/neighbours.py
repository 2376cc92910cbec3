"""Other programs on Celery's Redis, each as its own documentation shows it: neighbours.py WHAT...

The database is that of LAB_BROKER; caches take database 1.
"""

import asyncio
import os
import sys
import threading
import time
import urllib.parse

import redis

import truth
from neighbour_jobs import Settings, arq_mail, resize

URL = os.environ["LAB_BROKER"]
CACHE_URL = URL.rsplit("/", 1)[0] + "/1"


def said(app, **more):
    truth.note(what="neighbour", app=app, **more)


def rq_enqueue():
    from rq import Queue
    queue = Queue("thumbnails", connection=redis.Redis.from_url(URL))
    for i in range(4):
        job = queue.enqueue(resize, f"image-{i}.png", width=64 * (i + 1))
        said("rq", id=job.id, key=f"rq:job:{job.id}")


def rq_work():
    from rq import Queue, SimpleWorker
    connection = redis.Redis.from_url(URL)
    SimpleWorker([Queue("thumbnails", connection=connection)], connection=connection).work(burst=True)


def _huey():
    from huey import RedisHuey
    huey = RedisHuey("mailer", url=URL)

    @huey.task(name="send_mail")
    def send_mail(to, text):
        return len(text)

    return huey, send_mail


def huey_enqueue():
    _, send_mail = _huey()
    for i in range(4):
        result = send_mail(f"user{i}@example.org", "hello " * i)
        said("huey", id=result.id, key="huey.redis.mailer")


def huey_work():
    huey, _ = _huey()
    huey.immediate = False
    deadline = time.time() + 4
    while time.time() < deadline:
        task = huey.dequeue()
        if task is None:
            break
        huey.execute(task)


def _dramatiq():
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker
    broker = RedisBroker(url=URL)
    dramatiq.set_broker(broker)

    @dramatiq.actor(queue_name="reports")
    def build_report(month, lines=()):
        return None

    return dramatiq, broker, build_report


def dramatiq_enqueue():
    _, _, build_report = _dramatiq()
    for i in range(4):
        message = build_report.send(i + 1, lines=[i, i])
        said("dramatiq", id=message.message_id, key="dramatiq:reports")


def dramatiq_work():
    dramatiq, broker, _ = _dramatiq()
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    broker.join("reports")
    worker.stop()


def _dramatiq_on_rabbit():
    import dramatiq
    from dramatiq.brokers.rabbitmq import RabbitmqBroker
    broker = RabbitmqBroker(url=URL)
    dramatiq.set_broker(broker)

    @dramatiq.actor(queue_name="reports")
    def build_report(month, lines=()):
        return None

    return dramatiq, broker, build_report


def dramatiq_rabbit_enqueue():
    _, _, build_report = _dramatiq_on_rabbit()
    for i in range(4):
        message = build_report.send(i + 1, lines=[i, i])
        said("dramatiq", id=message.message_id, key="reports")


def dramatiq_rabbit_work():
    dramatiq, broker, _ = _dramatiq_on_rabbit()
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    broker.join("reports")
    worker.stop()


def plain_pika():
    """Another program's queue: not a task system at all."""
    import pika
    connection = pika.BlockingConnection(pika.URLParameters(URL))
    channel = connection.channel()
    channel.queue_declare("telemetry")
    for i in range(5):
        channel.basic_publish("", "telemetry", b"temperature=%d" % i, pika.BasicProperties(content_type="text/plain"))
    channel.basic_publish("", "telemetry", b'{"id": 1, "task": "not one", "args": 3}', pika.BasicProperties(content_type="application/json"))
    for _ in range(6):
        channel.basic_get("telemetry", auto_ack=True)
    connection.close()
    said("other", keys=6)


def _django(backend, options=None):
    import django
    from django.conf import settings
    settings.configure(CACHES={"default": {"BACKEND": backend, "LOCATION": CACHE_URL, "OPTIONS": options or {}}},
                       SESSION_ENGINE="django.contrib.sessions.backends.cache", INSTALLED_APPS=[], SECRET_KEY="lab only")
    django.setup()
    from django.core.cache import cache
    return cache


def _fill(app, cache):
    cache.set("basket:17", {"items": [1, 2, 3], "total": 9.5}, 300)
    cache.set("counter", 5, 300)
    cache.set("settings", Settings("blue"), 300)
    cache.set("text", "plain text " * 20, 300)
    cache.get("basket:17")
    cache.get("missing")
    said(app, keys=4)


def django_cache():
    cache = _django("django.core.cache.backends.redis.RedisCache")
    _fill("django", cache)
    from django.contrib.sessions.backends.cache import SessionStore
    session = SessionStore()
    session["user"] = 17
    session.save()
    cache.set_many({"a": 1, "b": [1, 2]}, 60)
    cache.get_many(["a", "b"])


def django_redis():
    cache = _django("django_redis.cache.RedisCache", {"COMPRESSOR": "django_redis.compressors.zlib.ZlibCompressor"})
    _fill("django", cache)


def flask_caching():
    from flask import Flask
    from flask_caching import Cache
    app = Flask("shopfront")
    url = urllib.parse.urlparse(CACHE_URL)
    cache = Cache(app, config={"CACHE_TYPE": "RedisCache", "CACHE_REDIS_HOST": url.hostname, "CACHE_REDIS_PORT": url.port,
                               "CACHE_REDIS_PASSWORD": urllib.parse.unquote(url.password or ""), "CACHE_REDIS_DB": 1})
    with app.app_context():
        cache.set("page:/start", "<html>start</html>", timeout=300)
        cache.set("basket", {"n": 1}, timeout=300)
        cache.get("basket")
    said("flask-caching", keys=2)


def cachelib():
    from cachelib.redis import RedisCache
    url = urllib.parse.urlparse(CACHE_URL)
    cache = RedisCache(host=url.hostname, port=url.port, password=urllib.parse.unquote(url.password or ""), db=1, key_prefix="lib_")
    cache.set("settings", Settings("red"), 300)
    cache.set("number", 7, 300)
    cache.get("settings")
    said("cachelib", keys=2)


def _arq_settings():
    from arq.connections import RedisSettings
    return RedisSettings.from_dsn(URL)


def arq_enqueue():
    from arq import create_pool

    async def go():
        pool = await create_pool(_arq_settings())
        for i in range(4):
            job = await pool.enqueue_job("arq_mail", f"user{i}@example.org", subject="arq")
            said("arq", id=job.job_id, key=f"arq:job:{job.job_id}")
        await pool.aclose()

    asyncio.run(go())


def arq_work():
    from arq.worker import Worker

    async def go():
        worker = Worker(functions=[arq_mail], redis_settings=_arq_settings(), burst=True, poll_delay=0.1, handle_signals=False)
        await worker.main()
        await worker.close()

    asyncio.run(go())


def exporter(n="3"):
    """A probe that looks in now and then, each time on a new connection."""
    for _ in range(int(n)):
        client = redis.Redis.from_url(URL)
        client.info()
        client.close()
        time.sleep(0.3)


if __name__ == "__main__":
    assert threading.current_thread() is threading.main_thread()
    for step in sys.argv[1:]:
        name, *arguments = step.split(":")
        globals()[name](*arguments)
