#!/usr/bin/python3
"""ways.py SENSOR - messages of AMQP that reach a worker by other ways than their routing key tells, or that it reads otherwise than the broker,
and what other programs do likewise."""
import json
import pickle
import struct
import sys

sys.dont_write_bytecode = True
import kit  # noqa: E402
from kit import Capture, content, long_, method, publish, sense, short, table  # noqa: E402

STRANGER, WORKER = "10.1.0.66", "10.1.0.3"
NODE, REPLIES = "celery@app1.celery.pidbox", "5f4dcc3b-5aa7-3d61-b832-7deb882cf991"
SHUTDOWN = b'{"method": "shutdown"}'
ID = "75d916e5-cec7-48f1-8809-449c41196fca"
ELECTION = {"id": "1", "clock": 5, "hostname": "celery@z", "pid": 1, "topic": "task", "action": {"task": "evil.x", "args": []}, "cver": 1}
FAILED = {"status": "FAILURE", "result": {"exc_type": "system", "exc_message": "id", "exc_module": "os"}, "task_id": ID}
DANGER, ASTRAY, TAP, EXEC, HANDMADE, PROTOCOL_1 = (
    "control-dangerous", "control-dangerous, delivered", "amqp-tap", "result-exception-exec", "task-handcrafted", "task-protocol-1")
INTEREST = {DANGER, "control-change", TAP, EXEC, PROTOCOL_1}


def array(*texts):
    return b"A", long_(b"".join(b"S" + long_(t) for t in texts))


def bind(queue, exchange, key):
    return method(1, 50, 20, b"\0\0" + short(queue) + short(exchange) + short(key) + b"\0" + long_(b""))


def deliver(exchange, key, body, **kw):
    return method(1, 60, 60, short("t1") + struct.pack("!QB", 1, 0) + short(exchange) + short(key)) + content(1, body, **kw)


def taken(*from_broker, queue=NODE):
    """What a worker gets of a queue that it consumes."""
    consume = method(1, 60, 20, b"\0\0" + short(queue) + short("t1") + b"\0" + long_(b""))
    return [(">", consume), ("<", method(1, 60, 21, short("t1")))] + [("<", data) for data in from_broker]


def sent(*data):
    return [(">", d) for d in data]


def js(value):
    return json.dumps(value).encode()


TWO_NAMES = long_(short("lang") + b"S" + long_("py") + short("id") + b"S" + long_(ID) + short("task") + b"S" + long_("shop.add") +
                  short("a") + b"s\x08z" + short("x") + b"S" + long_(short("task") + b"S" + long_("evil.x")))
NOTHING = long_(b"")


def exchange(name, kind="fanout", arguments=NOTHING):
    return method(1, 40, 10, b"\0\0" + short(name) + short(kind) + b"\0" + arguments)


def exchange_bind(destination, source):
    return method(1, 40, 30, b"\0\0" + short(destination) + short(source) + short("") + b"\0" + NOTHING)


def queue(name, arguments=NOTHING):
    return method(1, 50, 10, b"\0\0" + short(name) + b"\0" + arguments)


CASES = {  # what the stranger sends, what a worker gets, the rules
    "a copy to a mailbox": (sent(publish(1, "", "x", SHUTDOWN, headers=table(CC=array("y", NODE)))), [], {DANGER}),
    "a blind copy": (sent(publish(1, "", "x", SHUTDOWN, headers=table(BCC=array(NODE)))), [], {DANGER}),
    "a copy elsewhere": (sent(publish(1, "", "x", SHUTDOWN, headers=table(CC=array("y")))), [], set()),
    "a header of that kind": (sent(publish(1, "", "x", SHUTDOWN, headers=table(CC=NODE))), [], set()),
    "by a binding of exchanges": (sent(publish(1, "odd", "", SHUTDOWN)), taken(deliver("odd", "", SHUTDOWN)), {ASTRAY}),
    "by a dead letter": (sent(publish(1, "", "q", SHUTDOWN)),
                         taken(deliver("celery.pidbox", "", SHUTDOWN, headers=table(**{"x-death": array("q")}))), {ASTRAY}),
    "by a binding that was seen": (sent(exchange("odd"), exchange_bind("celery.pidbox", "odd"), publish(1, "odd", "", SHUTDOWN)), [], {DANGER}),
    "by an alternate exchange": (
        sent(exchange("odd", arguments=table(**{"alternate-exchange": "celery.pidbox"})), publish(1, "odd", "", SHUTDOWN)), [], {DANGER}),
    "by a queue of dead letters": (
        sent(queue("q", table(**{"x-dead-letter-exchange": "celery.pidbox", "x-message-ttl": (b"I", b"\0\0\0\0")})), publish(1, "", "q", SHUTDOWN)),
        [], {DANGER}),
    "by its dead letters to one mailbox": (
        sent(queue("q", table(**{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": NODE})), publish(1, "", "q", SHUTDOWN)), [], {DANGER}),
    "by a mailbox bound elsewhere": (sent(bind(NODE, "amq.topic", "#"), publish(1, "amq.topic", "x", SHUTDOWN)), [], {DANGER}),
    "by ways in a row": (sent(exchange_bind("celery.pidbox", "b"), exchange_bind("b", "a"), publish(1, "a", "", SHUTDOWN)), [], {DANGER}),
    "by others' ways": (sent(exchange_bind("b", "a"), queue("q", table(**{"x-dead-letter-exchange": "b"})),
                             publish(1, "a", "", SHUTDOWN), publish(1, "", "q", SHUTDOWN)), [], set()),
    "a copy, with its delivery": (sent(publish(1, "", "x", SHUTDOWN, headers=table(CC=array(NODE)))),
                                  taken(deliver("", "x", SHUTDOWN, headers=table(CC=array(NODE)))), {DANGER}),
    "by no way": (sent(publish(1, "odd", "", SHUTDOWN)), taken(deliver("odd", "", SHUTDOWN), queue="other"), set()),
    "nothing but a method and arguments": (sent(publish(1, "odd", "", b'{"method": "shutdown", "arguments": {}}')), [], {DANGER}),
    "somebody else's call": (sent(publish(1, "odd", "", b'{"method": "shutdown", "params": {}, "jsonrpc": "2.0"}')), [], set()),
    "kombu's own delivery": ([], taken(deliver("celery.pidbox", "", b'{"method": "shutdown", "arguments": {}, "destination": null}')), set()),
    "an election that calls itself a heartbeat": (
        sent(publish(1, "celeryev", "worker.elect", js({**ELECTION, "type": "worker-heartbeat"}))), [], {DANGER}),
    "an election that calls itself nothing": (sent(publish(1, "celeryev", "worker.elect", js(ELECTION))), [], {DANGER}),
    "an election by another exchange": (sent(publish(1, "odd", "worker.elect", js(ELECTION))), [], {DANGER}),
    "a mailbox of replies by name": (sent(bind("zz.reply.celery.pidbox", "reply.celery.pidbox", REPLIES)), [], {TAP}),
    "kombu's mailbox of replies": (sent(bind(REPLIES + ".reply.celery.pidbox", "reply.celery.pidbox", REPLIES)), [], set()),
    "a short result": (sent(publish(1, "", REPLIES, js(FAILED))), [], {EXEC}),
    "a result and a task": (sent(publish(1, "", REPLIES, js({**FAILED, "task": "x", "id": "1", "args": []}))), [], {EXEC, PROTOCOL_1}),
    "somebody else's news": (sent(publish(1, "news", "x", js({"status": "SUCCESS", "result": 1, "task_id": ID}))), [], set()),
    "protocol 1 to a queue with the name of one of events": (
        sent(publish(1, "", "celeryev.q", js({"task": "evil.x", "id": ID, "args": [], "kwargs": {}}))), [], {PROTOCOL_1}),
    "protocol 1 with a text for arguments": (
        sent(publish(1, "", "celery", js({"task": "evil.x", "id": ID, "args": "ab"}))), [], {PROTOCOL_1}),
    "somebody else's job": (sent(publish(1, "", "images", js({"task": "resize", "id": ID, "args": {"width": 1}}))), [], set()),
}


def rules(said):
    found = {r["rule"]["id"]: r["event"].get("action") for r in said.alerts() if r["rule"]["id"] in INTEREST}
    return {rule + (", delivered" if action == "delivered" else "") for rule, action in found.items()}


def captured(stranger, worker):
    capture = Capture()
    capture.talk(5672, kit.login() + stranger, client=STRANGER)
    return capture.talk(5672, kit.login() + worker, client=WORKER)


def tasks(sensor, *sent_by_stranger):
    said = sense(sensor, captured(sent(*sent_by_stranger), []), emit="alerts,tasks")
    return said, [r["celery"]["task"] for r in said.records if r["event"]["dataset"] == "celeriac.task"]


def main():
    sensor, wrong = sys.argv[1], []
    for name, (stranger, worker, want) in CASES.items():
        said = sense(sensor, captured(stranger, worker), emit="alerts")
        if said.code != 0 or rules(said) != want:
            wrong.append(f"{name}: exit {said.code}, {sorted(rules(said))} {said.err[-300:]!r}")
    said, told = tasks(sensor, publish(1, "", "celery", b"[[], {}, {}]", headers=TWO_NAMES))
    names = {t["name"] for t in told}
    if names != {"shop.add", "evil.x"} or not said.alerts(HANDMADE):
        wrong.append(f"a table with two readings: {sorted(names)}, {said.rules()}")
    _, told = tasks(sensor, publish(1, "", "celery", pickle.dumps([["evil.x", [1]], {}, {}], 2), content_type="application/x-python-serialize",
                                    headers=table(lang="py", task="celery.map", id=ID)))
    if [t.get("subtasks") for t in told] != [["evil.x"]]:
        wrong.append(f"a pickled map by a name: {told}")
    print(*wrong, f"{len(CASES) + 2} cases, {len(wrong)} failed", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
