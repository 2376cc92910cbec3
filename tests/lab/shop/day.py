"""What the pods of a shop do in a day: day.py STEP[:argument]... Run on a host of its own, against LAB_BROKER."""

import os
import random
import socket
import sys
import time
import uuid

from celery import chain, chord, group, signature
from celery.result import AsyncResult

import shop
from produce import wait
from shop import add, charge, charge_failed, checkout, echo, invoice, label, nightly, order, pause, ship, split, stock, total

DICE = random.Random(socket.gethostname())
CITIES = ("Malmö", "Lyon", "Porto", "Kraków", "Gent")


def counts():
    """The result store can count: chords work."""
    return str(shop.app.conf.result_backend).startswith("redis")


def browse(n="8", gap="0.15"):
    """Visitors: orders, labels that nobody waits for, a pause between them."""
    for _ in range(int(n)):
        number = DICE.randrange(1000, 9000)
        results = [order.delay(number, customer={"name": f"customer {number}", "city": DICE.choice(CITIES)},
                               lines=[{"sku": f"A-{number % 97}", "n": DICE.randrange(1, 5)}] * DICE.randrange(1, 4))]
        label.delay(f"parcel {number}", size=DICE.randrange(1, 4))
        if DICE.random() < 0.4:
            results.append(add.delay(number, 1))
        wait(*results)
        time.sleep(float(gap) * (0.5 + DICE.random()))


def troubles():
    """What fails, and is tried again: by autoretry, by self.retry, with an errback, unknown to nobody."""
    wait(ship.delay(7), stock.delay("A-1"), charge.apply_async((99,), link_error=charge_failed.s()),
         charge.apply_async((5,), link_error=[charge_failed.s("a"), charge_failed.si("b")]))


def canvas():
    """Chains, groups, callbacks, map, starmap, chunks; tasks that send tasks and that put others in their place."""
    wait(chain(add.s(1, 2), add.s(3), group(add.s(1), add.s(2))).apply_async() if counts() else chain(add.s(1, 2), add.s(3)).apply_async())
    wait(*group(add.s(i, 1) for i in range(DICE.randrange(2, 6))).apply_async().results)
    wait(add.apply_async((1, 1), link=[add.s(10), label.si("linked")]), invoice.delay([1, 2, 3]))
    wait(*add.chunks([(i, i) for i in range(6)], 3).apply_async().results)
    wait(add.starmap([(1, 2), (3, 4)]).apply_async(), echo.map(["a", "b"]).apply_async())
    results = [checkout.delay(21), split.delay([1, 2, 3])]
    if counts():
        wait(*results)
        wait(chord([add.s(i, i) for i in range(4)])(total.s()), (group(add.s(1, 1), add.s(2, 2)) | total.s() | add.s(5)).apply_async(),
             chord((add.s(1, 1), charge.s(5)))(total.s().on_error(charge_failed.s())),
             chord([add.s(1, 1), chain(add.s(1, 2), add.s(3))], total.s()).apply_async())
    else:
        time.sleep(1.5)


def clocks():
    """Countdowns, ETAs, expiry: soon, and in the night."""
    label.apply_async(("in a second",), countdown=1)
    label.apply_async(("limits",), time_limit=30, soft_time_limit=20, expires=300)
    label.apply_async(("expired on arrival",), expires=0.001, countdown=1)
    wait(add.apply_async((1, 2), countdown=0.5))


def tonight(hours="6"):
    """An ETA that outlives the worker that takes it: it goes back to the queue, and another takes it."""
    for n in range(3):
        label.apply_async((f"tonight {n}",), countdown=float(hours) * 3600 + n)


def custom():
    """All that a caller may set by a documented argument, and what tracing libraries add."""
    number = DICE.randrange(1000, 9000)
    trace = "%032x" % DICE.getrandbits(128)
    label.apply_async(("a",), task_id=f"receipt-{number}", shadow="shop.label[acme]")
    label.apply_async(("b",), task_id=str(uuid.uuid1()), reply_to="receipts")
    label.apply_async(("c",), argsrepr="('***',)", kwargsrepr="{}")
    label.apply_async(("d",), priority=DICE.choice((0, 3, 6, 9)))
    label.apply_async(("e",), headers={"sentry-trace": f"{trace}-a5c1f8b9e1b0c5d1-1",
                                       "baggage": f"sentry-trace_id={trace},sentry-environment=production,sentry-release=1.4.2",
                                       "sentry-task-enqueued-time": str(time.time()),
                                       "headers": {"sentry-trace": f"{trace}-a5c1f8b9e1b0c5d1-1"}})
    label.apply_async(("f",), headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01", "tracestate": "vendor=1", "tenant": "acme"})
    wait(add.apply_async((1, 2), shadow="shop.add[acme]"), signature("shop.add", args=(3, 4), app=shop.app).apply_async(),
         shop.app.send_task("shop.add", (5, 6)))


def cancel():
    """A page with a cancel button, both ways to press it."""
    waits = [pause.apply_async((0.1,), countdown=2 + n) for n in range(2)]
    time.sleep(0.5)
    shop.app.control.revoke(waits[0].id)
    time.sleep(0.2)
    AsyncResult(waits[1].id, app=shop.app).revoke()
    time.sleep(0.3)


def mail(n="6"):
    """For the queue of the mail workers."""
    for i in range(int(n)):
        label.apply_async((f"mail {i}",), queue="mail")
        time.sleep(0.1)


def night(many="12"):
    """What a cron job starts, and a worker fans out."""
    nightly.delay(int(many))
    time.sleep(0.5)


def hold(n="4", seconds="3"):
    """Work that is under way when its worker dies."""
    for _ in range(int(n)):
        pause.apply_async((float(seconds),), ignore_result=True)


def fire(n="6"):
    """Asks for nothing: what a client can still do whose results were lost with the broker."""
    for i in range(int(n)):
        label.delay(f"again {i}", size=2)
        time.sleep(0.2)


def until(path):
    """Waits for the lab, its connections open."""
    print("resting", flush=True)
    while not os.path.exists(path):
        time.sleep(0.1)


def rest(seconds):
    print("resting", flush=True)
    time.sleep(float(seconds))


if __name__ == "__main__":
    for step in sys.argv[1:]:
        name, *arguments = step.split(":")
        globals()[name](*arguments)
