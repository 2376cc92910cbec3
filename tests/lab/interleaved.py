#!/usr/bin/python3
"""interleaved.py SENSOR [DEPLOYMENTS] - attacks on one deployment among a thousand others.

The flows of attack-who-* (one capture for each broker) are laid among those of as many other deployments as there are
networks 10.N.0.0/16 and times to begin. What is found in the one must be what is found in it alone, record by record, and
the whole output the same with 0, 1 and 2 workers.
"""

import heapq
import json
import os
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from labkit import rewrite, scene  # noqa: E402

CASES = (("attack-who-amqp-debian", "benign-amqp-quiet"), ("attack-who-redis-new", "noauth-redis"))
NETWORKS = [n for n in range(1, 255) if n != 77]
# Where in the file a packet stands is no property of a finding.
PLACE = ("packet", "capture")


def laid_among(attack, benign, deployments):
    """Packets of all in the order of time. Every deployment has a network of its own for as long as it lasts."""
    begin, end = attack[0], attack[-1]
    span = (end.sec - begin.sec) * 1000000
    shift = (begin.sec - benign[0].sec) * 1000000
    copies = [rewrite.elsewhere(benign, NETWORKS[i % len(NETWORKS)], shift + i * (span // deployments) + i * 7919 % 1000000)
              for i in range(deployments)]
    return heapq.merge(attack, *copies, key=lambda p: (p.sec, p.usec))


def write(path, packets):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, rewrite.DLT_EN10MB))
        for p in packets:
            f.write(struct.pack("<IIII", p.sec, p.usec, len(p.data), p.wire) + p.data)


def output(sensor, path, workers):
    done = subprocess.run([sensor, "-q", "-r", path, "-j", str(workers), "--no-fold"], capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"exit {done.returncode}: {done.stderr.decode()[-500:]}")
    return done.stdout


def about_the_one(text):
    """Alerts of the network 10.77.0.0/16, each by what it says."""
    found = []
    for record in map(json.loads, text.splitlines()):
        if record["source"]["ip"].startswith("10.77."):
            for key in PLACE:
                record["celeriac"].pop(key, None)
            found.append(json.dumps(record, sort_keys=True))
    return sorted(found)


def judge(sensor, scratch, attack, benign, deployments):
    alone, among = os.path.join(scratch, "alone.pcap"), os.path.join(scratch, "among.pcap")
    packets = rewrite.parse(scene.unpacked(attack))
    write(alone, packets)
    write(among, laid_among(packets, rewrite.parse(scene.unpacked(benign)), deployments))
    outputs = [output(sensor, among, workers) for workers in (0, 1, 2)]
    if outputs[1:] != outputs[:1] * 2:
        return ["differs with the number of workers"]
    wanted, found = about_the_one(output(sensor, alone, 0)), about_the_one(outputs[0])
    if not wanted:
        return ["finds nothing in the one deployment alone"]
    return [f"missing {w[:600]}" for w in wanted if w not in found][:3] + [f"besides {f[:600]}" for f in found if f not in wanted][:3]


def main(sensor, deployments="1000"):
    failed = False
    for attack, benign in CASES:
        with tempfile.TemporaryDirectory(prefix="celeriac-interleaved-") as scratch:
            wrong = judge(sensor, scratch, attack, benign, int(deployments))
        print(f"{attack} among {deployments} x {benign}:", *(wrong or ["the same"]), sep="\n  ")
        failed |= bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(__doc__)
        sys.exit(64)
    sys.exit(main(*sys.argv[1:]))
