#!/usr/bin/python3
"""live.py SENSOR - the sensor on one end of a veth pair while Celery works across it, into a real Kafka.

RabbitMQ and Redis run on one host, workers and producers on others; the sensor listens on the brokers' interface and sends
alerts, tasks and statistics to Kafka, which lives on a host of its own. Afterwards kcat reads the topics back, and the task
ids are compared with what producers and workers logged themselves. Exit 77 with a reason where this machine cannot do it.
"""

import collections
import json
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from labkit import hosts, kafka, services, stacks  # noqa: E402
from labkit.scene import Scene, read_truth  # noqa: E402

PREFIX = "lab."


def skip(why):
    print("SKIP:", why)
    sys.exit(77)


def check(condition, text):
    print(("ok: " if condition else "FAILED: ") + text, flush=True)
    return bool(condition)


class SensorLog:
    """The sensor's own words, for a failed run."""

    def __init__(self, scene):
        self.path = scene.net.log_path("sensor")

    def text(self):
        with open(self.path, encoding="utf-8", errors="replace") as f:
            return f.read()[-3000:]


def start_sensor(s, program, node):
    url = f"kafka:{node.address}/{PREFIX}?linger.ms=50"
    argv = [program, "-i", "eth0", "-o", url, "--emit", "alerts,tasks,results,workers,control,stats", "--stats=2", "tcp and not port 9092"]
    process = s.host("mq").start(argv, log="sensor")
    time.sleep(2)
    if process.poll() is not None:
        print(SensorLog(s).text())
        raise SystemExit(f"FAILED: the sensor ended at once, exit {process.returncode}")
    return process


def work(s, stack):
    """Celery on both brokers, with the truth in its file."""
    for point in (s.on_amqp, s.on_redis):
        point()
        w = s.worker("app1" if point == s.on_amqp else "app2", stack, options=("-E",))
        s.produce("web1" if point == s.on_amqp else "web2", stack, "plain:6", "table", "fire:5", "steady:10:0.02")
        s.stop(w)


def counts(records):
    found = collections.Counter()
    for r in records:
        if r.get("celeriac", {}).get("app") in ("celery", None):
            action = {"redelivered": "delivered"}.get(r["event"]["action"], r["event"]["action"])
            found[(action, r["celery"]["task"]["id"])] += 1
    return found


def compare(s, node):
    reader = s.host("ops1")
    topic = lambda dataset: node.read(reader, PREFIX + "celeriac." + dataset)
    tasks, alerts, stats = topic("task"), topic("alert"), topic("stats")
    parsed = [json.loads(v) for _, v in tasks]
    known = collections.Counter((t["what"], t["id"]) for t in map(json.loads, read_truth(s.truth)) if t["what"] in ("published", "delivered"))
    found = counts(parsed)
    good = check(known, f"the lab published and delivered {sum(known.values())} task messages")
    good &= check(found == known, f"{sum(found.values())} of them in Kafka, by id: missing {list((known - found).items())[:3]}, "
                  f"besides {list((found - known).items())[:3]}")
    good &= check(all(k == r["network"]["community_id"] for (k, _), r in zip(tasks, parsed)), "the key is the Community ID")
    rules = collections.Counter(json.loads(v)["rule"]["id"] for _, v in alerts)
    for rule in ("cred-amqp-cleartext", "cred-redis-cleartext", "broker-cleartext", "task-unsigned"):
        good &= check(rules[rule] >= 1, f"{rule} in Kafka ({rules[rule]})")
    for rule in ("task-origin-missing", "protocol-malformed", "pickle-serializer", "broker-no-auth", "broker-login-failed"):
        good &= check(rules[rule] == 0, f"no {rule} ({rules[rule]})")
    good &= check(len(stats) >= 2, f"statistics arrive while it runs ({len(stats)})")
    everything = "".join(v for _, v in tasks + alerts + stats)
    good &= check(not any(secret in everything for secret in (services.SHOP_PASSWORD, services.REDIS_PASSWORD)), "no password in any record")
    return good


def main(program):
    program = os.path.abspath(program)
    why = hosts.unusable()
    if why:
        skip(why)
    if not os.path.exists(program):
        skip(f"{program} is not built")
    if kafka.usable():
        skip(kafka.usable())
    for tool in ("/usr/bin/kcat", "/usr/bin/redis-server", services.Rabbit.BIN + "/rabbitmq-server"):
        if not os.path.exists(tool):
            skip(f"{tool} is not installed")
    stack = next((n for n in ("new", "debian") if stacks.Stack(n).usable()), None) or skip("no Celery here")
    with Scene("live", "") as s:
        node = kafka.Kafka(s.host("kafka"))
        s.rabbit()
        s.redis_server = services.Redis(s.host("mq"))
        sensor = start_sensor(s, program, node)
        work(s, stack)
        time.sleep(3)
        s.net.stop(sensor, seconds=30)
        good = check(sensor.returncode == 0, f"SIGTERM drains and ends with exit 0 ({sensor.returncode})")
        good &= compare(s, node)
        if not good:
            print("the sensor said:\n" + SensorLog(s).text())
    print("1 passed, 0 failed" if good else "0 passed, 1 failed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else 64)
