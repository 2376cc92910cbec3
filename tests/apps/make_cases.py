"""Prints cases of real messages for tests/apps/cases/*.txt: what Celery and kombu hand to a virtual transport.

Needs celery, msgpack, pyyaml, cryptography. The expectations are not made here: they are written by hand, beside
what this prints.
"""

import datetime
import json
import sys
import tempfile

import celery
from celery import chain, chord, group
from kombu.transport import memory

out = []


def put(self, queue, message, **_):
    out.append(("LPUSH", queue, json.dumps(message)))


def put_fanout(self, exchange, message, routing_key=None, **_):
    topic = "/0." + exchange + ("/" + routing_key if routing_key else "")
    out.append(("PUBLISH", topic, json.dumps(message)))


memory.Channel._put = put
memory.Channel._put_fanout = put_fanout
memory.Channel.supports_fanout = True
memory.Transport.driver_type = "redis"
memory.Channel._size = lambda *_: 0


def case(name, call):
    out.clear()
    call()
    for n, (command, key, value) in enumerate(out):
        print("case %s%s" % (name, "" if len(out) == 1 else " %d" % (n + 1)))
        where = "channel" if command == "PUBLISH" else "key"
        print("redis PUBLISH command=%s %s=%s" % (command, where, key))
        print("value " + value)
        print()


def plain(signature):
    return json.loads(json.dumps(signature))


def new_app(**conf):
    app = celery.Celery("lab", broker="memory://", backend="cache+memory://")
    app.conf.update(accept_content=["json", "pickle", "yaml", "msgpack"], **conf)
    return app


def tasks():
    app = new_app()
    add = app.signature("lab.add", (2, 3))
    case("protocol 2", lambda: add.apply_async(task_id="1db90e87-0000-4000-8000-000000000001"))
    case("countdown, expiry, priority", lambda: add.apply_async(countdown=60, expires=120, priority=9))
    case("link and link_error", lambda: add.apply_async(
        link=app.signature("lab.mul", (4,)), link_error=app.signature("lab.failed")))
    sig = lambda name, *args: app.signature("lab." + name, args)
    case("chain", lambda: chain(sig("a", 1), sig("b"), sig("c")).apply_async())
    case("group and chord", lambda: chord([sig("a", 1), sig("b", 2)], sig("total")).apply_async())
    case("map", lambda: app.signature("celery.starmap", (), {"task": dict(sig("add")), "it": [[1, 2], [3, 4]]}).apply_async())
    case("stamps and headers", lambda: sig("a").apply_async(
        headers={"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "id2": None}, shadow="lab.b[x]"))
    for serializer in ("pickle", "yaml", "msgpack"):
        case("protocol 2, " + serializer, lambda: add.apply_async(
            serializer=serializer, link=plain(sig("mul", {"task": "no.task"}))))
    for compression in ("zlib", "bzip2"):
        case("protocol 2, " + compression, lambda: add.apply_async(compression=compression))
    old = new_app(task_protocol=1)
    for serializer in ("json", "pickle", "yaml", "msgpack"):
        case("protocol 1, " + serializer, lambda: old.signature("lab.add", (2, 3)).apply_async(
            serializer=serializer, link=plain(old.signature("lab.mul", (4,)))))


def events():
    app = new_app()
    with app.connection_for_write() as c, app.events.Dispatcher(c, hostname="celery@host1") as d:
        case("heartbeat", lambda: d.send(
            "worker-heartbeat", freq=2.0, sw_ident="py-celery", sw_ver="5.6.2", sw_sys="Linux", active=1,
            processed=17, loadavg=(0.1, 0.2, 0.3)))
        case("succeeded", lambda: d.send("task-succeeded", uuid="u1", result="'x'", runtime=0.1))
    with app.connection_for_write() as c, app.events.Dispatcher(c, hostname="celery@host1", buffer_group=["task"]) as d:
        d.send("task-received", uuid="u1", name="lab.add", args="(1,)", kwargs="{}", root_id="u1", parent_id=None,
               retries=0, eta=None, expires=None)
        d.send("task-started", uuid="u1")
        case("batch", d.flush)
        case("elect", lambda: d.send("worker-elect", id="e1", topic="task", action={"task": "lab.evil", "args": []}, cver=1))


def control():
    app = new_app()
    c = app.control
    case("ping", lambda: c.broadcast("ping", reply=True, timeout=0.01, destination=["celery@host1", "celery@host2"]))
    case("revoke", lambda: c.revoke(["u1", "u2"], terminate=True, signal="KILL"))
    case("revoke one", lambda: c.revoke("u1"))
    case("hello", lambda: c.broadcast("hello", arguments={"from_node": "celery@host1", "revoked": {"u9": [1.0, "u9"]}}))
    case("election", lambda: c.election("e1", "task", {"task": "lab.evil", "args": [1]}))
    case("rate_limit", lambda: c.rate_limit("lab.add", "0/m"))
    case("pattern", lambda: c.broadcast("shutdown", pattern="celery@*", matcher="glob"))
    case("add_consumer", lambda: c.add_consumer("evil"))
    app.conf.control_exchange = "shopctl"
    app.conf.task_serializer = "yaml"
    del app.control
    case("own namespace, yaml", lambda: app.control.broadcast("shutdown", arguments={"msg": "x"}))


def signed():
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lab")])
    now = datetime.datetime(2026, 1, 1)
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(4711).not_valid_before(now).not_valid_after(now.replace(year=2036)).sign(key, hashes.SHA256()))
    folder = tempfile.mkdtemp()
    pem = serialization.Encoding.PEM
    with open(folder + "/key", "wb") as f:
        f.write(key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()))
    with open(folder + "/cert.pem", "wb") as f:
        f.write(cert.public_bytes(pem))
    app = celery.Celery("lab", broker="memory://")
    app.conf.update(security_key=folder + "/key", security_certificate=folder + "/cert.pem",
                    security_cert_store=folder + "/*.pem", task_serializer="auth", accept_content=["auth"],
                    result_serializer="json", event_serializer="json")
    app.setup_security()
    case("signed", lambda: app.signature("lab.add", (2, 3)).apply_async(link=plain(app.signature("lab.mul"))))
    case("signed control", lambda: app.control.broadcast("shutdown"))


print("# Celery %s" % celery.__version__)
for step in sys.argv[1:] or ("tasks", "events", "control", "signed"):
    globals()[step]()
