#!/usr/bin/python3
"""queues.py SENSOR - what a stranger does to the queues of a small deployment on Redis, one command a capture; and the same words where they do no harm."""
import json
import sys

sys.dont_write_bytecode = True
from kit import Capture, resp, sense  # noqa: E402

PRODUCER, WORKER, STRANGER = "10.1.0.1", "10.1.0.3", "10.1.0.66"
OK, ONE, SEP = b"+OK\r\n", b":1\r\n", "\x06\x16"
ID = "75d916e5-cec7-48f1-8809-449c41196fca"
TAG = "0b1f3e4c-58c1-4d7e-9a55-1f0a3f5d7c11"
HEADERS = {"lang": "py", "task": "shop.add", "id": ID, "shadow": None, "eta": None, "expires": None, "group": None, "group_index": None, "retries": 0,
           "timelimit": [None, None], "root_id": ID, "parent_id": None, "argsrepr": "(1, 2)", "kwargsrepr": "{}", "origin": "gen7@web-1", "ignore_result": False,
           "replaced_task_nesting": 0, "stamped_headers": None, "stamps": {}}
TASK = json.dumps({"body": "W1sxLCAyXSwge30sIHsiY2FsbGJhY2tzIjogbnVsbCwgImVycmJhY2tzIjogbnVsbCwgImNoYWluIjogbnVsbCwgImNob3JkIjogbnVsbH1d", "content-encoding": "utf-8",
                   "content-type": "application/json", "headers": HEADERS,
                   "properties": {"correlation_id": ID, "reply_to": "5f4dcc3b-5aa7-3d61-b832-7deb882cf991", "delivery_mode": 2, "delivery_tag": TAG,
                                  "delivery_info": {"exchange": "", "routing_key": "celery"}, "priority": 0, "body_encoding": "base64"}})
TAMPER, DESTROY, SCHEDULE, FORGED, RECON = "redis-queue-tamper", "redis-destructive", "redis-schedule-tamper", "result-forged", "redis-recon"
RESULT = "celery-task-meta-" + ID


def binding(key, queue, pattern=""):
    return SEP.join((key, pattern, queue))


def deployment(capture):
    """kombu's own commands: a task is sent, taken and done."""
    capture.talk(6379, [(">", resp("SADD", "_kombu.binding.celery", binding("celery", "celery"))), ("<", ONE),
                        (">", resp("LPUSH", "celery", TASK)), ("<", ONE)], client=PRODUCER)
    popped = b"*2\r\n$6\r\ncelery\r\n$%d\r\n%s\r\n" % (len(TASK), TASK.encode())
    kept = json.dumps([json.loads(TASK), "", "celery"])
    return capture.talk(6379, [
        (">", resp("SADD", "_kombu.binding.celery", binding("celery", "celery"))), ("<", b":0\r\n"),
        (">", resp("BRPOP", "celery", "celery\x06\x163", "celery\x06\x166", "celery\x06\x169", "1")), ("<", popped),
        (">", resp("ZADD", "unacked_index", "1760000000", TAG) + resp("HSET", "unacked", TAG, kept)), ("<", ONE + ONE),
        (">", resp("MULTI") + resp("ZREM", "unacked_index", TAG) + resp("HDEL", "unacked", TAG) + resp("EXEC")), ("<", OK + b"+QUEUED\r\n" * 2 + b"*2\r\n:1\r\n:1\r\n"),
        (">", resp("PEXPIRE", "celery", "60000")), ("<", ONE),  # of a queue with x-expires
        (">", resp("SREM", "_kombu.binding.celery", binding("old", "old"))), ("<", ONE),
    ], client=WORKER)


def stranger(*words, reply=ONE, rules=(TAMPER,)):
    return resp(*words), reply, set(rules)


CASES = {
    "SET over a queue": stranger("SET", "celery", "x", reply=OK, rules=[DESTROY]),
    "SETEX over a queue": stranger("SETEX", "celery", "9", "x", reply=OK, rules=[DESTROY]),
    "SUNIONSTORE over a queue": stranger("SUNIONSTORE", "celery", "a", rules=[DESTROY]),
    "ZUNIONSTORE over a priority": stranger("ZUNIONSTORE", "celery\x06\x163", "1", "a", rules=[DESTROY]),
    "MSET over a queue": stranger("MSET", "page:1:x", "1", "celery", "x", reply=OK, rules=[DESTROY]),
    "MSETEX over a queue": stranger("MSETEX", "2", "page:1:x", "1", "celery", "x", "EX", "9", rules=[DESTROY]),
    "MSET over unacked": stranger("MSET", "page:1:x", "1", "unacked", "x", reply=OK),
    "BITOP over a queue": stranger("BITOP", "AND", "celery", "a", rules=[DESTROY]),
    "GEOSEARCHSTORE over a queue": stranger("GEOSEARCHSTORE", "celery", "a", "FROMMEMBER", "x", "BYRADIUS", "1", "m", rules=[DESTROY]),
    "GEORADIUS over a queue": stranger("GEORADIUS", "geo:1:a", "1", "2", "3", "m", "STORE", "celery", rules=[DESTROY]),
    "a queue expires": stranger("EXPIRE", "celery", "0", rules=[DESTROY]),
    "a queue expires at": stranger("PEXPIREAT", "celery", "1", rules=[DESTROY]),
    "unacked expires": stranger("EXPIRE", "unacked", "1"),
    "SET over unacked": stranger("SET", "unacked", "x", reply=OK),
    "HDEL of unacked": stranger("HDEL", "unacked", TAG),
    "HGETDEL of unacked": stranger("HGETDEL", "unacked", "FIELDS", "1", TAG, reply=b"*1\r\n$-1\r\n"),
    "the index is emptied": stranger("ZREMRANGEBYRANK", "unacked_index", "0", "-1"),
    "the index is popped": stranger("ZPOPMIN", "unacked_index", reply=b"*0\r\n"),
    "a queue unbound": stranger("SREM", "_kombu.binding.celery", binding("celery", "celery")),
    "a queue unbound, with a prefix": stranger("SREM", "shop:_kombu.binding.celery", binding("celery", "celery")),
    "a binding moved": stranger("SMOVE", "_kombu.binding.celery", "x", binding("celery", "celery")),
    "a binding moved in": stranger("SMOVE", "mine", "_kombu.binding.celery", binding("celery", "copies")),
    "a binding popped": stranger("SPOP", "_kombu.binding.celery", reply=b"$-1\r\n"),
    "a second queue": stranger("SADD", "_kombu.binding.celery", binding("celery", "copies")),
    "an entry of redbeat's": stranger("ZREM", "redbeat::schedule", "redbeat:nightly", rules=[SCHEDULE]),
    "its definition": stranger("HDEL", "redbeat:nightly", "definition", rules=[SCHEDULE]),
    "its time": stranger("EXPIRE", "redbeat:nightly", "0", rules=[SCHEDULE]),
    "junk on a queue": stranger("LPUSH", "celery", "x"), "JSON on a queue": stranger("RPUSH", "celery", '{"id": 1}'), "nothing much": stranger("LPUSH", "celery\x06\x169", "[]"),
    "nothing on a queue": stranger("LPUSH", "celery", ""),
    "junk in unacked": stranger("HSET", "unacked", TAG, "x"), "a list in unacked": stranger("HMSET", "unacked", TAG, "[1,2]", reply=OK),
    **{f"{words[0]} on a queue": stranger(words[0], "celery", *words[1:]) for words in (
        ("SETNX", "x"), ("APPEND", "x"), ("SETRANGE", "0", "x"), ("GETSET", "x"), ("INCR",), ("SETBIT", "1", "1"), ("HSET", "f", "v"), ("SADD", "x"), ("ZADD", "1", "x"),
        ("PFADD", "x"), ("XADD", "*", "f", "v"), ("HINCRBY", "f", "1"), ("JSON.SET", "$", "1"), ("JSON.MERGE", "$", "1"), ("MSETNX", "x"))},
    "XGROUP on a queue": stranger("XGROUP", "CREATE", "celery", "g", "$", "MKSTREAM", reply=OK),
    **{f"{words[0]} of the index": stranger(*words, reply=b"*0\r\n") for words in (
        ("ZMPOP", "1", "unacked_index", "MIN", "COUNT", "9"), ("BZMPOP", "0", "2", "a", "unacked_index", "MAX"), ("BZPOPMIN", "unacked_index", "0"), ("BZPOPMAX", "a", "unacked_index", "0"))},
    "a task is put back early": stranger("ZINCRBY", "unacked_index", "-99999", TAG, reply=b"$1\r\n1\r\n"), "the same by ZADD": stranger("ZADD", "unacked_index", "XX", "0", TAG),
    "a task is never put back": stranger("ZREM", "unacked_index", TAG),
    **{f"{words[0]} of unacked": stranger(words[0], "unacked", *words[1:], "FIELDS", "1", TAG, reply=b"*1\r\n:1\r\n") for words in (
        ("HEXPIRE", "0"), ("HPEXPIRE", "1"), ("HEXPIREAT", "1"), ("HPEXPIREAT", "1"), ("HGETEX", "PX", "1"))},
    "redbeat's lock is taken from it": stranger("SET", "redbeat::lock", "x", reply=OK, rules=[SCHEDULE]),
    "and then its entries written": (resp("SET", "redbeat::lock", "x", "PX", "99") + resp("ZADD", "redbeat::schedule", "1", "redbeat:x"), OK + ONE, {SCHEDULE}),
    **{f"redbeat's, by {words[0]}": stranger(*words, reply=b"*1\r\n:1\r\n", rules=[SCHEDULE]) for words in (
        ("HEXPIRE", "redbeat:nightly", "0", "FIELDS", "1", "definition"), ("HGETEX", "redbeat:nightly", "PX", "1", "FIELDS", "1", "meta"), ("ZPOPMIN", "redbeat::schedule"),
        ("ZMPOP", "1", "redbeat::schedule", "MIN"), ("BZPOPMIN", "redbeat::schedule", "0"), ("ZRANGESTORE", "redbeat::schedule", "a", "0", "-1"),
        ("ZINCRBY", "redbeat::schedule", "-9", "redbeat:nightly"), ("HINCRBY", "redbeat:nightly", "meta", "1"))},
    **{f"a result, by {words[0]}": stranger(*words, rules=[FORGED]) for words in (
        ("RENAME", "mine", RESULT), ("COPY", "mine", RESULT, "REPLACE"), ("BITOP", "OR", RESULT, "mine"), ("APPEND", RESULT, "x"), ("SETRANGE", RESULT, "12", "FAILURE"),
        ("MSET", "page:1:x", "1", RESULT, "{}"), ("GETSET", RESULT, "{}"), ("SETNX", RESULT, "{}"), ("RESTORE", RESULT, "0", "x", "REPLACE"))},
    **{f"{words[0]} on {words[1]}": stranger(*words) for words in (
        ("ZADD", "unacked", "1", "x"), ("HSET", "unacked_index", "a", "b"), ("SADD", "unacked", "x"), ("HSET", "_kombu.binding.celery", "a", "b"), ("LPUSH", "unacked", "x"),
        ("RPUSH", "shop:unacked_index", "x"))},
    "unacked is read": stranger("HSCAN", "unacked", "0", reply=b"*2\r\n$1\r\n0\r\n*0\r\n", rules=[RECON]), "some of it": stranger("HRANDFIELD", "unacked", "9", rules=[RECON]),
    "a queue is read": stranger("SORT_RO", "celery", "BY", "nosort", reply=b"*0\r\n", rules=[RECON]),
    **{"SCAN of " + pattern: stranger("SCAN", "0", "MATCH", pattern, reply=b"*2\r\n$1\r\n0\r\n*0\r\n", rules=[RECON]) for pattern in ("*", "**", "[^x]*", "c*", "*celery*", "_kombu*")},
    "SORT reads results": stranger("SORT", "mine", "BY", "nosort", "GET", "celery-task-meta-*", reply=b"*0\r\n", rules=[RECON]),
    "SORT_RO reads what is taken": stranger("SORT_RO", "mine", "GET", "unacked->*", reply=b"*0\r\n", rules=[RECON]),
    **{"PSUBSCRIBE to " + pattern: stranger("PSUBSCRIBE", pattern, reply=b"*3\r\n$10\r\npsubscribe\r\n$%d\r\n%s\r\n:1\r\n" % (len(pattern), pattern.encode()), rules=[RECON])
       for pattern in ("*", "?*", "c*", "*meta*", "_*")},
    "SET over a queue of two colons": (resp("LPUSH", "app:prod:celery", TASK) + resp("SET", "app:prod:celery", "x"), ONE + OK, {DESTROY}),
    # Others' daily work.
    "beat asks for its lock": (resp("SET", "redbeat::lock", "x", "NX", "PX", "99") + resp("ZADD", "redbeat::schedule", "1", "redbeat:x"), OK + ONE, set()),
    "an own list": stranger("LPUSH", "mail", "x", rules=[]), "nothing on a list": stranger("RPUSH", "mail", "", rules=[]), "a job of RQ": stranger("RPUSH", "rq:queue:celery", ID, rules=[]), "jobs of BullMQ": stranger("BZPOPMIN", "bull:mail:marker", "5", rules=[]),
    "a counter": stranger("INCR", "hits", rules=[]), "a lock": stranger("SETNX", "celery-singleton", "x", rules=[]), "fields": stranger("HSET", "user:7", "name", "x", rules=[]),
    "a ranking": stranger("ZADD", "scores", "9", "x", rules=[]), "an old lock of kombu's": stranger("SETNX", "unacked_mutex", "x", rules=[]),
    "a hash's time": stranger("HEXPIRE", "user:7", "9", "FIELDS", "1", "name", reply=b"*1\r\n:1\r\n", rules=[]), "a hash is read": stranger("HSCAN", "user:7", "0", reply=b"*2\r\n$1\r\n0\r\n*0\r\n", rules=[]),
    "a cache is looked through": stranger("SCAN", "0", "MATCH", "page:*", reply=b"*2\r\n$1\r\n0\r\n*0\r\n", rules=[]), "objects by their ids": stranger("SORT", "ids", "BY", "w_*", "GET", "obj_*", reply=b"*0\r\n", rules=[]),
    "other keys": stranger("RENAME", "a", "b", reply=OK, rules=[]),
    "a cache": stranger("SET", "page", "x", reply=OK, rules=[]), "many of a cache": stranger("MSET", "page", "celery", "b", "unacked", reply=OK, rules=[]),
    "a place near another": stranger("GEORADIUS", "geo", "1", "2", "3", "m", "STORE", "near", rules=[]), "bits": stranger("BITOP", "AND", "both", "a", "b", rules=[]),
    "a session": stranger("SETEX", "sess:1", "9", "x", reply=OK, rules=[]),
    "a key expires": stranger("EXPIRE", "page", "9", rules=[]), "a set": stranger("SREM", "tags", "x", rules=[]), "a hash": stranger("HDEL", "h", "x", rules=[]),
    "a worker that restores before it takes": (resp("HDEL", "unacked", TAG) + resp("BRPOP", "celery", "1"), ONE + b"*-1\r\n", set()),
    "beat's lock lives on": stranger("PEXPIRE", "redbeat::lock", "9000", rules=[]), "a set's member moves": stranger("SMOVE", "a", "b", "x", rules=[]),
    "a limiter": stranger("ZREMRANGEBYSCORE", "limit", "0", "9", rules=[]), "the mutex": stranger("SET", "unacked_mutex", "x", "NX", "PX", "300000", reply=OK, rules=[]),
    "a queue of its own": stranger("SADD", "_kombu.binding.mail", binding("mail", "mail"), rules=[]),
    "another key of the exchange": stranger("SADD", "_kombu.binding.celery", binding("high", "high"), rules=[]),
    "a broadcast": stranger("SADD", "_kombu.binding.news", binding("celery", "bcast.1"), rules=[]),
    "a topic": stranger("SADD", "_kombu.binding.celery", binding("celery", "all", "^celery$"), rules=[]),
    "a result": stranger("EXPIRE", "celery-task-meta-" + ID, "9", rules=[]),
}
OF_INTEREST = {TAMPER, DESTROY, SCHEDULE, FORGED, RECON}


def main():
    sensor, wrong = sys.argv[1], []
    for name, (request, reply, rules) in CASES.items():
        capture = deployment(Capture()).talk(6379, [(">", request), ("<", reply)], client=STRANGER)
        capture.now += 60_000_000_000  # what a worker does next is waited for
        capture.talk(6379, [(">", resp("PING")), ("<", b"+PONG\r\n")], client=PRODUCER)
        said = sense(sensor, capture, emit="alerts")
        found = {(r["rule"]["id"], r["source"]["ip"]) for r in said.alerts() if r["rule"]["id"] in OF_INTEREST}
        if said.code != 0 or found != {(rule, STRANGER) for rule in rules}:
            wrong.append(f"{name}: exit {said.code}, {sorted(found)} {said.err[-300:]!r}")
    print(*wrong, f"{len(CASES)} cases, {len(wrong)} failed", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
