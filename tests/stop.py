#!/usr/bin/python3
"""tests/stop.py SENSOR CAPTURE - a replay from a pipe that falls silent ends at SIGINT and SIGTERM: soon, with 0, with what was read told;
SIGUSR1 is answered meanwhile. CAPTURE is a plain pcap, or one that zstd unpacks."""
import json
import os
import select
import signal
import subprocess
import sys
import time


def wait_for(pipe, text, seconds=10):
    seen, end = b"", time.monotonic() + seconds
    while time.monotonic() < end and text not in seen:
        if select.select([pipe], [], [], 0.1)[0]:
            piece = os.read(pipe.fileno(), 65536)
            if not piece:
                break
            seen += piece
    return seen


def replay(sensor, data, number):
    """Exit code, seconds from the signal to the end, records, what was said before the signal."""
    p = subprocess.Popen([sensor, "-r", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdin.write(data)
    p.stdin.flush()
    said = wait_for(p.stderr, b"no baseline") if data else b""
    time.sleep(0.5)
    if data:
        p.send_signal(signal.SIGUSR1)
        said += wait_for(p.stderr, b"capture.packets")
    begin = time.monotonic()
    p.send_signal(number)
    try:
        code = p.wait(5)
    except subprocess.TimeoutExpired:
        p.kill()
        code = None
    return code, time.monotonic() - begin, p.stdout.read().splitlines(), said


def main():
    sensor, path = sys.argv[1:]
    data = open(path, "rb").read()
    if path.endswith(".zst"):
        data = subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout
    faults = []
    for number in (signal.SIGINT, signal.SIGTERM):
        for given in (data[:len(data) // 2], b""):
            code, seconds, records, said = replay(sensor, given, number)
            what = f"{number.name} after {len(given)} bytes"
            if code != 0:
                faults.append(f"{what}: exit {code}")
            if seconds > 3:
                faults.append(f"{what}: took {seconds:.1f} s")
            if given and not records:
                faults.append(f"{what}: nothing was told")
            if given and b"capture.packets" not in said:
                faults.append(f"{what}: SIGUSR1 was not answered")
            for line in records:
                json.loads(line)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
