"""Two days of one deployment for each broker and each Celery: what is learnt from one must fit the other.

The pods of a day have names and addresses that no other day has. What runs is real, for minutes; between the four shifts of
a day the clock is moved (libfaketime for the programs, the rewriter for the packets), so that a capture spans a day.
"""

import os
import random
import signal
import time

from . import scenario
from . import expectations as ex

LETTERS = "bcdfghjklmnpqrstvwxz2456789"
SUBNETS = {"web": 2, "worker": 3}
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")
HOUR = 3600


class Day:
    """The deployment: pods of web and worker with generated names, and what has a name of its own."""

    def __init__(self, scene, kind, stack, seed):
        self.scene, self.kind, self.stack = scene, kind, stack
        self.dice = random.Random(f"{kind} {stack} {seed}")
        self.numbers = {role: self.dice.sample(range(10, 250), 60) for role in SUBNETS}
        self.release = {}
        for role in SUBNETS:
            self.deploy(role)

    def deploy(self, role):
        """Pods made from now on are of a new release."""
        self.release[role] = "".join(self.dice.choice(LETTERS) for _ in range(10))

    def pod(self, role):
        name = f"{role}-{self.release[role]}-{''.join(self.dice.choice(LETTERS) for _ in range(5))}"
        self.scene.net.pod(name, SUBNETS[role], self.numbers[role].pop())
        return name

    def fixed(self, name, subnet, number):
        if name not in self.scene.net.hosts:
            self.scene.net.pod(name, subnet, number)
        return name

    def workers(self, *pods, options=("-E",), env=None):
        """Starts a worker in each, all at once; the processes by name."""
        found = {pod: self.scene.worker(pod, self.stack, options=options, env=env, ready=False) for pod in pods}
        for process in found.values():
            self.scene.wait_log(process.lab_log, " ready.", 120, process)
        return found

    def web(self, pod, *steps, env=None):
        return self.scene.producing(pod, self.stack, *steps, script="day.py", env=env)

    def stop(self, *processes):
        """SIGTERM to all, then waits for each."""
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            self.scene.stop(process)

    def beat(self, seconds, env=None, scheduler=(), stack=None):
        beat = self.scene.program(self.fixed("beat-0", 0, 41), stack or self.stack, "beat", "-l", "INFO", "--pidfile", "", *scheduler,
                                  role="beat", env={"LAB_BURST": "8:3", **(env or {})}, until="Sending due task")
        time.sleep(seconds)
        self.scene.stop(beat)

    def more(self):
        """The stack with flower and redbeat."""
        return {"debian": "debian-more", "new": "new"}[self.stack]


def _open(s, kind):
    if kind == "amqp":
        s.rabbit()
        s.redis(extra=("appendonly yes",))  # for results that must be counted
        s.on_amqp()
    else:
        s.redis(extra=("appendonly yes",))
        s.on_redis()


def _night(d, which):
    """Few pods, beat, a cron job. The capture of day b begins in the middle of it."""
    s = d.scene
    pods, page = [d.pod("worker"), d.pod("worker")], d.pod("web")
    if which == "a":
        s.record()
    workers = d.workers(*pods)
    web = d.web(page, "browse:2", "rest:3", "night", "browse:6", "custom", "tonight:8")
    if which == "b":
        s.wait_log(web.lab_log, "resting", 60, web)
        s.record()
        s.made.append("the capture begins: two workers and a web pod are connected")
    d.beat(7)
    s.wait_for(web)
    time.sleep(1)
    d.stop(*workers.values())
    return pods, page


def _deploy(d, old, page):
    """A rolling deploy of web and workers, old beside new; each old worker is drained by its own preStop hook; then the autoscaler."""
    s = d.scene
    s.skip(8 * HOUR + d.dice.randrange(HOUR))
    leaving = d.workers(*old)
    before = d.web(page, "browse:14")
    d.deploy("web"), d.deploy("worker")
    joining = d.workers(d.pod("worker"), d.pod("worker"))
    after = d.web(d.pod("web"), "browse:6", "custom", "clocks", "browse:4")
    for number, (pod, process) in enumerate(leaving.items()):
        words = ("shutdown",) if number else ("cancel_consumer", "celery")
        s.celery(pod, d.stack, "control", "-t", "1", "-d", f"celery@{pod}", *words)
        time.sleep(1)
        d.stop(process)
    s.wait_for(before)
    scaled = d.workers(*[d.pod("worker") for _ in range(d.dice.randrange(1, 3))], options=("-E", "--autoscale=4,1"))
    s.wait_for(after, d.web(d.pod("web"), "browse:8", "canvas"))
    d.stop(*scaled.values(), *joining.values())


def _troubles(d):
    """Retries, chords, a worker killed with late acknowledgement, the broker restarted under load."""
    s = d.scene
    s.skip(4 * HOUR + d.dice.randrange(HOUR))
    amqp = d.kind == "amqp"
    backend = s.env["LAB_BACKEND"]
    s.use(LAB_ACKS_LATE="1", LAB_VISIBILITY=None if amqp else "8", LAB_PREFETCH="1", **({"LAB_BACKEND": s.redis_server.url()} if amqp else {}))
    dying, living = d.workers(d.pod("worker"), d.pod("worker")).items()
    s.wait_for(d.web(d.pod("web"), "troubles", "canvas"))
    page = d.pod("web")
    s.wait_for(d.web(page, "hold:4:3"))
    time.sleep(1)
    s.made.append(f"{dying[0]}: killed with its pool, tasks in its hands; its pod goes")
    s.net.drop(dying[0])
    d.stop(dying[1])
    heir = d.workers(d.pod("worker"))
    time.sleep(3 if amqp else 16)
    up = os.path.join(s.scratch, "up")
    web = d.web(page, "browse:4", f"until:{up}", "fire:8")
    s.wait_log(web.lab_log, "resting", 60, web)
    s.made.append(f"{'mq' if amqp else 'redis'}: restarted; all reconnect")
    (s.rabbit_server if amqp else s.redis_server).restart()
    time.sleep(1)
    with open(up, "w", encoding="ascii"):
        pass
    s.wait_for(web)
    if not amqp and d.stack == "debian":
        s.made.append("both workers are started anew: Celery 5.2 does not consume again after a restart of Redis")
        d.stop(living[1], *heir.values())
        heir = d.workers(living[0], *heir)
    s.wait_for(d.web(page, "browse:5"))
    s.use(LAB_ACKS_LATE=None, LAB_VISIBILITY=None, LAB_PREFETCH=None, LAB_BACKEND=backend)
    d.stop(*{living[1], *heir.values()})


def _evening(d):
    """A monitor, cancel buttons, workers that say nothing beside others and on a queue of their own, a page with two addresses."""
    s = d.scene
    s.skip(6 * HOUR + d.dice.randrange(HOUR))
    d.deploy("worker")
    loud = d.workers(d.pod("worker"), d.pod("worker"))
    quiet = d.workers(d.fixed("mail-0", 4, 10), d.fixed("mail-1", 4, 11), options=("-Q", "mail", *QUIET), env={"LAB_REMOTE_CONTROL": "0"})
    quiet.update(d.workers(d.pod("worker"), options=QUIET, env={"LAB_REMOTE_CONTROL": "0"}))
    flower = s.program(d.fixed("flower", 0, 51), d.more(), "flower", "--port=5555", role="monitor", until="Connected to",
                       env={"LAB_POOL": "20"})  # it asks in many threads at once, which wait for each other's connections in a small pool
    time.sleep(4)
    page = d.pod("web")
    two = d.web(page, "browse:3", "mail", "cancel", "browse:3")
    s.celery("flower", d.stack, "inspect", "active", "-t", "1")
    s.celery("flower", d.stack, "inspect", "stats", "-t", "1")
    s.wait_for(two)
    second = f"10.77.2.{d.numbers['web'].pop()}"
    s.net.hosts[page].leave_by(second, "10.77.0.10", "10.77.0.11")
    s.made.append(f"{page}: leaves by its second address, {second}, from now on")
    s.wait_for(d.web(page, "browse:4", "cancel"), d.web(d.pod("web"), "browse:6", "mail:3"))
    if d.kind == "redis":
        url = s.env["LAB_BROKER"]
        d.beat(7, env={"LAB_REDBEAT": url}, scheduler=("-S", "redbeat.RedBeatScheduler"), stack=d.more())
    else:
        d.beat(5)
    s.stop(flower)
    time.sleep(1)
    d.stop(*loud.values(), *quiet.values())


def _without_baseline(s, kind, which):
    if kind == "amqp":
        ex.amqp_login(s, 4)
        s.expect("cred-redis-cleartext", 2, "web and worker, for results that must be counted")
    else:
        ex.redis_login(s, 4)
    ex.clear_tasks(s)
    if (kind, which) == ("amqp", "b"):
        ex.unsigned(s, 3, "celery, mail, and celery again where the vhost was not seen")
    else:
        ex.unsigned(s, 2, "celery, mail")
    s.expect("control-change", "3 to 6", "two preStop hooks, and cancel buttons of a page from its two addresses")
    s.expect("control-recon", 1, "info: flower")
    s.expect("worker-silent", 1, "the quiet worker on queue celery, where others speak; those of queue mail are all quiet")


def day(s, kind, stack, which):
    _open(s, kind)
    d = Day(s, kind, stack, which)
    old, page = _night(d, which)
    _deploy(d, old, page)
    _troubles(d)
    _evening(d)
    s.finish()
    if '"enable_events"' not in open(s.truth, encoding="utf-8").read():
        raise RuntimeError("flower did not do its work")
    _without_baseline(s, kind, which)
    s.remark("Four shifts of a minute or less, recorded as they went. Between them nothing runs but the brokers, and the clock is moved by hours: "
             "for the programs by libfaketime, for the packets by `labkit/rewrite.py`.")
    s.remark("With a baseline learnt from the other day of this broker and Celery nothing may be found of the rules that ask who sent it: "
             "`compare.py days`.")


for _kind, _server in (("amqp", "RabbitMQ"), ("redis", "Redis")):
    for _stack, _words in (("debian", "Debian's Celery"), ("new", "the newest Celery of PyPI")):
        for _which in "ab":
            scenario(f"day-{_kind}-{_stack}-{_which}", f"{_server}: a day of a shop whose pods come and go: deploys, autoscaling, retries, redelivery, "
                     f"canvases, clocks, beat, a monitor; {_words}; day {_which}.")(
                         lambda s, k=_kind, st=_stack, w=_which: day(s, k, st, w))
