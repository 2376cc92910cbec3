#!/usr/bin/python3
"""tests/secrets.py SENSOR - no secret that crossed the network in the lab's captures is in any output: all kinds of records, statistics
and the log, with and without a key for hashes. Also that every record has what the contract demands of its kind."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Passwords that the lab gives to its brokers, and that its strangers try (tests/lab).
SECRETS = [b"k7Qz-harbor-41-Lantern", b"Vellum.93.tundra-Fig", b"tide-Marble-92-Kestrel", b"foobared", b"not-Harbor-41", b"not-Harbor-42",
           b"not-Harbor-43", b"Quartz-88-lemming-Dune", b"not-the-password",
           *[season + b"-20" + year for season in (b"Spring", b"Summer", b"Autumn", b"Winter") for year in (b"23", b"24", b"25", b"26")]]
EVERY = ["event.kind", "event.category", "event.type", "event.id", "event.dataset", "ecs.version", "observer.name", "observer.version"]
ALERT = EVERY + ["event.severity", "event.risk_score", "event.reason", "rule.id", "rule.name", "rule.category", "source.ip", "destination.ip",
                 "network.transport", "network.protocol", "network.community_id", "celeriac.packet", "celeriac.coverage"]


def has(record, path):
    for part in path.split("."):
        if not isinstance(record, dict) or part not in record:
            return False
        record = record[part]
    return True


def check(sensor, capture, options):
    done = subprocess.run([sensor, "-v", "-r", capture, "--no-fold", "--emit", "alerts,tasks,results,workers,control,commands,inventory,stats", *options],
                          capture_output=True, check=False)
    wrong = []
    if done.returncode not in (0, 65):
        wrong.append(f"exit {done.returncode}: {done.stderr[-200:]!r}")
    for secret in SECRETS:
        # The head of a secret that is longer than two characters gives it away as well.
        for text in (secret, secret[:4] + b"*"):
            if text in done.stdout or text in done.stderr:
                wrong.append(f"shows {secret[:2]!r}..., {len(secret)} bytes")
    ids = set()
    for line in done.stdout.splitlines():
        r = json.loads(line)
        if "@timestamp" not in r or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", r["@timestamp"]):
            wrong.append(f"no @timestamp: {line[:100]!r}")
        wrong += [f"no {p}: {line[:100]!r}" for p in (ALERT if r["event"]["kind"] == "alert" else EVERY) if not has(r, p)]
        if r["event"]["id"] in ids:
            wrong.append(f"event.id twice: {line[:200]!r}")
        ids.add(r["event"]["id"])
    return wrong


def main():
    sensor, failed, n = sys.argv[1], 0, 0
    captures = [f for f in sorted(glob.glob(TOP + "/pcaps/*.pcap*")) if not f.endswith(".md")]
    with tempfile.TemporaryDirectory() as scratch:
        with open(scratch + "/key", "w", encoding="ascii") as f:
            f.write("0123456789abcdef0123456789abcdef\n")
        with open(scratch + "/key.yaml", "w", encoding="ascii") as f:
            f.write(f"redaction: {{ hash_key_file: {scratch}/key }}\n")
        for capture in captures:
            for options in ([], ["-c", scratch + "/key.yaml"]):
                wrong = check(sensor, capture, options)
                n += 1
                failed += bool(wrong)
                for line in wrong[:5]:
                    print(f"{os.path.basename(capture)}: {line}")
    print(f"{n - failed} passed, {failed} failed")
    return 1 if failed or not n else 0


if __name__ == "__main__":
    sys.exit(main())
