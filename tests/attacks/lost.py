#!/usr/bin/python3
"""lost.py SENSOR - a worker sends a task again that it took, after its delivery was lost to the capture: its acknowledgement says that it got
bytes which nobody saw, before or after what it sends. The same by an address that takes none, and where nothing was lost, is a replay."""
import struct
import sys

sys.dont_write_bytecode = True
import kit  # noqa: E402
from kit import Capture, content, long_, method, publish, sense, short, table  # noqa: E402

WEB, WORKER, OTHER = "10.1.0.1", "10.1.0.3", "10.1.0.4"
ID = "75d916e5-cec7-48f1-8809-449c41196fca"
ADD = b'[[1, 2], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'


def headers(retries):
    return table(lang="py", task="shop.add", id=ID, root_id=ID, origin="gen1@web1", argsrepr="(1, 2)", kwargsrepr="{}",
                 retries=(b"I", struct.pack("!I", retries)))


CONSUME = [(">", method(1, 60, 20, b"\0\0" + short("celery") + short("t1") + b"\0" + long_(b""))), ("<", method(1, 60, 21, short("t1")))]
DELIVERY = ("<", method(1, 60, 60, short("t1") + struct.pack("!QB", 1, 0) + short("") + short("celery")) + content(1, ADD, headers=headers(0)))
ACK = (">", method(1, 60, 80, struct.pack("!QB", 1, 0)))


def story(takes, lost, late=False, by=WORKER):
    """The capture: the task is delivered to `takes`, its delivery is lost or not, and sent again by `by`, before the acknowledgement if late."""
    c = Capture().talk(5672, kit.login() + [(">", publish(1, "", "celery", ADD, headers=headers(0)))], client=WEB)
    c.talk(5672, kit.login() + CONSUME, client=by if takes != by else OTHER, fin=False)
    turns = kit.login() + CONSUME + [DELIVERY, ACK]
    again = Capture()
    again.port = 50000
    again.talk(5672, kit.login() + [(">", publish(1, "", "celery", ADD, headers=headers(1)))], client=by)
    before = Capture()
    before.now, before.port = c.now, c.port
    before.talk(5672, turns, client=takes, fin=False, drop={len(turns) - 2} if lost else ())
    packets = [data for _, data in before.packets]
    resent = [data for _, data in again.packets]
    for data in packets[:-1] + resent + packets[-1:] if late else packets + resent:
        c.packet(data)
    return c


CASES = {
    "nothing was lost, and it took the task": (story(WORKER, False), False),
    "the delivery was lost": (story(WORKER, True), False),
    "the delivery was lost, and acknowledged afterwards": (story(WORKER, True, late=True), False),
    "nothing was lost, and another took it": (story(OTHER, False), True),
    "what was lost was another's": (story(OTHER, True), True),
}


def main():
    sensor, wrong = sys.argv[1], []
    for name, (capture, replayed) in CASES.items():
        said = sense(sensor, capture, emit="alerts")
        if said.code != 0 or bool(said.alerts("task-replayed")) != replayed:
            wrong.append(f"{name}: exit {said.code}, {said.rules()} {said.err[-300:]!r}")
    print(*wrong, f"{len(CASES)} cases, {len(wrong)} failed", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
