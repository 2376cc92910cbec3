#!/usr/bin/python3
"""contract.py SENSOR - records of hostile traffic keep the contract: UTF-8, one order of keys, types, numbers, ids that are unique and stay
the same whatever the number of workers, the cut, the files."""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import kit  # noqa: E402
from kit import Capture, content, long_, method, pcap, publish, resp, sense, short, table  # noqa: E402

ODD = [b"\xff\xfe\x00\x80", "\u202eevil\u0000\ud7ff".encode("utf-8", "surrogatepass"), b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"a\"b\\c\r\n\t\x7f\x1b[31m",
       b"\xe2\x82", "\U0001f600".encode(), b"</script>", b"x" * 255, b"\xf0\x9f" + b"y" * 200, b""]
TASK = {"lang": "py", "task": "shop.add", "id": "75d916e5-cec7-48f1-8809-449c41196fca", "origin": "gen1@h", "root_id": "75d916e5-cec7-48f1-8809-449c41196fca"}


def headers(**more):
    return table(**{**TASK, **more})


def hostile():
    c = Capture()
    for odd in ODD:
        c.talk(6379, [(">", resp("SET", odd, "1") + resp("LPUSH", odd, b'{"body": "' + odd.replace(b'"', b"") + b'", "headers": {"task": "t", "id": "1"}}')
                             + resp("PUBLISH", odd, odd) + resp("CLIENT", odd, odd) + resp(odd or b"x", odd) + resp("SELECT", odd) + resp("AUTH", odd, odd)),
                       ("<", b"+OK\r\n:1\r\n:0\r\n-" + odd.replace(b"\r\n", b"") + b"\r\n-ERR\r\n+OK\r\n+OK\r\n")])
        s = odd[:255]
        c.talk(5672, kit.login(response=b"\0" + odd.replace(b"\0", b"") + b"\0" + odd, properties=table(product=odd, version=odd, platform=odd)) + [
            (">", method(1, 50, 10, b"\0\0" + short(s) + b"\0" + table()) + publish(1, s, s, b"[[], {}, {}]", headers=headers(task=odd, id=odd, origin=odd, argsrepr=odd), content_type=s)
             + publish(1, "", "celery", b"\x80\x04" + odd + b".", headers=headers(id=odd), content_type="application/x-python-serialize")),
            ("<", method(0, 10, 50, b"\xff\xff" + short(s) + b"\xff\xff\xff\xff"))])
    for number in (b"9" * 400, b"-1", b"1e999", b"NaN", b"Infinity", b"0x10", b"18446744073709551616", b"1.5", b"true", b"[[[[]]]]", b'{"a":1,"a":2}'):
        task = b'{"task": "t", "id": ' + number + b', "retries": ' + number + b', "eta": ' + number + b', "task": "u", "origin": "gen1@h", "lang": "py", "priority": ' + number + b'}'
        c.talk(6379, [(">", resp("LPUSH", "celery", b'{"body": "W10=", "headers": ' + task + b', "properties": {"priority": ' + number + b', "delivery_tag": ' + number
                                 + b', "delivery_info": {"exchange": ' + number + b', "routing_key": "celery"}}, "content-type": "application/json"}')
                             + resp("SET", b"celery-task-meta-" + number[:40], b'{"status": ' + number + b', "result": {"exc_type": ' + number + b', "exc_module": ' + number + b'}}')
                             + resp("PUBLISH", "/0.celeryev/worker.heartbeat", b'{"body": "e30=", "headers": {}, "x": ' + number + b'}')),
                       ("<", b":1\r\n+OK\r\n:1\r\n")])
    for kind in b"tbBUuIiLldfDsSATFVxZ\0":
        raw = {ord("S"): long_("x"), ord("x"): long_("x"), ord("s"): b"\x01x\0", ord("A"): long_(b""), ord("F"): long_(b"")}.get(kind, b"\xff" * 8)
        c.talk(5672, kit.login() + [(">", publish(1, "", "celery", b"[[],{},{}]", headers=headers(retries=(bytes([kind]), raw))) * 2)])
    return c


def order(record, path=(), seen=None):
    """Pairs of keys of one object, in their order."""
    for keys in [list(record)]:
        for a, b in zip(keys, keys[1:]):
            seen.add((path, a, b))
    for k, v in record.items():
        if isinstance(v, dict):
            order(v, path + (k,), seen)


def cyclic(pairs):
    """Objects whose keys do not always stand in the same order."""
    after = {}
    for path, a, b in pairs:
        after.setdefault((path, a), set()).add((path, b))
    for start in after:
        todo, done = list(after[start]), set()
        while todo:
            k = todo.pop()
            if k == start:
                return start
            if k not in done:
                done.add(k)
                todo += after.get(k, ())
    return None


TYPES = {"@timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "event.id": r"[0-9a-f]{32}", "event.kind": "alert|event|state|metric",
         "network.community_id": r"1:[A-Za-z0-9+/]{27}=", "event.outcome": "success|failure|unknown"}
INTS = ["source.port", "destination.port", "celeriac.packet", "event.severity", "event.risk_score", "amqp.channel", "amqp.reply_code", "redis.database",
        "celery.task.retries", "celery.task.priority", "celery.task.body_bytes", "celery.task.protocol"]
COVER = {"complete", "clipped", "gap", "midstream", "one-way"}


def at(record, path):
    for part in path.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record


def check(out):
    wrong, ids, pairs = [], set(), set()
    for line in out.splitlines():
        line.decode("utf-8")
        r = json.loads(line, parse_constant=lambda c: wrong.append(f"{c} is no JSON"), object_pairs_hook=lambda p: wrong.append(f"a key twice: {p}") if len({k for k, _ in p}) < len(p) else dict(p))
        if r is None:
            continue
        for path, form in TYPES.items():
            if at(r, path) is not None and not re.fullmatch(form, at(r, path)):
                wrong.append(f"{path}: {at(r, path)!r}")
        for path in INTS:
            if not isinstance(at(r, path), (int, type(None))) or isinstance(at(r, path), bool):
                wrong.append(f"{path}: {at(r, path)!r}")
        cover = at(r, "celeriac.coverage")
        if r["event"]["kind"] != "metric" and (not cover or not set(cover) <= COVER or ("complete" in cover and len(cover) > 1)):
            wrong.append(f"coverage: {cover}")
        if r["event"]["id"] in ids:
            wrong.append(f"id twice: {line[:300]!r}")
        ids.add(r["event"]["id"])
        order(r, (), pairs)
    bad = cyclic(pairs)
    if bad:
        wrong.append(f"no one order of keys: {bad}")
    return wrong, ids


def steady(sensor, capture, emit):
    """The same bytes with any number of workers; the same ids when the packets come in two files."""
    wrong, one = [], None
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/x.pcap", "wb") as f:
            f.write(capture.bytes())
        half = len(capture.packets) // 2
        for i, part in enumerate((capture.packets[:half], capture.packets[half:])):
            with open(f"{d}/{i}.pcap", "wb") as f:
                f.write(pcap(part))
        argv = [sensor, "-q", "--emit", emit, "--no-fold"]
        for j in ("0", "1", "2", "4", "8"):
            done = subprocess.run([*argv, "-j", j, "-r", d + "/x.pcap"], capture_output=True, check=False)
            one = done.stdout if one is None else one
            if done.stdout != one or done.returncode != 0:
                wrong.append(f"-j {j}: exit {done.returncode}, differs: {done.stdout != one}")
        for files in (["0.pcap", "1.pcap"], ["1.pcap", "0.pcap"]):
            argv2 = [*argv] + [a for f in files for a in ("-r", os.path.join(d, f))]
            done = subprocess.run(argv2, capture_output=True, check=False)
            if check(done.stdout)[1] != check(one)[1]:
                wrong.append(f"{files}: other ids: {len(check(done.stdout)[1] ^ check(one)[1])}")
    return wrong


def coverage(sensor):
    """One-way is said where nothing of the other side was seen, and not of a client that speaks first."""
    turns = [(">", resp("AUTH", "u", "Zq7-marmot-Quill")), ("<", b"+OK\r\n"), (">", resp("GET", "a")), ("<", b"$-1\r\n")]
    both, alone = Capture().talk(6379, turns), Capture().talk(6379, turns)
    alone.packets = [p for p in alone.packets if p[1][26:30] == bytes([10, 1, 0, 1])]
    wrong = []
    for c, want in ((both, [["complete"]]), (alone, [["one-way"]])):
        got = {tuple(r["celeriac"]["coverage"]) for r in sense(sensor, c).records}
        if got != {tuple(w) for w in want}:
            wrong.append(f"coverage {got}, not {want}")
    return wrong


def main():
    sensor = sys.argv[1]
    capture = hostile()
    s = sense(sensor, capture, emit=kit.ALL + ",stats")
    wrong, _ = check(s.out)
    if s.code != 0:
        wrong.append(f"exit {s.code}: {s.err[-500:]!r}")
    wrong += steady(sensor, capture, kit.ALL) + coverage(sensor)
    print(*wrong[:20], f"{len(s.records)} records, {len(wrong)} wrong", sep="\n")
    return 1 if wrong or len(s.records) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
