"""A day's benign work. Nothing here may raise more than what logins and tasks in clear always raise."""

import os
import time

from . import scenario
from . import expectations as ex


def _amqp_work(s, stack):
    s.rabbit()
    s.on_amqp()
    s.record()
    w1 = s.worker("app1", stack)
    w2 = s.worker("app2", stack, options=("-E", "-n", "second@app2"))
    s.produce("web1", stack, "kinds", env={"LAB_SENT_EVENT": "1"})
    s.produce("web2", stack, "plain:5", "fire:5")
    s.celery("ops1", stack, "inspect", "ping", "-t", "2")
    s.stop(w2)
    s.produce("web1", stack, "plain:3")
    s.stop(w1)
    s.finish()
    ex.amqp_tasks(s)


def _redis_work(s, stack):
    s.redis()
    if stack == "new":
        s.on_redis(user="shop", password="k7Qz-harbor-41-Lantern")
    else:
        s.on_redis()
    s.record()
    w1 = s.worker("app1", stack)
    w2 = s.worker("app2", stack, options=("-E", "-n", "second@app2"))
    s.produce("web1", stack, "kinds", "chords", env={"LAB_SENT_EVENT": "1"})
    s.produce("web2", stack, "plain:5", "fire:5")
    s.celery("ops1", stack, "inspect", "ping", "-t", "2")
    s.stop(w2)
    s.produce("web1", stack, "plain:3")
    s.stop(w1)
    s.finish()
    ex.redis_tasks(s)


for _stack, _words in (("debian", "Debian's Celery"), ("new", "the newest Celery of PyPI"), ("old", "Celery 4.4.7")):
    scenario(f"benign-amqp-{_stack}", "RabbitMQ: producers on two hosts, two workers with events, gossip and mingle, "
             f"tasks of many kinds, results by rpc, one inspect ping; {_words}.",
             needs=_stack)(lambda s, st=_stack: _amqp_work(s, st))
    scenario(f"benign-redis-{_stack}", "Redis as broker and result store: producers on two hosts, two workers with events, "
             f"gossip and mingle, tasks of many kinds, chords, one inspect ping; {_words}.",
             needs=_stack)(lambda s, st=_stack: _redis_work(s, st))


@scenario("benign-amqp-quiet", "A RabbitMQ worker without gossip, mingle, heartbeat, events and remote control; beat; results ignored.")
def quiet_amqp(s):
    s.rabbit()
    s.on_amqp(backend="")
    s.use(LAB_REMOTE_CONTROL="0")
    s.record()
    w = s.worker("app1", "new", options=("--without-gossip", "--without-mingle", "--without-heartbeat"))
    _beat(s, "new")
    s.produce("web1", "new", "fire:4")
    time.sleep(1)
    s.stop(w)
    s.finish()
    ex.amqp_tasks(s)
    s.expect_later("worker-silent", 0, "the queue's only worker is silent: queues whose workers all do so are excepted")


@scenario("benign-redis-quiet", "A Redis worker without gossip, mingle and heartbeat; beat; `global_keyprefix` shop:, database 2.")
def quiet_redis(s):
    r = s.redis()
    s.on_redis(url=r.url(db=2))
    s.use(LAB_KEYPREFIX="shop:")
    s.record()
    w = s.worker("app1", "new", options=("--without-gossip", "--without-mingle", "--without-heartbeat"))
    _beat(s, "new")
    s.produce("web1", "new", "fire:4", "plain:3")
    time.sleep(1)
    s.stop(w)
    s.finish()
    ex.redis_tasks(s)


def _beat(s, stack):
    from labkit.stacks import Stack
    s.made.append(f"beat1: celery beat [{stack}]")
    s.hosts_said.append(("beat1", "beat"))
    beat = s.host("beat1").start([Stack(stack).python, "-m", "celery", "-A", "shop", "beat", "-l", "INFO",
                                  "--pidfile", ""], env=s._env("producer", None), log="beat")
    s.wait_log("beat", "Sending due task", 30, beat)
    time.sleep(2.5)
    s.stop(beat)


@scenario("benign-amqp-big", "RabbitMQ: bodies of 300 KB, over three frames of 128 KiB each way, between small tasks.")
def big_amqp(s):
    s.rabbit()
    s.on_amqp()
    s.record()
    w = s.worker("app1", "new", options=())
    s.produce("web1", "new", "plain:2", "big", "plain:2")
    s.stop(w)
    s.finish()
    s.pack = "xz"
    ex.amqp_tasks(s)


@scenario("benign-redis-big", "Redis: bodies of 300 KB between small tasks, envelope in base64.")
def big_redis(s):
    s.redis()
    s.on_redis()
    s.record()
    w = s.worker("app1", "debian", options=())
    s.produce("web1", "debian", "plain:2", "big", "plain:2")
    s.stop(w)
    s.finish()
    s.pack = "zst"
    ex.redis_tasks(s)


@scenario("redis-plain-body", "Redis: kombu's envelope with the body as it is, `body_encoding` null from one producer and utf-8 from another.")
def plain_body(s):
    s.redis()
    s.on_redis()
    s.record()
    w = s.worker("app1", "new", options=("--without-gossip",))
    s.produce("web1", "new", "plain:3", "table", env={"LAB_BODY_ENCODING": "none"})
    s.produce("web2", "new", "plain:3", "fire:2", env={"LAB_BODY_ENCODING": "utf-8"})
    s.stop(w)
    s.finish()
    ex.redis_tasks(s)


@scenario("returned-amqp", "RabbitMQ: a task that leads nowhere comes back by basic.return, between tasks that arrive.")
def returned_amqp(s):
    s.rabbit()
    s.on_amqp()
    s.record()
    w = s.worker("app1", "new", options=("--without-gossip",))
    s.produce("web1", "new", "plain:2", "returned")
    s.produce("web1", "debian", "plain:2", "returned")
    s.stop(w)
    s.finish()
    s.note(what="returned", count=2)
    ex.amqp_tasks(s, 2, "celery, and nowhere (routing key of exchange celery)")


@scenario("redelivery-redis", "Redis: a worker that takes tasks and is killed; another that restores them from `unacked`.")
def redelivery_redis(s):
    import signal
    s.redis()
    s.on_redis()
    s.use(LAB_ACKS_LATE="1")
    s.record()
    w1 = s.worker("app1", "new", options=("-n", "first@app1", "--without-gossip"))
    s.produce("web1", "new", "fire:2", script="produce.py")
    s.host("web1").start([_python("new"), os.path.join(_shop(), "produce.py"), "paused:3:6"],
                         env=s._env("producer", None), log="paused")
    time.sleep(2.0)
    s.made.append("app1: the worker gets SIGTERM while it holds six tasks of three seconds; it restores what it has not begun")
    w1.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    w2 = s.worker("app2", "new", options=("-n", "second@app2", "--without-gossip"))
    s.net.stop(w1, seconds=25)
    time.sleep(6)
    s.stop(w2)
    s.finish()
    ex.redis_tasks(s)
    s.expect_later("task-replayed", 0, "restores are no replays")


@scenario("redelivery-amqp", "RabbitMQ: a worker with late acknowledgement is killed; the broker delivers its tasks again, elsewhere.")
def redelivery_amqp(s):
    import signal
    s.rabbit()
    s.on_amqp(backend="")
    s.use(LAB_ACKS_LATE="1")
    s.record()
    w1 = s.worker("app1", "new", options=("-n", "first@app1", "--without-gossip"))
    s.produce("web1", "new", "fire:2")
    s.host("web1").start([_python("new"), "-c", "import shop\nfor i in range(6): shop.pause.apply_async((2,), ignore_result=True)"],
                         env=s._env("producer", None), log="paused")
    time.sleep(2.0)
    s.made.append("app1: the worker and its pool are killed while it holds six tasks")
    os.killpg(w1.pid, signal.SIGKILL)
    s.net.stop(w1)
    w2 = s.worker("app2", "new", options=("-n", "second@app2", "--without-gossip"))
    time.sleep(7)
    s.stop(w2)
    s.finish()
    ex.amqp_tasks(s)


@scenario("bench-amqp", "RabbitMQ: a deployment at steady work; what `scripts/bench-capture` multiplies.")
def bench_amqp(s):
    s.rabbit()
    s.on_amqp()
    s.record()
    w = s.worker("app1", "new", options=("-E",))
    s.produce("web1", "new", "mix:100")
    s.stop(w)
    s.finish()
    ex.amqp_tasks(s)


@scenario("bench-redis", "Redis: a deployment at steady work; what `scripts/bench-capture` multiplies.")
def bench_redis(s):
    s.redis()
    s.on_redis()
    s.record()
    w = s.worker("app1", "new", options=("-E",))
    s.produce("web1", "new", "mix:60")
    s.stop(w)
    s.finish()
    ex.redis_tasks(s)


def _python(stack):
    from labkit.stacks import Stack
    return Stack(stack).python


def _shop():
    from labkit.stacks import SHOP
    return SHOP
