"""What a process of the lab really sent, took and answered, one JSON line each, by its own account.

Published: Celery's after_task_publish signal, in whichever process it fires (producer, worker, pool child).
Delivered: every message that kombu hands to a consumer, before anything is decoded or refused.
Results, events and remote control: at the call that sends them.
The lab compares what the sensor found on the wire with these lines.
"""

import base64
import json
import os
import socket
import time

PATH = os.environ.get("LAB_TRUTH")


def note(**line):
    """Appends one line; a single write, so that processes do not mix theirs."""
    if PATH:
        line["host"] = socket.gethostname()
        line["pid"] = os.getpid()
        line["time"] = round(time.time(), 6)
        with open(PATH, "ab", buffering=0) as f:
            f.write(json.dumps(line, sort_keys=True).encode() + b"\n")


def _published(sender=None, headers=None, body=None, exchange=None, routing_key=None, **_):
    headers = headers or {}
    if "id" in headers:
        note(what="published", id=headers["id"], name=headers["task"], queue=routing_key, protocol=2,
             retries=headers.get("retries"))
    else:
        note(what="published", id=body["id"], name=body["task"], queue=routing_key, protocol=1,
             retries=body.get("retries"))


def _v1_identity(message):
    """Id and name of a task message of protocol 1, whose body must be read for them. Only plain data is."""
    try:
        if message.content_type in ("application/x-python-serialize", "application/data"):
            if os.environ.get("LAB_TRUST_BODIES") != "1":
                return None
        body = message.decode() if message.accept else None
        return (body["id"], body["task"]) if isinstance(body, dict) and "task" in body else None
    except Exception:  # pylint: disable=broad-except
        return None


def _wrap(owner, name, before):
    original = getattr(owner, name, None)
    if original is None:
        return

    def wrapped(self, *args, **kw):
        before(self, *args, **kw)
        return original(self, *args, **kw)

    setattr(owner, name, wrapped)


def _delivered(consumer, message, *_):
    to_python = getattr(consumer.channel, "message_to_python", None)
    message = to_python(message) if to_python else message
    message.accept = consumer.accept
    headers, info = message.headers or {}, message.delivery_info or {}
    queue = next((q.name for q in consumer.queues if q.routing_key == info.get("routing_key")), None)
    common = {"what": "delivered", "queue": queue or info.get("routing_key"),
              "redelivered": bool(info.get("redelivered") or headers.get("redelivered")),
              "content_type": message.content_type}
    if "task" in headers:
        note(id=headers.get("id"), name=headers["task"], protocol=2, **common)
    elif any(q.name.endswith("pidbox") or q.name.startswith("celeryev") for q in consumer.queues):
        return
    elif info.get("exchange") in ("celeryev", "celery.pidbox", "reply.celery.pidbox") or not common["queue"]:
        return
    else:
        identity = _v1_identity(message)
        if identity:
            note(id=identity[0], name=identity[1], protocol=1, **common)
        else:
            note(id=None, name=None, protocol=None, **common)


def install(app):
    """Hooks this process. Called once, as the application is made."""
    from celery import signals
    from celery.backends import base, rpc
    from celery.events import dispatcher
    from kombu import messaging, pidbox
    from kombu.transport import redis

    signals.after_task_publish.connect(_published, weak=False)
    if os.environ.get("LAB_ROLE") == "worker":
        _wrap(messaging.Consumer, "_receive_callback", _delivered)

    def stored_key(_self, key, _value, state=None, *_a):
        key = key.decode() if isinstance(key, bytes) else key
        note(what="result", id=key.split("celery-task-meta-")[-1], state=state)

    def stored_rpc(_self, task_id, _result, state, *_a, **kw):
        request = kw.get("request") or (_a[1] if len(_a) > 1 else None)
        if request is not None and request.reply_to:
            note(what="result", id=task_id, state=state)

    def restored(_self, payload, _exchange, routing_key, *_a, **_k):
        note(what="restored", id=payload["headers"].get("id"), name=payload["headers"].get("task"), queue=routing_key)

    _wrap(redis.Channel, "_do_restore_message", restored)
    _wrap(base.BaseKeyValueStoreBackend, "_set_with_state", stored_key)
    _wrap(rpc.RPCBackend, "store_result", stored_rpc)

    def event(_self, body, *_a, **_k):
        batch = body if isinstance(body, list) else [body]
        note(what="event", types=[e["type"] for e in batch], batch=isinstance(body, list))

    def control(_self, kind, arguments=None, destination=None, *_a, **_k):
        note(what="control", method=kind, destination=destination)

    _wrap(dispatcher.EventDispatcher, "_publish", event)
    _wrap(pidbox.Mailbox, "_publish", control)
    return app


def b64(data):
    """Text of bytes, for a line of truth."""
    return base64.b64encode(data).decode()
