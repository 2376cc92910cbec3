#!/usr/bin/env python3
"""The lab's captures judged by baselines that were written by hand (tests/baseline/*.yaml): what the rules that ask
them say of each capture that the .txt beside them names; the same with 0 and 2 workers. Benign captures say nothing.

baseline.py PROGRAM [--write]
"""
import collections
import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = ("task-origin-", "task-name-unknown", "task-hidden-name", "worker-unknown", "worker-silent", "pickle-unknown-import", "control-", "amqp-tap",
         "amqp-destructive", "redis-destructive", "redis-admin", "redis-recon")


def judged(program, baseline, capture, workers):
    """'rule/severity@source xN' of each finding after folding, in order of the text."""
    command = [program, "-q", "-b", baseline, "-j", str(workers), "-r", capture]
    out = subprocess.run(command, capture_output=True, check=False)
    if out.returncode not in (0, 65):
        sys.exit(f"{capture}: exit {out.returncode}: {out.stderr.decode()}")
    said = collections.Counter()
    for line in out.stdout.splitlines():
        r = json.loads(line)
        if r["rule"]["id"].startswith(RULES) and not r["celeriac"].get("fold", {}).get("final"):
            said[f'{r["rule"]["id"]}/{r["event"]["severity"]}@{r["source"]["ip"]}'] += 1
    return " ".join(f"{what} x{n}" for what, n in sorted(said.items()))


def check(program, baseline, write):
    """Of the captures that the list beside the baseline names: how many, and how many say something else."""
    listed = baseline.replace(".yaml", ".txt")
    with open(listed, encoding="utf-8") as f:
        expected = {name: said.strip() for name, _, said in (line.partition(":") for line in f)}
    failed = 0
    for name, wanted in expected.items():
        capture = glob.glob(os.path.join(HERE, "..", "pcaps", name + ".pcap*"))[0]
        said = [judged(program, baseline, capture, n) for n in (0, 2)]
        if write:
            expected[name] = wanted = said[0]
        if said != [wanted, wanted] or (name.startswith("benign-") and said[0]):
            failed += 1
            print(f"{name}:\n  expected {wanted}\n  with -j 0 {said[0]}\n  with -j 2 {said[1]}")
    if write:
        with open(listed, "w", encoding="utf-8") as f:
            f.writelines(f"{name}: {said}".strip() + "\n" for name, said in sorted(expected.items()))
    return len(expected), failed


def main():
    program, write = sys.argv[1], "--write" in sys.argv
    done = [check(program, b, write) for b in sorted(glob.glob(os.path.join(HERE, "baseline", "*.yaml")))]
    passed, failed = sum(n - bad for n, bad in done), sum(bad for _, bad in done)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
