#!/usr/bin/python3
"""tests/reload.py SENSOR CAPTURE - SIGHUP reads the baseline anew: what comes later is judged by it, and a file that is broken changes
nothing and is complained of with line and column. With 0 and 2 workers. CAPTURE: tasks over some minutes; a pcap that zstd unpacks."""
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

ANYBODY = 'version: 1\nproducers: [ { origin: "*" } ]\n'
BROKEN = "version: 1\nproducers: [ { origin: web1, colour: red } ]\n"
NOBODY = "version: 1\nproducers: []\n"


def wait_for(pipe, text, seconds=20):
    seen, end = b"", time.monotonic() + seconds
    while time.monotonic() < end and text not in seen:
        if select.select([pipe], [], [], 0.1)[0]:
            piece = os.read(pipe.fileno(), 65536)
            if not piece:
                break
            seen += piece
    return seen


def put(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def replay(sensor, parts, workers, path):
    """How many findings there were of each third, and the faults."""
    faults = []
    put(path, ANYBODY)
    with tempfile.NamedTemporaryFile() as out:
        p = subprocess.Popen([sensor, "-b", path, "-j", str(workers), "-r", "-", "--no-fold", "-o", "file:" + out.name],
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        counts = []
        for part, text, expected in zip(parts, (None, BROKEN, NOBODY), (b"judging by producers (1)", b":2:30: unknown key 'colour'", b"judging by producers (0)")):
            if text:
                put(path, text)
                p.send_signal(signal.SIGHUP)
                time.sleep(0.3)
            p.stdin.write(part)
            p.stdin.flush()
            seen = wait_for(p.stderr, expected)
            if expected not in seen:
                faults.append(f"-j {workers}: {expected} was not said, but {seen}")
            time.sleep(0.5)
            with open(out.name, encoding="utf-8") as f:
                counts.append(sum(json.loads(line)["rule"]["id"] == "task-origin-unknown" for line in f if line.endswith("\n")))
        p.stdin.close()
        p.stderr.read()
        if p.wait(20) != 0:
            faults.append(f"exit {p.returncode}")
        with open(out.name, encoding="utf-8") as f:
            counts[2] = sum(json.loads(line)["rule"]["id"] == "task-origin-unknown" for line in f)
    if counts[:2] != [0, 0] or counts[2] < 5:
        faults.append(f"-j {workers}: findings after each third: {counts}")
    return faults


def main():
    sensor, capture = sys.argv[1:]
    data = subprocess.run(["zstd", "-dcq", capture], capture_output=True, check=True).stdout
    third = len(data) // 3
    parts = [data[:third], data[third:2 * third], data[2 * third:]]
    with tempfile.TemporaryDirectory() as scratch:
        faults = [f for n in (0, 2) for f in replay(sensor, parts, n, os.path.join(scratch, "b.yaml"))]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


sys.exit(main())
