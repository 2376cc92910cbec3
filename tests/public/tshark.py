#!/usr/bin/python3
"""tshark.py SENSOR own|public - AMQP methods and Redis commands of whole captures, counted by tshark and by the sensor.

What tshark 4.0 does not count is in UNREAD and DIFFERENT, with the reason; any other difference is an error, and so is one that went away.
"""
import collections
import glob
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/lab"))
from labkit.reference import CLASSES, METHODS  # noqa: E402

FIELDS = ["amqp.method.class", "amqp.method.method", "tcp.dstport", "resp.array.length", "resp.bulk_string.length", "resp.bulk_string.value",
          "resp.reassembled_in_next_frame"]
TOOLS = {".xz": ["xz", "-dc"], ".zst": ["zstd", "-dcq"], ".gz": ["gzip", "-dc"], ".lz4": ["lz4", "-dcq"]}
PORTS = {"6379", "6380"}

# Captures that tshark cannot follow, and why.
UNREAD = {
    r"transport-(lossy|snap|to-)": "lost bytes: tshark waits for them for ever, both ways",
    r"transport-slivers": "segments of a few bytes: requests are counted again with each, AMQP not at all",
    r"midstream": "begins in the middle of a frame: tshark waits for its end for ever",
}
# (capture, name) -> (sensor's count less tshark's, why)
INLINE = "inline commands: text to tshark"
DIFFERENT = {
    **{("resp_1_benchmark", "PING"): (1, INLINE), ("resp_3_malicious", "PING"): (9, INLINE)},
    **{("resp_2_inline", c): (n, INLINE) for c, n in {"DEL": 1, "GET": 2, "INCR": 1, "LPUSH": 5, "LRANGE": 1, "SET": 2}.items()},
    **{("attack-crafted-redis", c): (1, INLINE) for c in ("AUTH", "LLEN", "LPUSH")},
    # An HTTP request, which Redis takes for inline commands; the last name is a word that is no command's, told by its length alone.
    **{("attack-takeover-redis", c): (1, INLINE) for c in ("POST", "HOST:", "<15 bytes>")},
    # The same, of words that are no command.
    **{("resp_3_malicious", f"<{n} bytes>"): (times, INLINE) for n, times in {1: 3, 2: 2, 3: 1, 4: 1, 86: 1}.items()},
}


def plain(path, scratch):
    tool = next((argv for ext, argv in TOOLS.items() if path.endswith(ext)), None)
    if not tool:
        return path
    out = os.path.join(scratch, "plain.pcap")
    with open(out, "wb") as f:
        subprocess.run([*tool, path], check=True, stdout=f)
    return out


def commands_of(arrays, lengths, values, partial):
    """First words of the flat arrays of bulk strings of one frame. The last ones may be parts, which come again whole."""
    arrays = arrays[:len(arrays) - partial]
    values = iter(values)
    texts = iter([next(values, "") if n > 0 else "" for n in lengths])
    for n in arrays:
        words = list(itertools.islice(texts, max(n, 0)))
        if words:
            yield bytes.fromhex(re.sub("[^0-9a-f]", "", words[0])).decode("ascii", "replace").upper()


def by_tshark(path):
    argv = ["tshark", "-n", "-r", path, "-Y", "amqp or resp", "-d", "tcp.port==6380,resp", "-o", "tcp.reassemble_out_of_order:TRUE",
            "-T", "fields"]
    for f in FIELDS:
        argv += ["-e", f]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    found = collections.Counter()
    for line in done.stdout.splitlines():
        of, method, port, arrays, lengths, values, partial = (line.split("\t") + [""] * 7)[:7]
        for c, m in zip(of.split(","), method.split(",")):
            if c:
                found[f"{CLASSES.get(int(c), c)}.{METHODS.get(int(c), {}).get(int(m), m)}"] += 1
        if port.split(",")[-1] in PORTS and arrays:
            found.update(commands_of([int(a) for a in arrays.split(",")], [int(n) for n in lengths.split(",") if n], values.split(","),
                                     len(partial.split(",")) if partial else 0))
    return found


def by_sensor(sensor, path):
    done = subprocess.run([sensor, "-q", "-r", path, "--emit", "commands"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{os.path.basename(path)}: exit {done.returncode}: {done.stderr[-300:]}")
    found = collections.Counter()
    for r in map(json.loads, done.stdout.splitlines()):
        name = r["redis"]["command"] if "redis" in r else r["amqp"]["method"]
        found[name if name.startswith("<") else name.split()[0]] += 1
    return found


def judge(sensor, name, path):
    mine, theirs, wrong = by_sensor(sensor, path), by_tshark(path), []
    for what in sorted(mine.keys() | theirs.keys() | {what for capture, what in DIFFERENT if capture == name}):
        less = mine[what] - theirs[what]
        known = DIFFERENT.get((name, what), (0, ""))[0]
        if less != known:
            wrong.append(f"{name}: {what}: {mine[what]}, tshark {theirs[what]}" + (f", expected {known} more" if known else ""))
    return sum(mine.values()), wrong


def main():
    sensor, which = sys.argv[1], sys.argv[2]
    where = TOP + ("/pcaps/*.pcap*" if which == "own" else "/../shared/pcaps/*/*.pcap*")
    paths = [p for p in sorted(glob.glob(where)) if not p.endswith(".md") and "/bench-" not in p]
    if not shutil.which("tshark") or not paths:
        print("SKIP: no tshark, or no captures")
        return 77
    total, failed = 0, []
    with tempfile.TemporaryDirectory() as scratch:
        for path in paths:
            name = re.sub(r"\.(pcapng|pcap)(\.\w+)?$", "", os.path.basename(path))
            if any(re.match(p, name) for p in UNREAD):
                continue
            n, wrong = judge(sensor, name, plain(path, scratch))
            total, failed = total + n, failed + wrong
    print(*failed, f"{total} methods and commands, {len(failed)} differences", sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
