"""Who sent it? who.py STEP[:argument]..., run on a host of its own: tasks under another's name, in a form that no Celery writes,
in masses; consumers that swallow; schedules written by a stranger. Most steps use Celery itself, so that nothing but what the step
is about tells them from honest traffic.
"""

import json
import os
import sys
import time
import urllib.parse
import uuid

import truth

URL = urllib.parse.urlparse(os.environ["LAB_BROKER"])


def _shop():
    import shop
    return shop


def honest(n="2"):
    """What the host's name makes of it: an unknown origin, or one that another host owns."""
    for i in range(int(n)):
        _shop().label.delay(f"parcel {i}", size=2)


def claim(origin):
    """The same under an origin of the caller's choice."""
    import celery.app.amqp
    celery.app.amqp.anon_nodename = lambda: origin
    honest("1")


def replay(origin, task_id):
    """A task that was published before, word for word, under the same id."""
    import celery.app.amqp
    celery.app.amqp.anon_nodename = lambda: origin
    _shop().label.apply_async(("replay me",), {"size": 2}, task_id=task_id)


def original(task_id, seconds=None):
    """A task that somebody else will be about; with seconds: it waits so long."""
    _shop().label.apply_async(("replay me",), {"size": 2}, task_id=task_id, countdown=float(seconds) if seconds else None)


def unknown_name():
    _shop().app.send_task("shop.refund_all", (17,))


def shadow():
    """In events and in Flower this reads as another task."""
    _shop().label.apply_async(("hidden",), shadow="shop.charge")


def carried():
    """A task that nobody knows, in one that everybody knows."""
    from celery.canvas import xmap
    app = _shop().app
    xmap(app.signature("shop.refund_all"), [1, 2], app=app).apply_async()


def history(n="6"):
    for i in range(int(n)):
        _shop().label.delay(f"parcel {i}", size=2)
        time.sleep(0.3)


def flood(n="1500"):
    with _shop().app.connection() as connection:
        for i in range(int(n)):
            _shop().label.apply_async((f"flood {i}",), connection=connection)


def far_future(n="400"):
    with _shop().app.connection() as connection:
        for i in range(int(n)):
            _shop().label.apply_async((f"some day {i}",), countdown=400 * 86400 + i, connection=connection)


# By hand

def _by_hand(queue):
    """Signs: id no UUID, correlation_id another, reply_to no UUIDv3, argsrepr that contradicts, no root_id, a key in embed that none writes."""
    task_id = "a-task-of-mine"
    headers = {"lang": "py", "task": "shop.label", "id": task_id, "retries": 0, "timelimit": [None, None], "argsrepr": "('harmless',)",
               "kwargsrepr": "{}", "origin": "gen31337@laptop-of-eve"}
    body = json.dumps([["by hand"], {"size": 3}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None, "extra": 1}])
    truth.note(what="published", id=task_id, name="shop.label", queue=queue, protocol=2, crafted=True)
    return headers, body


def amqp_handcrafted():
    import pika
    connection = pika.BlockingConnection(pika.URLParameters(os.environ["LAB_BROKER"]))
    channel = connection.channel()
    headers, body = _by_hand("celery")
    channel.basic_publish("", "celery", body.encode(), pika.BasicProperties(
        content_type="application/json", content_encoding="utf-8", headers=headers, correlation_id="something-else", reply_to="me", delivery_mode=2))
    time.sleep(0.5)
    connection.close()


def redis_handcrafted():
    headers, body = _by_hand("celery")
    redis_open().lpush("celery", json.dumps({
        "body": body, "content-encoding": "utf-8", "content-type": "application/json", "headers": headers,
        "properties": {"correlation_id": "something-else", "reply_to": "me", "delivery_mode": 2, "priority": 0, "body_encoding": None,
                       "delivery_info": {"exchange": "", "routing_key": "celery"}, "delivery_tag": "1"}}))


def redis_open():
    import redis
    return redis.Redis(host=URL.hostname, port=URL.port, username=URL.username or None, password=urllib.parse.unquote(URL.password or "") or None)


def _taken(headers):
    truth.note(what="delivered", id=headers["id"], name=headers["task"], queue="celery", protocol=2, redelivered=False)


def amqp_swallow(seconds):
    """Consumes, and says nothing more."""
    import amqp
    connection = amqp.Connection(f"{URL.hostname}:{URL.port}", URL.username, URL.password, virtual_host=URL.path[1:] or "/", login_method="PLAIN")
    connection.connect()
    channel = connection.channel()
    channel.basic_qos(0, 50, False)
    channel.basic_consume("celery", callback=lambda m: _taken(m.headers))
    print("takes", flush=True)
    end = time.time() + float(seconds)
    while time.time() < end:
        try:
            connection.drain_events(timeout=0.5)
        except OSError:
            pass
    connection.close()


def redis_swallow(seconds):
    client = redis_open()
    print("takes", flush=True)
    end = time.time() + float(seconds)
    while time.time() < end:
        taken = client.brpop("celery", 1)
        if taken:
            _taken(json.loads(taken[1])["headers"])


def kombu_swallow(until):
    """The same as any consumer made with kombu would, until the lab says that it is enough."""
    import socket

    import kombu
    with kombu.Connection(os.environ["LAB_BROKER"]) as connection:
        queue = kombu.Queue("celery", kombu.Exchange("celery", type="direct"), routing_key="celery")
        with connection.Consumer(queue, on_message=lambda m: _taken(m.headers), prefetch_count=200):
            print("takes", flush=True)
            while not os.path.exists(until):
                try:
                    connection.drain_events(timeout=0.5)
                except socket.timeout:
                    pass


def redis_schedule():
    """A schedule entry that beat will publish in its own name, as redbeat would write it."""
    client = redis_open()
    client.hset("redbeat:cleanup", "definition", json.dumps({
        "name": "cleanup", "task": "shop.refund_all", "args": [17], "kwargs": {}, "options": {}, "enabled": True,
        "schedule": {"__type__": "interval", "every": 3600.0, "relative": False}}))
    client.hset("redbeat:cleanup", "meta", json.dumps({"last_run_at": None, "total_run_count": 0}))
    client.zadd("redbeat::schedule", {"redbeat:cleanup": int(time.time()) + 3600})


# Logins

def amqp_guess(*passwords, last=True):
    """Passwords of the shop's user, then the right one."""
    import amqp
    for password in passwords + ((URL.password,) if last else ()):
        try:
            connection = amqp.Connection(f"{URL.hostname}:{URL.port}", URL.username, password, virtual_host=URL.path[1:] or "/", login_method="PLAIN")
            connection.connect()
            connection.close()
        except (OSError, amqp.AMQPError) as e:
            print(type(e).__name__)


def redis_guess(*passwords, last=True):
    import redis
    import redis.retry
    for password in passwords + ((urllib.parse.unquote(URL.password),) if last else ()):
        client = redis.Redis(host=URL.hostname, port=URL.port, username=URL.username or None, password=password,
                             retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0))  # the newest tries ten times
        try:
            client.ping()
        except redis.RedisError as e:
            print(type(e).__name__)
        client.close()


def amqp_stubborn(password):
    amqp_guess(*[password] * 6, last=False)


def redis_stubborn(password):
    redis_guess(*[password] * 6, last=False)


def amqp_refused():
    """A queue in a vhost where the user may do nothing."""
    import amqp
    connection = amqp.Connection(f"{URL.hostname}:{URL.port}", URL.username, URL.password, virtual_host="vault", login_method="PLAIN")
    connection.connect()
    try:
        connection.channel().queue_declare("celery", passive=False, durable=True, auto_delete=False)
    except amqp.AMQPError as e:
        print(type(e).__name__)
    connection.close()


def redis_refused():
    """A command that the user may not give."""
    import redis
    try:
        redis_open().execute_command("SLOWLOG", "GET", "1")
    except redis.RedisError as e:
        print(type(e).__name__)


# Remote control, by Celery's own client

ARGUMENTS = {
    "revoke": {"task_id": [str(uuid.uuid4()), str(uuid.uuid4())], "terminate": True, "signal": "SIGKILL"},
    "terminate": {"signal": "TERM", "task_id": str(uuid.uuid4())},
    "revoke_by_stamped_headers": {"headers": {"header": ["value"]}},
    "rate_limit": {"task_name": "shop.add", "rate_limit": "0"},
    "time_limit": {"task_name": "shop.add", "hard": 1, "soft": 1},
    "add_consumer": {"queue": "backup"}, "cancel_consumer": {"queue": "backup"},
    "pool_restart": {"modules": ["shop"], "reload": True},
    "election": {"id": str(uuid.uuid4()), "topic": "task",
                 "action": {"task": "shop.add", "args": [40, 2], "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False}},
    "pool_grow": {"n": 1}, "pool_shrink": {"n": 1}, "autoscale": {"max": 3, "min": 1},
    "hello": {"from_node": "celery@nowhere", "revoked": {}},
    "query_task": {"ids": [str(uuid.uuid4())]}, "objgraph": {"num": 1}, "memdump": {"samples": 1},
    "no_such_command": {"x": 1},
}


def command(*methods):
    for method in methods:
        # election is sent without asking for replies, as its gossip does
        _shop().app.control.broadcast(method, arguments=ARGUMENTS.get(method, {}), reply=method not in ("election", "shutdown"), timeout=0.7)


def suppress(task_id):
    """A hello that revokes somebody's task."""
    _shop().app.control.broadcast("hello", arguments={"from_node": "celery@nowhere", "revoked": {task_id: 1.0}}, reply=True, timeout=0.7)


def elect():
    """The event of an election, without the command."""
    app = _shop().app
    with app.events.default_dispatcher(hostname="celery@nowhere") as dispatcher:
        dispatcher.send("worker-elect", id=str(uuid.uuid4()), topic="task", cver=1,
                        action={"task": "shop.add", "args": [40, 2], "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False})


if __name__ == "__main__":
    for step in sys.argv[1:]:
        name, *args = step.split("+")
        globals()[name](*args)
