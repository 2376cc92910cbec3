"""Who sent it: a stranger, or a pod that was taken over, in the deployment of scenarios/days.py. Each actor does one thing."""

import os
import time
import uuid

from . import scenario
from . import expectations as ex
from .days import QUIET, Day, _open

INFO, LOW, MEDIUM, HIGH, CRITICAL = 1, 2, 3, 4, 5
STRANGERS = 66


class Attack(Day):
    """The deployment, and who does it harm."""

    def __init__(self, scene, kind, stack):
        super().__init__(scene, kind, stack, "who")
        _open(scene, kind)
        self.number = 0

    def stranger(self, name, hostname=None):
        self.number += 1
        self.scene.net.pod(name, STRANGERS, self.number, hostname)
        return name

    def does(self, host, *steps, stack=None):
        self.scene.produce(host, stack or self.stack, *steps, script="who.py")

    def beside(self, host, *steps, until=None):
        s = self.scene
        process = s.producing(host, "new", *steps, script="who.py")
        if until:
            s.wait_log(process.lab_log, until, 60, process)
        return process

    def usual(self, queues=1, names="celery", networks=4):
        s = self.scene
        (ex.amqp_login if self.kind == "amqp" else ex.redis_login)(s, networks)
        ex.clear_tasks(s)
        ex.unsigned(s, queues, names)


def _history(d, pods):
    """Half an hour and more of two pods that send a task now and then."""
    for _ in range(5):
        for process in [d.scene.producing(pod, d.stack, "history+5", script="who.py") for pod in pods]:
            d.scene.wait_for(process)
        d.scene.skip(600)


def _names(d, workers):
    """Tasks under another's name, from strangers and from pods that were taken over."""
    s = d.scene
    victim = d.pod("web")
    d.web(victim, "browse:3", "troubles", "custom").wait(100)
    worker = next(iter(workers))
    s.finding("task-origin-spoofed", CRITICAL, d.stranger("spoofer", victim), "Celery on a host that has a web pod's name", baseline=True)
    d.does("spoofer", "honest")
    s.finding("task-origin-spoofed", CRITICAL, d.stranger("claimer"), "the pid and host of a live worker as origin")
    d.does("claimer", f"claim+gen{workers[worker].pid}@{worker}")
    s.finding("task-origin-unknown", HIGH, d.stranger("laptop-of-eve"), "Celery on a host that nobody knows", baseline=True)
    d.does("laptop-of-eve", "honest")
    s.finding("task-name-unknown", MEDIUM, pod := d.pod("web"), "a web pod that was taken over sends shop.refund_all", baseline=True)
    d.does(pod, "unknown_name")
    s.finding("task-hidden-name", MEDIUM, pod := d.pod("web"), "shadow='shop.charge' on another task")
    d.does(pod, "shadow")
    s.finding("task-hidden-name", MEDIUM, pod := d.pod("web"), "celery.map carries shop.refund_all", baseline=True)
    d.does(pod, "carried")
    s.finding("task-handcrafted", HIGH, d.stranger("handyman"), "an envelope by hand: id, correlation_id, reply_to, argsrepr, missing headers, "
              "an unknown key")
    s.finding("task-origin-unknown", HIGH, "handyman", "the same: origin gen31337@laptop-of-eve", baseline=True)
    d.does("handyman", f"{d.kind}_handcrafted", stack="new")
    task_id, sender = str(uuid.uuid4()), d.pod("web")
    d.does(sender, f"original+{task_id}")
    time.sleep(1)
    s.finding("task-replayed", HIGH, d.stranger("echo"), "a task that a web pod published, word for word under its id")
    s.finding("task-origin-spoofed", CRITICAL, "echo", "the same: it has the web pod's origin", baseline=True)
    d.does("echo", f"replay+gen4711@{sender}+{task_id}")


def _crowds(d, pods):
    """Masses from producers with a history."""
    s = d.scene
    s.finding("task-flood", MEDIUM, pods[0], "1500 tasks at once after half an hour of a few")
    d.does(pods[0], "flood")
    s.finding("task-flood", MEDIUM, pods[1], "400 tasks with ETAs in more than a year")
    d.does(pods[1], "far_future")
    s.made.append("the queue is emptied on the broker's own host")
    if d.kind == "amqp":
        s.rabbit_server.ctl("purge_queue", "-p", "shop", "celery")
    else:
        s.host("redis").run(["redis-cli", "--no-auth-warning", "-a", s.redis_server.password, "DEL", "celery"])


def _rogues(d, workers):
    """Who takes tasks: a worker with everything switched off, one with another's name, one that gives nothing back."""
    s = d.scene
    s.finding("worker-silent", MEDIUM, d.stranger("ghost"), "a worker with everything switched off")
    s.finding("worker-unknown", HIGH, "ghost", "the same", baseline=True)
    ghost = d.workers("ghost", options=QUIET, env={"LAB_REMOTE_CONTROL": "0"})
    name = list(workers)[1]
    s.finding("worker-impersonation", HIGH, d.stranger("twin"), f"a second machine as celery@{name}, while that one works")
    s.finding("worker-unknown", HIGH, "twin", "the same: not that node's address", baseline=True)
    locked = d.kind == "amqp" and d.stack == "new"  # the newest locks its pidbox queue: the twin goes without
    twin = d.workers("twin", options=("-E", "-n", f"celery@{name}"), env={"LAB_REMOTE_CONTROL": "0"} if locked else None)
    s.finding("worker-silent", MEDIUM, d.stranger("maw"), "takes tasks and never acknowledges, and announces nothing")
    s.finding("task-swallowed", MEDIUM, "maw", "the same: no word of any when it leaves (RabbitMQ), nothing kept for a later one (Redis)")
    s.finding("worker-unknown", HIGH, "maw", "the same", baseline=True)
    maw = d.beside("maw", f"{d.kind}_swallow+{75}", until="takes")
    for _ in range(5):
        d.does(d.pod("web"), "history+8")
    return [*ghost.values(), *twin.values()], maw


def _schedule(d):
    """Beat with its schedule in Redis, and somebody who writes into it."""
    s = d.scene
    d.beat(6, env={"LAB_REDBEAT": s.env["LAB_BROKER"]}, scheduler=("-S", "redbeat.RedBeatScheduler"), stack=d.more())
    s.finding("redis-schedule-tamper", HIGH, d.stranger("planner"), "an entry written into beat's schedule")
    s.finding("task-name-unknown", MEDIUM, "planner", "the task in it", baseline=True)
    d.does("planner", "redis_schedule", stack="new")


def who(s, kind, stack):
    d = Attack(s, kind, stack)
    s.record()
    pods = [d.pod("web"), d.pod("web")]
    _history(d, pods)
    workers = d.workers(d.pod("worker"), d.pod("worker"))
    _names(d, workers)
    if kind == "redis":
        _schedule(d)
    rogues, maw = _rogues(d, workers)
    s.wait_for(maw)
    d.stop(*rogues, *workers.values())
    _crowds(d, pods)
    time.sleep(1)
    s.finish()
    d.usual(networks=4 if kind == "redis" else 3)
    s.remark("shop.refund_all is a task of nobody: workers refuse it. What `maw` took is delivered again on RabbitMQ, and lost on Redis.")


def swallow(s, kind, stack):
    """A consumer made with kombu that acknowledges nothing, for hours; between its tasks the clock is moved by less than what makes
    connections idle. It lives over that: nothing that it sends has a time."""
    d = Attack(s, kind, stack)
    s.record()
    worker = d.workers(d.pod("worker"))
    page = d.pod("web")
    d.does(page, "history+4")
    s.finding("task-swallowed", MEDIUM, d.stranger("maw"), "a consumer by kombu that takes tasks for hours and acknowledges none", most=4)
    s.finding("worker-silent", MEDIUM, "maw", "the same: announces nothing")
    s.finding("worker-unknown", HIGH, "maw", "the same", baseline=True, most=4)
    maw = s.producing("maw", stack, f"kombu_swallow+{os.path.join(s.scratch, 'enough')}", script="who.py")
    s.wait_log(maw.lab_log, "takes", 60, maw)
    d.does(page, "history+10")
    d.stop(*worker.values())
    for _ in range(4):
        s.skip(1700)
        worker = d.workers(d.pod("worker"))
        d.does(page, "history+10")
        d.stop(*worker.values())
    with open(os.path.join(s.scratch, "enough"), "w", encoding="ascii"):
        pass
    s.wait_for(maw)
    s.finish()
    d.usual(networks=3)


def commands(s, kind, stack):
    d = Attack(s, kind, stack)
    s.record()
    workers = d.workers(d.pod("worker"), d.pod("worker"))
    page = d.pod("web")
    d.does(page, "honest")
    risks = (
        ("control-dangerous", HIGH, "meddler", ("revoke", "terminate", "revoke_by_stamped_headers", "rate_limit", "time_limit", "add_consumer",
                                                "cancel_consumer")),
        ("control-change", MEDIUM, "tinkerer", ("autoscale", "pool_grow", "pool_shrink", "disable_events", "objgraph", "memdump", "memsample",
                                                "no_such_command")),
        ("control-dangerous", CRITICAL, "usurper", ("pool_restart", "election")),
    )
    for rule, severity, host, methods in risks:
        d.stranger(host)
        for method in methods:
            s.finding(rule, severity, host, f"`{method}`", method=method)
        d.does(host, "command+" + "+".join(methods))
        time.sleep(0.5)
    asks = ("ping", "enable_events", "heartbeat", "active", "dump_active", "reserved", "dump_reserved", "scheduled", "dump_schedule", "query_task",
            "revoked", "dump_revoked", "registered", "dump_tasks", "active_queues", "stats", "clock", "conf", "dump_conf", "report")
    s.finding("control-recon", INFO, d.stranger("scout"), "every other inspect command, one alert in all without a baseline")
    s.finding("control-recon", LOW, "scout", "the same, each of them", times=len(asks) - 1, baseline=True)  # ping is nothing
    d.does("scout", "command+" + "+".join(asks))
    s.finding("control-dangerous", HIGH, d.stranger("nobody"), "a hello of a node that then joins nothing", method="hello")
    d.does("nobody", "command+hello")
    task_id = str(uuid.uuid4())
    s.finding("control-dangerous", HIGH, d.stranger("mute"), "a hello whose `revoked` names a task that waits; and it joins nothing either",
              method="hello")
    d.does(page, f"original+{task_id}+20")
    d.does("mute", f"suppress+{task_id}")
    s.finding("control-dangerous", CRITICAL, d.stranger("elector"), "the event worker-elect with topic task, without the command")
    d.does("elector", "elect")
    time.sleep(32)
    s.finding("control-dangerous", CRITICAL, "usurper", "`shutdown`", method="shutdown")
    d.does("usurper", "command+shutdown")
    for process in workers.values():
        process.wait(40)
    s.finish()
    d.usual(networks=3)
    s.remark("All workers end by the stranger's shutdown. The elections make a worker publish shop.add(40, 2) in its own name.")


def logins(s, kind):
    if kind == "amqp":
        s.rabbit(vhosts=("/", "shop", "vault"))
        s.on_amqp()
    else:
        s.redis()
        s.on_redis(user="shop", password="k7Qz-harbor-41-Lantern")
    s.record()
    worker = s.worker("app1", "new", options=("--without-gossip",))
    s.produce("web1", "new", "plain:2")
    words = ("Summer-2024", "Winter-2024", "Spring-2025", "Summer-2025", "Winter-2025", "Spring-2026")
    for number, name in enumerate(("guesser", "forgetful", "trespasser"), 1):
        s.net.pod(name, STRANGERS, number)
    s.finding("broker-login-bruteforce", HIGH, "guesser", "six passwords of one user within seconds")
    s.finding("broker-login-bruteforce", CRITICAL, "guesser", "and the seventh is right")
    s.finding("broker-login-failed", LOW, "guesser", "the six, folded")
    s.produce("guesser", "new", f"{kind}_guess+" + "+".join(words), script="who.py")
    s.finding("broker-login-bruteforce", LOW, "forgetful", "one wrong password over and over: misconfigured")
    s.finding("broker-login-failed", LOW, "forgetful", "the same, folded")
    s.produce("forgetful", "new", f"{kind}_stubborn+Autumn-2023", script="who.py")
    s.finding("broker-access-refused", MEDIUM, "trespasser", "a user that may not")
    s.produce("trespasser", "new", f"{kind}_refused", script="who.py")
    s.produce("web1", "new", "plain:1")
    s.stop(worker)
    s.finish()
    (ex.amqp_tasks if kind == "amqp" else ex.redis_tasks)(s, users=2)


for _kind, _server in (("amqp", "RabbitMQ"), ("redis", "Redis")):
    for _stack, _words in (("debian", "Debian's Celery"), ("new", "the newest Celery of PyPI")):
        scenario(f"attack-who-{_kind}-{_stack}", f"{_server}: tasks under another's name, in masses, by hand, again; workers that hide, that take "
                 f"another's name, that swallow; {_words}.")(lambda s, k=_kind, st=_stack: who(s, k, st))
        scenario(f"attack-swallow-{_kind}-{_stack}", f"{_server}: a consumer that takes tasks for hours and gives none back; {_words}.")(
            lambda s, k=_kind, st=_stack: swallow(s, k, st))
        scenario(f"attack-commands-{_kind}-{_stack}", f"{_server}: every command of Celery's remote control from strangers, elections and forged "
                 f"hellos included; {_words}.")(lambda s, k=_kind, st=_stack: commands(s, k, st))
    scenario(f"attack-logins-{_kind}", f"{_server}: passwords guessed until one is right, one that is wrong over and over, and a user who may "
             "not.")(lambda s, k=_kind: logins(s, k))
