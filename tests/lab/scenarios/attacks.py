"""Attacks on the lab's own brokers and workers, from a host named stranger. Nothing hostile is ever loaded or run."""

import os

from labkit import certs

from . import scenario
from . import expectations as ex
from .serializers import keys_of_signers


def _start(s, kind, **kw):
    if kind == "amqp":
        s.rabbit()
        s.on_amqp()
    else:
        s.redis(**kw)
        s.on_redis()


def _usual(s, kind, queues=1, names="celery"):
    (ex.amqp_tasks if kind == "amqp" else ex.redis_tasks)(s, queues, names)


def _attack(s, *steps, stack="new", env=None):
    return s.produce("stranger", stack, *steps, script="attack.py", env=env)


def _pickles(s, kind):
    _start(s, kind)
    s.record()
    w = s.worker("app1", "new", options=("--without-gossip",))
    s.produce("web1", "new", "plain:2")
    _attack(s, f"{kind}_pickles")
    s.produce("web1", "new", "plain:1")
    s.stop(w)
    s.finish()
    _usual(s, kind, 2, "celery, backup")
    s.expect("pickle-serializer", "2 to 4", "tasks of 10.77.0.66 to queues backup and celery" + (
        ", and a stored value under celery-task-meta-" if kind == "redis" else "") + "; disguised bodies may count to queue backup as well")
    s.expect("task-protocol-1", 1, "the last one; medium, since queue backup carries protocol 2 too")
    s.expect_later("pickle-malicious", "at least 2 folded", "os.system (posix.system) called with 'id': protocols 0, 2, 4, a refused one, a "
                   "disguised one, one without type, one in protocol 1")
    s.expect_later("pickle-disguised", "3 (critical)", "under application/json, without a content type, base64 in a JSON argument")
    s.remark("Queue backup has no consumer; the worker on celery accepts JSON only and refuses the pickle. Nothing is loaded.")


def _crafted(s, kind):
    _start(s, kind)
    s.record()
    w = s.worker("app1", "new", options=("--without-gossip",))
    s.produce("web1", "new", "plain:2")
    _attack(s, f"{kind}_crafted", *(["redis_inline"] if kind == "redis" else []))
    s.produce("web1", "new", "plain:1")
    s.stop(w)
    s.finish()
    _usual(s, kind)
    if kind == "amqp":
        s.expect("task-origin-missing", "2", "high (3 with --no-fold): absent, null, 'web1', all from 10.77.0.66 to queue celery; low: lang go "
                 "without an origin")
    else:
        s.expect("task-origin-missing", "2", "high (4 with --no-fold): absent, null, 'web1', and the inline one (no lang either), all from "
                 "10.77.0.66 to queue celery; low: lang js without an origin")
        s.expect_later("redis-admin", "1", "a script that pushes into a task queue")
        s.expect_later("redis-queue-tamper", "1", "the same: a script that pushes")
    s.expect("task-handcrafted", "1 or 2", "headers missing and argsrepr that contradicts; a hybrid body (AMQP); id task-1 with "
             "reply_to me can be asked for by a caller: nothing by itself")
    s.expect_later("task-hidden-name", 0, "needs a baseline: celery.map carries shop.echo")
    s.remark("The worker executes what is well formed: shop.add and shop.echo. shop.nonesuch is rejected as unknown.")


def _control(s, kind):
    _start(s, kind)
    s.record()
    w1 = s.worker("app1", "new", options=("-E",))
    w2 = s.worker("app2", "new", options=("-E",))
    s.produce("web1", "new", "plain:2")
    for command in ("ping", "active", "registered", "stats", "conf"):
        s.celery("ops1", "new", "inspect", command, "-t", "1")
    _attack(s, "control:revoke:rate_limit:time_limit:add_consumer:cancel_consumer:pool_restart:pool_grow:pool_shrink:autoscale")
    _attack(s, "control:election")
    _attack(s, "control:hello:enable_events:disable_events:heartbeat:no_such_command:memdump:report")
    s.produce("web1", "new", "fire:1")
    _attack(s, "control:shutdown")
    for w in (w1, w2):
        w.wait(20)
    s.finish()
    _usual(s, kind)
    s.expect_later("control-dangerous", "by method", "revoke with terminate, rate_limit, time_limit, add_consumer, cancel_consumer: high; election, "
                   "worker-elect, pool_restart, shutdown: critical; hello from celery@nowhere: high (judged 30 s later, or not at all here)")
    s.expect_later("control-change", "by method", "pool_grow, pool_shrink, autoscale, disable_events, memdump, no_such_command")
    s.expect_later("control-recon", "2, info", "ops1 and stranger: active, registered, stats, conf, report, enable_events, heartbeat")
    s.remark("Both workers end by the stranger's shutdown. The election makes a worker publish shop.add(40, 2) in its own name.")


def _rogue(s, kind):
    _start(s, kind)
    s.record()
    w1 = s.worker("app1", "debian", options=("-E",))  # the newest locks its pidbox queue: no twin could start
    s.produce("web1", "new", "plain:3")
    silent = s.worker("stranger", "new", options=("--without-gossip", "--without-mingle", "--without-heartbeat", "-n", "app1"),
                      env={"LAB_REMOTE_CONTROL": "0"})
    s.produce("web1", "new", "plain:8")
    s.stop(silent)
    twin = s.worker("stranger", "debian", options=("-E", "-n", "celery@app1"))
    s.produce("web1", "new", "plain:6")
    s.stop(twin)
    s.stop(w1)
    s.finish()
    _usual(s, kind)
    s.expect_later("worker-silent", 1, "stranger takes tasks and announces nothing; app1 does")
    s.expect_later("worker-impersonation", 1, "celery@app1 at 10.77.0.31 and 10.77.0.66 at once")
    s.expect_later("worker-unknown", 0, "needs a baseline")


def _forged(s, kind):
    _start(s, kind)
    s.record()
    w = s.worker("app1", "new", options=())
    s.produce("web1", "new", "plain:2")
    from labkit.stacks import SHOP, Stack
    victim = s.host("web1").start([Stack("new").python, SHOP + "/produce.py", "paused:0.1:1"],
                                  env=s._env("producer", {"LAB_QUEUE": "slow"}), log="victim")
    s.made.append("web1: produce.py paused, to queue slow, which no worker consumes; it waits for the result")
    _attack(s, f"{kind}_forge")
    victim.wait(30)
    s.stop(w)
    s.finish()
    _usual(s, kind, 2, "celery, slow")
    s.expect_later("result-forged", 1, "10.77.0.66 answers a task " + ("that it took with basic.get and never acknowledged: it did take the id, so "
                   "perhaps none" if kind == "amqp" else "that it never took"))
    s.expect_later("result-exception-exec", 1, "os.system as an exception")
    if kind == "redis":
        s.expect_later("redis-recon", 1, "LRANGE of a task queue")


def _signed(s, kind):
    stack, layout = {"amqp": ("new", "new"), "redis": ("debian", "old")}[kind]
    _start(s, kind)
    keys = keys_of_signers(s)
    folder = certs.authority(os.path.join(s.scratch, "strangers"), "/C=SE/O=Elsewhere/CN=Another CA")
    certs.issue(folder, "stranger")
    s.use(LAB_SERIALIZER="auth")
    s.record()
    w = s.worker("app1", stack, options=("--without-gossip",), env={"LAB_KEYS": keys["app1"]})
    s.produce("web1", stack, "plain:3", env={"LAB_KEYS": keys["web1"]})
    s.produce("web1", stack, "fire:3", env={"LAB_KEYS": keys["web1"], "LAB_QUEUE": "vault"})
    s.produce("stranger", stack, kind, layout, script="attack_signed.py", env={"LAB_STRANGER": folder})
    s.produce("web1", stack, "plain:1", env={"LAB_KEYS": keys["web1"]})
    s.stop(w)
    s.finish()
    (ex.amqp_login if kind == "amqp" else ex.redis_login)(s)
    ex.clear_tasks(s)
    s.expect("task-unsigned", "1", "high: from 10.77.0.66, beside signed tasks (2 with --no-fold: one only says that it is signed)")
    s.expect("task-signature-invalid", 1, "cut short, without its parts (2 with --no-fold); with certificates 5: tampered, signed by another in "
             "web1's name, JSON under application/data")
    if kind == "amqp":
        s.expect("task-signature-replayed", 3, "under another body, another id, another name")
    else:
        s.expect("task-signature-replayed", 0, "3 with certificates: in the old layout the same signature may be two tasks' (up to 4.2)")
        s.expect("task-replayed", 1, "the one under another name has its own id")
        s.expect("redis-recon", 1, "LRANGE of a task queue")
    s.expect("pickle-malicious", 1, "os.system inside a signed body, in queue vault, loaded nowhere")
    s.expect("pickle-disguised", 1, "critical: the same")
    s.expect("pickle-serializer", 1, "the same")
    s.expect("task-signer-unknown", 0, "2 with certificates and --no-fold: re-signed by a stranger (celery), the pickle (vault)")
    s.remark(f"The certificates of web1 and app1 are in `{s.name}.certs/`; the stranger's is not. Layout: {layout}.")
    s.remark("The worker refuses what does not verify, and executes what was replayed.")


for _kind in ("amqp", "redis"):
    _server = {"amqp": "RabbitMQ", "redis": "Redis"}[_kind]
    for _name, _function, _title in (
            ("pickles", _pickles, "hostile pickles in every guise, none of them loaded by anybody"),
            ("crafted", _crafted, "tasks written by hand: without origin, with wrong fields, unknown, hybrid"),
            ("control", _control, "remote control abused by a stranger, and an operator's inspect commands"),
            ("rogue", _rogue, "a worker that says nothing and one that takes another's name"),
            ("forged", _forged, "results from somebody who did not do the work"),
            ("signed", _signed, "signed tasks tampered with, signed by a stranger, replayed onto other tasks")):
        scenario(f"attack-{_name}-{_kind}", f"{_server}: {_title}.")(lambda s, f=_function, k=_kind: f(s, k))


@scenario("attack-tap-amqp", "RabbitMQ: a stranger binds a queue of its own to events, tasks and the firehose, then purges and deletes a task queue.")
def tap(s):
    _start(s, "amqp")
    s.record()
    w = s.worker("app1", "new", options=("-E",))
    s.produce("web1", "new", "fire:1", env={"LAB_QUEUE": "backup"})
    stranger = s.host("stranger").start(_attack_argv("amqp_tap"), env=s._env("client", None), log="tap")
    s.made.append("stranger: attack.py amqp_tap [new], while web1 works")
    s.produce("web1", "new", "steady:10")
    stranger.wait(20)
    s.stop(w)
    s.finish()
    _usual(s, "amqp", 2, "celery, backup")
    s.expect_later("amqp-tap", "1 or more", "bindings to celeryev, celery and amq.rabbitmq.trace")
    s.expect_later("amqp-destructive", 1, "purge and delete of queue backup")


def _attack_argv(*steps):
    from labkit.stacks import SHOP, Stack
    return [Stack("new").python, SHOP + "/attack.py", *steps]


@scenario("attack-takeover-redis", "Redis without a password: reconnaissance, CONFIG SET dir, SLAVEOF, MODULE LOAD, Lua, FLUSHALL, MONITOR, HTTP.")
def takeover(s):
    s.redis(password="")
    s.on_redis()
    s.record()
    w = s.worker("app1", "new", options=("--without-gossip",))
    s.produce("web1", "new", "plain:2")
    s.produce("web1", "new", "fire:3", env={"LAB_QUEUE": "backup"})
    spy = s.host("stranger").start(_attack_argv("redis_monitor"), env=s._env("client", None), log="monitor")
    s.made.append("stranger: attack.py redis_monitor [new], while web1 works")
    s.produce("web1", "new", "steady:8")
    spy.wait(20)
    _attack(s, "redis_takeover", "redis_http")
    s.produce("web1", "new", "fire:1")
    s.stop(w)
    s.finish()
    s.expect("broker-no-auth", 1, "folded by broker for a day")
    ex.clear_tasks(s)
    ex.unsigned(s, 2, "celery, backup")
    s.expect("protocol-malformed", "0 or 1", "HTTP on the Redis port is named by redis-admin later; the server hangs up")
    for rule, why in (("redis-config-write", "CONFIG SET dir, dbfilename"), ("redis-replicaof", "SLAVEOF 10.77.0.66"),
                      ("redis-module-load", "MODULE LOAD"), ("redis-lua-escape", "package.loadlib in a script"),
                      ("redis-admin", "CONFIG REWRITE, BGSAVE, CLIENT PAUSE, SCRIPT FLUSH, HTTP..."),
                      ("redis-destructive", "FLUSHALL, SWAPDB, DEBUG SLEEP, DEL of a task queue"),
                      ("redis-recon", "KEYS, SCAN, MONITOR, CLIENT LIST, LRANGE celery, HGETALL unacked, PSUBSCRIBE *"),
                      ("redis-queue-tamper", "RPOPLPUSH, LREM")):
        s.expect_later(rule, "1 or more", why)
    s.remark("Redis 7 refuses CONFIG SET dir and MODULE LOAD; SLAVEOF finds nobody at 10.77.0.66. Lines `command` in the truth say what was sent "
             "and the first word of the reply.")
