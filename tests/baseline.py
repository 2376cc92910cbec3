#!/usr/bin/env python3
"""The lab's captures judged by a baseline that was written by hand (tests/baseline/shop.yaml): what the rules that ask
it say, by capture, against tests/baseline/expected.txt; the same with 0 and 2 workers. Benign captures say nothing.

baseline.py PROGRAM [--write]
"""
import collections
import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = ("task-origin-", "task-name-unknown", "worker-unknown", "worker-silent", "pickle-unknown-import", "control-", "amqp-tap",
         "amqp-destructive", "redis-destructive", "redis-admin", "redis-recon")


def judged(program, capture, workers):
    """'rule/severity@source xN' of each finding after folding, in order of the text."""
    command = [program, "-q", "-b", os.path.join(HERE, "baseline", "shop.yaml"), "-j", str(workers), "-r", capture]
    out = subprocess.run(command, capture_output=True, check=False)
    if out.returncode not in (0, 65):
        sys.exit(f"{capture}: exit {out.returncode}: {out.stderr.decode()}")
    said = collections.Counter()
    for line in out.stdout.splitlines():
        r = json.loads(line)
        if r["rule"]["id"].startswith(RULES) and not r["celeriac"].get("fold", {}).get("final"):
            said[f'{r["rule"]["id"]}/{r["event"]["severity"]}@{r["source"]["ip"]}'] += 1
    return " ".join(f"{what} x{n}" for what, n in sorted(said.items()))


def main():
    program, write = sys.argv[1], "--write" in sys.argv
    path = os.path.join(HERE, "baseline", "expected.txt")
    captures = sorted(glob.glob(os.path.join(HERE, "..", "pcaps", "*.pcap*")))
    made = {}
    for capture in captures:
        name = os.path.basename(capture).split(".")[0]
        if not name.startswith("bench-"):
            made[name] = [judged(program, capture, n) for n in (0, 2)]
    if write:
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(f"{name}: {said[0]}".strip() + "\n" for name, said in sorted(made.items()))
    with open(path, encoding="utf-8") as f:
        expected = dict(line.rstrip("\n").partition(":")[::2] for line in f)
    failed = 0
    for name, said in sorted(made.items()):
        wanted = expected.get(name, "").strip()
        if said != [wanted, wanted] or (name.startswith("benign-") and said[0]):
            failed += 1
            print(f"{name}:\n  expected {wanted}\n  with -j 0 {said[0]}\n  with -j 2 {said[1]}")
    print(f"{len(made) - failed} passed, {failed} failed")
    return 1 if failed or not made else 0


sys.exit(main())
