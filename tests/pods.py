#!/usr/bin/python3
"""tests/pods.py SENSOR - 500 pods of two weeks: what --learn makes of the first is a page that a person can review, the second week's names and
addresses are all covered by it, and strangers in the same networks are not. The weeks are made of the lab's recorded day, again and
again with pods, addresses, ids and processes of their own."""
import importlib.machinery
import importlib.util
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
loader = importlib.machinery.SourceFileLoader("bench_capture", TOP + "/scripts/bench-capture")
bench = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_capture", loader))
loader.exec_module(bench)

DAY = "day-amqp-new-a"
LETTERS = b"bcdfghjklmnpqrstvwxz2456789"
RECEIPT = re.compile(rb"receipt-\d{4}\b")  # ids that a caller chose
POD = re.compile(rb"(web|worker)-[0-9a-z]{8,10}-[0-9a-z]{5}\b")
DAYS, STEP = 28, 21600_000000  # lives of the whole deployment in a week, one each six hours
UNKNOWN = {"task-origin-unknown", "task-origin-spoofed", "task-origin-missing", "task-name-unknown", "task-hidden-name", "worker-unknown", "worker-impersonation",
           "task-handcrafted", "task-replayed", "amqp-tap", "control-dangerous", "control-recon", "pickle-unknown-import"}


def another_pod(name, dice):
    kind, replica, tail = name.split(b"-")
    draw = lambda n: bytes(dice.choice(LETTERS) for _ in range(n))
    return b"-".join((kind, draw(len(replica)), draw(len(tail))))


class Shop(bench.Deployment):
    """One life of the deployment: no pod has a name or an address from before."""

    def __init__(self, template, number, start):
        super().__init__(template, number, start)
        dice = random.Random(f"pods {number}")
        found = sorted({m.group() for stream in self.streams for m in POD.finditer(stream)})
        self.pods = {name: another_pod(name, dice) for name in found}
        self.streams = [POD.sub(lambda m: self.pods[m.group()], stream) for stream in self.streams]
        receipts = sorted({m.group() for stream in self.streams for m in RECEIPT.finditer(stream)})
        renamed = {old: b"receipt-%04d" % (number * 40 + i) for i, old in enumerate(receipts)}
        self.streams = [RECEIPT.sub(lambda m: renamed[m.group()], stream) for stream in self.streams]
        # 10.77.2.0/24 has the web pods, .3 the workers; all others are machines that stay.
        hosts = {bytes(head[at:at + 4]) for _, head, _, _, _ in template.packets for at in (26, 30)}
        self.moved = {}
        for block in (2, 3):
            old = sorted(h for h in hosts if h[:3] == bytes((10, 77, block)))
            new = dice.sample(range(1, 255), len(old))
            self.moved.update({h: bytes((10, 77, block, n)) for h, n in zip(old, new)})

    def frame(self):
        _, head, stream, at, n = self.template.packets[self.next]
        self.next += 1
        payload = self.streams[stream][at:at + n]
        frame = bytearray(head)
        for where in (26, 30):
            host = bytes(frame[where:where + 4])
            frame[where:where + 4] = self.moved.get(host, host)
        frame[24:26] = frame[50:52] = b"\0\0"
        struct.pack_into("=H", frame, 24, bench.fold(bench.ones_sum(frame[14:34])))
        pseudo = bench.ones_sum(frame[26:34]) + bench.native16(6) + bench.native16(len(head) - 34 + n)
        struct.pack_into("=H", frame, 50, bench.fold(pseudo + bench.ones_sum(frame[34:]) + bench.ones_sum(payload)))
        return bytes(frame) + payload


def week(template, path, first, lives, stranger=None):
    out, names = bench.Out(path), set()
    for i in range(lives):
        shop = Shop(template, first + i, (first + i) * STEP)
        if stranger:
            old = sorted(n for n in shop.pods if n.startswith(b"web"))[0]
            shop.streams = [s.replace(shop.pods[old], stranger[:len(old)].ljust(len(old), b"x")) for s in shop.streams]
        names |= set(shop.pods.values())
        while not shop.over():
            out.write(shop.time(), shop.frame())
    out.close()
    return names


def run(sensor, *argv):
    done = subprocess.run([sensor, "-q", *argv], capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{argv}: exit {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
    return done.stdout


def alerts(out, only=UNKNOWN):
    import json
    return [(r["rule"]["id"], r["source"]["ip"]) for r in map(json.loads, out.splitlines()) if r["event"]["kind"] == "alert" and r["rule"]["id"] in only]


def main():
    sensor, wrong = sys.argv[1], []

    def check(name, good):
        if not good:
            wrong.append(name)

    if not any(f.startswith(DAY + ".pcap") for f in os.listdir(TOP + "/pcaps")):
        print("SKIP: no capture")
        return 77
    template = bench.Template(DAY)
    with tempfile.TemporaryDirectory() as d:
        names = week(template, d + "/1.pcap", 0, DAYS)
        check(f"{len(names)} pods", len(names) >= 500)
        check("other names", not names & week(template, d + "/2.pcap", DAYS, DAYS))
        week(template, d + "/odd.pcap", 2 * DAYS, 1, b"evil-9zlhj48kp5-wwbq8")
        run(sensor, "-r", d + "/1.pcap", "-o", "file:/dev/null", "--learn", d + "/b.yaml")
        with open(d + "/b.yaml", encoding="utf-8") as f:
            text = f.read()
        check(f"{text.count(chr(10))} lines:\n{text}", text.count("\n") <= 50)
        for pod in ("web-*", "celery@worker-*"):
            check(f"{pod}:\n{text}", f'"{pod}"' in text)
        found = alerts(run(sensor, "-r", d + "/2.pcap", "-b", d + "/b.yaml", "--no-fold"))
        check(f"next week: {sorted(set(found))[:10]}", not found)
        run(sensor, "-r", d + "/2.pcap", "-b", d + "/b.yaml", "-o", "file:/dev/null", "--learn", d + "/new.yaml")
        with open(d + "/new.yaml", encoding="utf-8") as f:
            more = f.read()
        check(f"next week is new:\n{more}", more == "version: 1\n")
        run(sensor, "-r", d + "/2.pcap", "-o", "file:/dev/null", "-j", "2", "--learn", d + "/b.yaml")
        with open(d + "/b.yaml", encoding="utf-8") as f:
            check("next week changes the file", f.read() == text)
        found = alerts(run(sensor, "-r", d + "/odd.pcap", "-b", d + "/b.yaml"))
        check(f"a stranger: {found}", "task-origin-unknown" in {rule for rule, _ in found})
        inventory = [run(sensor, "-r", d + "/1.pcap", "--emit", "inventory", "-j", j) for j in "012"]
        check("inventory differs by workers", inventory[0] == inventory[1] == inventory[2])
        check(f"{inventory[0].count(b'celery@worker-')} workers", inventory[0].count(b'"hostname":"celery@worker-') >= 300)
    print(*wrong, f"{len(names)} pods, {len(wrong)} wrong", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
