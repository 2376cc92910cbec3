#!/usr/bin/python3
"""large.py SENSOR - pickles in bodies larger than the sensor keeps: by broker, compression and place of what is hostile."""
import base64
import bz2
import gzip
import json
import lzma
import os
import random
import shutil
import struct
import subprocess
import sys
import zlib

sys.dont_write_bytecode = True
import kit  # noqa: E402
from kit import Capture, publish, resp, sense, table  # noqa: E402

HEADERS = {"lang": "py", "task": "shop.add", "id": "75d916e5-cec7-48f1-8809-449c41196fca", "origin": "gen1@h"}
PICKLE = "application/x-python-serialize"
CALL = b"cposix\nsystem\nX\x02\x00\x00\x00id\x85R"  # never loaded, here or anywhere
NAMES = {"none": None, "zlib": "application/x-gzip", "bzip2": "application/x-bz2", "xz": "application/x-lzma", "zstd": "application/zstd",
         "gzip": "", "brotli": "application/x-brotli"}


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


def brotli(data):
    return subprocess.run(["brotli", "-c", "-q", "3"], input=data, capture_output=True, check=True).stdout


CODECS = {"none": bytes, "zlib": zlib.compress, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd, "brotli": brotli}
NOISE = random.Random(7)


def blob(n):
    """Padding that does not compress away: one bytes object."""
    return b"B" + struct.pack("<I", n) + NOISE.randbytes(n)


def hostile(place, pad):
    """A pickle with the call at its start, in the middle, at its end."""
    first, last = {"start": (0, pad), "middle": (pad // 2, pad - pad // 2), "end": (pad, 0)}[place]
    out = b"\x80\x03]("
    if first:
        out += blob(first)
    out += CALL
    if last:
        out += blob(last)
    return out + b"e."


def envelope(body, encoding="base64", compression=None, order="kombu", content_type=PICKLE, headers=HEADERS, spaces=""):
    text = {"base64": lambda: base64.b64encode(body).decode(), None: lambda: body.decode("latin-1")}[encoding]()
    props = {"delivery_info": {"exchange": "", "routing_key": "celery"}, "delivery_tag": "x"}
    if encoding:
        props["body_encoding"] = encoding
    head = dict(headers)
    if compression:
        head["compression"] = compression
    members = {"body": text, "content-encoding": "binary", "content-type": content_type, "headers": head, "properties": props}
    names = {"kombu": list(members), "body last": list(members)[1:] + ["body"], "body in the middle": ["properties", "body", "content-type", "headers"]}
    out = json.dumps({n: members[n] for n in names[order]})
    return out.replace('"headers"', spaces + '"headers"').encode()


def amqp(body, compression=None, content_type=PICKLE, size=None, chunk=131000):
    head = table(**HEADERS, **({"compression": compression} if compression else {}))
    data = publish(1, "", "celery", body, headers=head, content_type=content_type, chunk=chunk, encoding="binary", size=size)
    return Capture().talk(5672, kit.login() + [(">", data)])


def redis(*requests):
    return Capture().talk(6379, [turn for r in requests for turn in ((">", r), ("<", b":1\r\n"))])


def redis_reply(request, value):
    return Capture().talk(6379, [(">", request), ("<", value)])


class Checks:
    def __init__(self, sensor):
        self.sensor, self.passed, self.failed = sensor, 0, 0

    def check(self, ok, what):
        self.passed += bool(ok)
        self.failed += not ok
        if not ok:
            print("FAILED:", what)

    def finds(self, name, capture, rule, *options, verdict="malicious", task=True, call="posix.system('id')", coverage=("clipped",), small=None):
        said = sense(self.sensor, capture, *options)
        self.check(said.code == 0, f"{name}: exit {said.code} {said.err[-300:]}")
        found = said.alerts(rule)
        self.check(len(found) == 1, f"{name}: {rule} {len(found)} times, not once: {said.rules()}")
        if len(found) != 1:
            return None
        r = found[0]
        evidence = r["celeriac"]["evidence"]
        self.check(evidence["verdict"] == verdict and evidence.get("call") == call, f"{name}: {evidence}")
        self.check("truncated-capture" not in evidence.get("flags", ""), f"{name}: {evidence}")
        self.check(set(coverage) == set(r["celeriac"]["coverage"]), f"{name}: coverage {r['celeriac']['coverage']}")
        if task:
            t = r.get("celery", {}).get("task", {})
            self.check(t.get("name") == "shop.add" and t.get("id") == HEADERS["id"], f"{name}: {t}")
        if small:
            other = sense(self.sensor, small, *options).alerts(rule)
            same = ("verdict", "call", "imports", "opcode", "ground", "protocol", "end")
            self.check(len(other) == 1 and all(other[0]["celeriac"]["evidence"].get(k) == evidence.get(k) for k in same), f"{name}: unlike a small one")
        return r

    def silent(self, name, capture, *options):
        said = sense(self.sensor, capture, *options)
        self.check(said.code == 0, f"{name}: exit {said.code}")
        bad = [r["rule"]["id"] for r in said.alerts() if r["rule"]["id"].startswith("pickle-") and r["event"]["severity"] > 3]
        self.check(not bad, f"{name}: {bad}")
        return said


def conf(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return "-c", path


def main():
    c = Checks(sys.argv[1])
    where = os.environ.get("TMPDIR", "/tmp")
    path = os.path.join(where, f"large-{os.getpid()}.yaml")
    low = conf(path, "limits: {body_bytes: 64k}\n")
    pad = 700_000
    have = [k for k in CODECS if k not in ("zstd", "brotli") or shutil.which(k)]
    for codec in have:
        for place in ("start", "middle", "end"):
            body, tiny = CODECS[codec](hostile(place, pad)), CODECS[codec](hostile(place, 200))
            name = NAMES[codec] or None
            c.finds(f"amqp {codec} {place}", amqp(body, name), "pickle-malicious", *low, small=amqp(tiny, name))
            if codec == "brotli":
                continue
            c.finds(f"redis {codec} {place}", redis(resp("LPUSH", "celery", envelope(body, compression=name))), "pickle-malicious", *low,
                    small=redis(resp("LPUSH", "celery", envelope(tiny, compression=name))))
            c.finds(f"redis SET {codec} {place}", redis(resp("SET", "celery-task-meta-" + HEADERS["id"], body)), "pickle-malicious", *low, task=False)
    body = hostile("end", pad)
    for order in ("body last", "body in the middle"):
        c.finds(f"redis {order}", redis(resp("LPUSH", "celery", envelope(body, order=order))), "pickle-malicious", *low)
        c.finds(f"redis {order}, another type", redis(resp("LPUSH", "celery", envelope(body, order=order, content_type="application/json"))),
                "pickle-disguised", *low)
    c.finds("redis, blanks before the headers", redis(resp("LPUSH", "celery", envelope(body, spaces=" " * 100_000))), "pickle-malicious", *low)
    c.finds("redis, text that is a pickle", redis(resp("LPUSH", "celery", envelope(b"(V" + b"x" * pad + b"\ncposix\nsystem\n(S'id'\ntRl.", encoding=None))),
            "pickle-malicious", *low)
    c.finds("redis, among others", redis(resp("LPUSH", "celery", "1", envelope(body), "2")), "pickle-malicious", *low)
    c.finds("redis, two at once", redis(resp("LPUSH", "celery", b"x" * 100_000, envelope(body))), "pickle-malicious", *low)
    unacked = json.dumps([json.loads(envelope(body)), "", "celery"]).encode()
    c.finds("redis unacked", redis(resp("HSET", "unacked", "t", unacked)), "pickle-malicious", *low)
    e = envelope(body)
    c.finds("redis delivered", redis_reply(resp("BRPOP", "celery", "1"), b"*2\r\n$6\r\ncelery\r\n$%d\r\n%s\r\n" % (len(e), e)), "pickle-malicious", *low)
    c.finds("redis GET", redis_reply(resp("GET", "celery-task-meta-1"), b"$%d\r\n%s\r\n" % (len(body), body)), "pickle-malicious", *low, task=False)
    c.finds("redis verbatim", Capture().talk(6379, [(">", resp("HELLO", "3") + resp("GET", "celery-task-meta-1")),
            ("<", b"%0\r\n" + b"=%d\r\ntxt:%s\r\n" % (len(body) + 4, body))]), "pickle-malicious", *low, task=False)
    c.finds("a cache's mark", redis(resp("SET", "flask_cache_x", b"!" + body)), "pickle-malicious", *low, task=False)
    c.finds("a queue's mark", redis(resp("ZADD", "huey.redis.q", "1", struct.pack(">Q", 0x4100000000000000) + body)), "pickle-malicious", *low, task=False)
    c.finds("in one frame", amqp(body, chunk=10_000_000), "pickle-malicious", *low)

    # Texts beyond what is kept.
    inner = base64.b64encode(hostile("start", 60)).decode()
    long_inner = base64.b64encode(hostile("end", pad)).decode()
    for name, text in (("short", inner), ("escaped", inner), ("long", long_inner), ("within a text", "see data:;base64," + inner + " there"),
                       ("zlib", base64.b64encode(zlib.compress(hostile("start", 60))).decode()), ("url-safe", base64.urlsafe_b64encode(hostile("start", 61)).decode())):
        args = json.dumps([["x" * pad, {"k": [text]}], {}, {}])
        if name == "escaped":
            args = args.replace(text, "".join(f"\\u{ord(ch):04x}" for ch in text))
        c.finds(f"amqp JSON {name}", amqp(args.encode(), content_type="application/json"), "pickle-disguised", *low)
        c.finds(f"redis JSON {name}", redis(resp("LPUSH", "celery", envelope(args.encode(), content_type="application/json"))), "pickle-disguised", *low)
    c.finds("result in JSON", redis(resp("SET", "celery-task-meta-" + HEADERS["id"], json.dumps({"status": "SUCCESS", "result": ["y" * pad, inner],
            "task_id": HEADERS["id"], "traceback": None, "children": []}))), "pickle-disguised", *low, task=False)

    # What is harmless stays so, and what is broken runs nowhere.
    plain = b"\x80\x03](" + blob(pad) + b"e."
    c.silent("amqp data", amqp(plain), *low)
    c.silent("redis data", redis(resp("LPUSH", "celery", envelope(plain))), *low)
    c.silent("redis text", redis(resp("LPUSH", "celery", envelope(json.dumps([["lorem ipsum " * 60_000], {}, {}]).encode(), content_type="application/json"))), *low)
    c.silent("broken compression", redis(resp("SET", "k", zlib.compress(hostile("end", pad))[:-20])), *low)

    # A hole in the middle: what is behind it is not known, and not said to be clean.
    one = publish(1, "", "celery", hostile("start", pad), headers=table(**HEADERS), content_type=PICKLE, chunk=131000, encoding="binary")
    said = sense(c.sensor, Capture().talk(5672, kit.login() + [(">", one)], drop=set(range(300, 310))), *low).alerts("pickle-malicious")
    c.check(len(said) == 1 and "gap" in said[0]["celeriac"]["coverage"], f"a hole: {[a['celeriac'] for a in said]}")

    # As many taps as the limit says; the others are counted.
    few = conf(path, "limits: {body_bytes: 64k, taps: 1}\n")
    basic = [kit.method(ch, 60, 40, b"\0\0" + kit.short("") + kit.short("celery") + b"\0") for ch in (1, 2)]
    one, two = (kit.content(ch, hostile("end", 200_000), content_type=PICKLE, headers=table(**HEADERS), chunk=100_000, encoding="binary") for ch in (1, 2))
    data = kit.method(2, 20, 10, b"\0") + basic[0] + one[:cut_at(one)] + basic[1] + two[:cut_at(two)] + one[cut_at(one):] + two[cut_at(two):]
    said = sense(c.sensor, Capture().talk(5672, kit.login() + [(">", data)]), *few, "--stats", emit="alerts,stats")
    stats = [r for r in said.records if r["event"]["kind"] == "metric"][-1]["celeriac"]["stats"]["content"]
    c.check(stats["taps"] == 1 and stats["tap_limit"] == 1, f"taps: {stats}")
    c.check(len(said.alerts("pickle-malicious")) == 1, f"one of two: {said.rules()}")

    # As large as the defaults take: more than 16 MB, all of it read.
    if "--short" not in sys.argv:
        huge = hostile("end", 21_000_000)
        c.finds("amqp 21 MB", amqp(huge), "pickle-malicious")
        c.finds("redis 28 MB", redis(resp("LPUSH", "celery", envelope(huge))), "pickle-malicious")
        c.finds("redis 28 MB delivered", redis_reply(resp("BRPOP", "celery", "1"), b"*2\r\n$6\r\ncelery\r\n$%d\r\n%s\r\n" % (len(envelope(huge)), envelope(huge))),
                "pickle-malicious")
    os.unlink(path)
    print(f"{c.passed} passed, {c.failed} failed")
    return c.failed > 0


def cut_at(data):
    """Behind the header frame and the first body frame."""
    first = 8 + struct.unpack("!I", data[3:7])[0]
    return first + 8 + struct.unpack("!I", data[first + 3:first + 7])[0]


if __name__ == "__main__":
    sys.exit(main())
