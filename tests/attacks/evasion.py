#!/usr/bin/python3
"""evasion.py SENSOR - one pickle that runs a command, brought to a broker in every way that a worker or a backend would still read."""
import base64
import bz2
import gzip
import json
import lzma
import struct
import sys
import zlib

sys.dont_write_bytecode = True
import kit  # noqa: E402
from kit import Capture, content, frame, method, publish, resp, sense, short, table  # noqa: E402

P = b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R."  # never loaded, here or anywhere
HEADERS = {"lang": "py", "task": "shop.add", "id": "75d916e5-cec7-48f1-8809-449c41196fca", "origin": "gen1@h"}
PICKLE = "application/x-python-serialize"


def envelope(body=None, content_type=PICKLE, encoding="base64", raw=None, headers=None, name="body"):
    body = base64.b64encode(P).decode() if body is None else body
    props = {"body_encoding": encoding} if encoding else {}
    text = json.dumps({"content-encoding": "binary", "content-type": content_type, "headers": HEADERS if headers is None else headers,
                       "properties": {**props, "delivery_info": {"exchange": "", "routing_key": "celery"}, "delivery_tag": "x"}, "@": 1})
    return text.replace('"@": 1', raw or f'"{name}": "{body}"').encode()


def escaped(text):
    return "".join(f"\\u{ord(c):04x}" for c in text)


B = base64.b64encode(P).decode()
OK, ONE = b"+OK\r\n", b":1\r\n"
LPUSH = resp("LPUSH", "celery", envelope())


def redis(data, reply=ONE, **kw):
    return dict(port=6379, turns=[(">", data), ("<", reply)], **kw)


def amqp(data, way=">", **kw):
    return dict(port=5672, turns=kit.login() + [(way, data)], **kw)


def header(flags, props, size=len(P), weight=0):
    return frame(2, 1, struct.pack("!HHQ", 60, weight, size) + flags + props)


PUB = method(1, 60, 40, b"\0\0" + short("") + short("celery") + b"\0")
H = table(**HEADERS)
JUNK = publish(2, "", "celery", b"[[], {}, {}]", headers=H)
CASES = {
    "LPUSH": redis(LPUSH), "LPUSH in one byte segments": redis(LPUSH, cut=1), "in small letters": redis(resp("lPuSh", "celery", envelope())),
    "after others": redis(resp("LPUSH", "celery", "1", "2", envelope(), "3")), "RPUSH": redis(resp("RPUSH", "celery", envelope())),
    "LPUSHX": redis(resp("LPUSHX", "celery", envelope())), "LINSERT": redis(resp("LINSERT", "celery", "BEFORE", "x", envelope())),
    "LSET": redis(resp("LSET", "celery", "0", envelope()), OK), "SET": redis(resp("SET", "celery-task-meta-1", P), OK),
    "SETEX": redis(resp("SETEX", "k", "9", P), OK), "PSETEX": redis(resp("PSETEX", "k", "9", P), OK), "SETNX": redis(resp("SETNX", "k", P)),
    "GETSET": redis(resp("GETSET", "k", P), b"$-1\r\n"), "MSET": redis(resp("MSET", "a", "1", "k", P), OK), "MSETNX": redis(resp("MSETNX", "a", "1", "k", P)),
    "SET with options": redis(resp("SET", "k", P, "EX", "9", "NX"), OK), "HSET": redis(resp("HSET", "unacked", "t", envelope())),
    "HMSET": redis(resp("HMSET", "h", "a", "1", "t", P), OK), "HSETNX": redis(resp("HSETNX", "h", "t", P)), "SADD": redis(resp("SADD", "s", "1", P)),
    "ZADD": redis(resp("ZADD", "z", "NX", "1", P)), "XADD": redis(resp("XADD", "x", "*", "f", P), b"$3\r\n1-1\r\n"),
    "PUBLISH": redis(resp("PUBLISH", "c", P)), "SETRANGE": redis(resp("SETRANGE", "k", "0", P)), "APPEND": redis(resp("APPEND", "k", P)),
    "EVAL": redis(resp("EVAL", "redis.call('LPUSH',KEYS[1],ARGV[1])", "1", "celery", envelope())), "EVALSHA": redis(resp("EVALSHA", "0" * 40, "1", "celery", envelope())),
    "MULTI": redis(resp("MULTI") + LPUSH + resp("EXEC"), OK + b"+QUEUED\r\n*1\r\n:1\r\n"),
    "inline": redis(b'LPUSH celery "' + b"".join(b"\\x%02x" % c for c in envelope()) + b'"\r\n'),
    "inline, bare LF": redis(b"SET k \"" + b"".join(b"\\x%02x" % c for c in P) + b"\"\n", OK),
    "reply of GET": redis(resp("GET", "k"), b"$%d\r\n%s\r\n" % (len(P), P)), "reply of BRPOP": redis(
        resp("BRPOP", "celery", "1"), b"*2\r\n$6\r\ncelery\r\n$%d\r\n%s\r\n" % (len(envelope()), envelope())),
    "reply of LRANGE": redis(resp("LRANGE", "k", "0", "-1"), b"*2\r\n$1\r\na\r\n$%d\r\n%s\r\n" % (len(P), P)),
    "reply of GET in MULTI": redis(resp("MULTI") + resp("GET", "k") + resp("EXEC"), OK + b"+QUEUED\r\n*1\r\n$%d\r\n%s\r\n" % (len(P), P)),
    "reply as a verbatim string": redis(resp("HELLO", "3") + resp("GET", "k"), b"%%0\r\n=%d\r\ntxt:%s\r\n" % (len(P) + 4, P)),
    "reply as a streamed string": redis(resp("HELLO", "3") + resp("GET", "k"), b"%%0\r\n$?\r\n;4\r\n%s\r\n;%d\r\n%s\r\n;0\r\n" % (P[:4], len(P) - 4, P[4:])),
    "reply behind an attribute": redis(resp("HELLO", "3") + resp("GET", "k"), b"%%0\r\n|1\r\n+a\r\n:1\r\n$%d\r\n%s\r\n" % (len(P), P)),
    "a message": redis(resp("SUBSCRIBE", "c"), b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$%d\r\n%s\r\n" % (len(P), P)),
    "a push": redis(resp("HELLO", "3") + resp("SUBSCRIBE", "c"), b"%%0\r\n>3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$%d\r\n%s\r\n" % (len(P), P)),
    "CLIENT REPLY OFF": redis(resp("CLIENT", "REPLY", "OFF") + LPUSH, b""), "no reply seen": dict(port=6379, turns=[(">", LPUSH)]),
    "in mid-stream": redis(b"x\r\n" + LPUSH + LPUSH, syn=False), "behind a gap": dict(
        port=6379, drop=(1,), turns=[(">", resp("GET", "a")), (">", resp("GET", "b" * 50)), (">", LPUSH + resp("GET", "c")), ("<", b"$-1\r\n$-1\r\n:1\r\n$-1\r\n")]),
    "reordered": redis(resp("GET", "a") + LPUSH, cut=40, order=lambda s: s[:1] + s[1:-1][::-1] + s[-1:]),
    "twice the same segments": redis(LPUSH, cut=100, order=lambda s: [x for y in s for x in (y, y)]),
    "envelope, body twice": redis(resp("LPUSH", "celery", envelope(raw=f'"body": "W10=", "body": "{B}"'))),
    "envelope, key in escapes": redis(resp("LPUSH", "celery", envelope(name=escaped("body")))),
    "envelope, body in escapes": redis(resp("LPUSH", "celery", envelope(body=escaped(B)))),
    "envelope, base64 over lines": redis(resp("LPUSH", "celery", envelope(body=B[:10] + "\\n" + B[10:]))),
    "envelope, type of JSON": redis(resp("LPUSH", "celery", envelope(content_type="application/json"))),
    "envelope, type in capitals": redis(resp("LPUSH", "celery", envelope(content_type="APPLICATION/X-PYTHON-SERIALIZE; x=y"))),
    "envelope, no type": redis(resp("LPUSH", "celery", envelope(content_type=None))),
    "envelope, no headers": redis(resp("LPUSH", "celery", envelope(headers={}))), "envelope, blanks first": redis(resp("LPUSH", "celery", b" \n\t" + envelope())),
    "envelope, NaN in it": redis(resp("LPUSH", "celery", envelope(raw=f'"x": NaN, "body": "{B}"'))),
    "envelope, deep": redis(resp("LPUSH", "celery", envelope(raw='"x": ' + "[" * 200 + "]" * 200 + f', "body": "{B}"'))),
    "envelope, much of it": redis(resp("LPUSH", "celery", envelope(raw='"x": "' + "y" * 300000 + f'", "body": "{B}"'))),
    **{f"envelope, {n}": redis(resp("LPUSH", "celery", envelope(body=base64.b64encode(z).decode(), headers={**HEADERS, "compression": t})))
       for n, z, t in (("zlib", zlib.compress(P), "application/x-gzip"), ("gzip", gzip.compress(P), "application/x-gzip"), ("bzip2", bz2.compress(P), "application/x-bz2"),
                       ("xz", lzma.compress(P), "application/x-lzma"), ("a header that lies", bz2.compress(P), "application/x-gzip"))},
    # AMQP
    "publish": amqp(publish(1, "", "celery", P, content_type=PICKLE, headers=H)),
    "in one byte frames": amqp(publish(1, "", "celery", P, content_type=PICKLE, headers=H, chunk=1)),
    "in one byte segments": amqp(publish(1, "", "celery", P, content_type=PICKLE, headers=H), cut=1),
    "no type": amqp(publish(1, "", "celery", P, content_type=None, headers=H, encoding=None)),
    "no properties": amqp(publish(1, "", "celery", P, content_type=None, encoding=None)),
    "type of JSON": amqp(publish(1, "", "celery", P, headers=H)), "another type": amqp(publish(1, "", "celery", P, content_type="x/y", headers=H)),
    "type in capitals": amqp(publish(1, "", "celery", P, content_type="Application/X-Python-Serialize", headers=H)),
    "interleaved": amqp(PUB + header(b"\0\0", b"") + frame(3, 1, P[:9]) + JUNK + frame(3, 1, P[9:])),
    "heartbeat inside": amqp(PUB + header(b"\0\0", b"") + frame(3, 1, P[:9]) + frame(8, 0, b"") + frame(3, 1, P[9:])),
    "empty frames inside": amqp(PUB + header(b"\0\0", b"") + frame(3, 1, b"") * 50 + frame(3, 1, P[:9]) + frame(3, 1, b"") + frame(3, 1, P[9:])),
    "weight": amqp(PUB + header(b"\0\0", b"", weight=7) + frame(3, 1, P)),
    "channel 65535": dict(port=5672, turns=kit.login() + [(">", publish(65535, "", "celery", P, content_type=PICKLE, headers=H))]),
    "mandatory, immediate": amqp(method(1, 60, 40, b"\0\0" + short("") + short("celery") + b"\3") + content(1, P, content_type=PICKLE, headers=H)),
    "table that is broken": amqp(publish(1, "", "celery", P, content_type=PICKLE, headers=b"\0\0\0\x05\x01aZZZ")),
    "deliver": amqp(method(1, 60, 60, short("t") + b"\0" * 8 + b"\0" + short("") + short("celery")) + content(1, P, content_type=PICKLE, headers=H), "<"),
    "get-ok": amqp(method(1, 60, 71, b"\0" * 8 + b"\1" + short("") + short("celery") + b"\0\0\0\0") + content(1, P, content_type=PICKLE, headers=H), "<"),
    "return": amqp(method(1, 60, 50, b"\1\x38" + short("x") + short("") + short("celery")) + content(1, P, content_type=PICKLE, headers=H), "<"),
    "in mid-stream, AMQP": dict(port=5672, syn=False, turns=[(">", b"abc\xce" + JUNK + publish(1, "", "celery", P, content_type=PICKLE, headers=H) + JUNK)]),
    "behind a gap, AMQP": dict(port=5672, drop=(8,), turns=kit.login() + [(">", JUNK), (">", publish(1, "", "celery", P, content_type=PICKLE, headers=H) + JUNK)]),
    "on another port": dict(port=7777, turns=kit.login() + [(">", publish(1, "", "celery", P, content_type=PICKLE, headers=H))]),
    "compressed, AMQP": amqp(publish(1, "", "celery", zlib.compress(P), content_type=PICKLE, headers=table(**HEADERS, compression="application/x-gzip"))),
    "an unknown method before": amqp(method(1, 60, 999, b"xyz") + publish(1, "", "celery", P, content_type=PICKLE, headers=H)),
    "a broken frame before": amqp(frame(1, 1, b"\0\x3c\0\x28", end=b"\0") + JUNK + publish(1, "", "celery", P, content_type=PICKLE, headers=H) + JUNK),
    "much before": amqp(JUNK * 300 + publish(1, "", "celery", P, content_type=PICKLE, headers=H)),
    "a large argument before": amqp(publish(1, "", "celery", b"\x80\x02X" + struct.pack("<I", 300000) + b"a" * 300000 + b"0" + P[2:], content_type=PICKLE, headers=H, chunk=131064)),
}
DISGUISED = {"envelope, type of JSON", "envelope, no type", "no type", "no properties", "type of JSON", "another type"}


def main():
    sensor, wrong = sys.argv[1], []
    for name, case in CASES.items():
        kw = {k: v for k, v in case.items() if k not in ("port", "turns")}
        s = sense(sensor, Capture().talk(case["port"], case["turns"], **kw), emit="alerts")
        want = {"pickle-malicious"} | ({"pickle-disguised"} if name in DISGUISED else set())
        if s.code != 0 or not want <= set(s.rules()):
            wrong.append(f"{name}: exit {s.code}, {s.rules()} {s.err[-300:]!r}")
    print(*wrong, f"{len(CASES)} cases, {len(wrong)} failed", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
