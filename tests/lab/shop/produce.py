"""Producers of the lab: produce.py WHAT [arguments]. Run on a host of its own, against LAB_BROKER."""

import datetime
import decimal
import sys
import time
import uuid

from celery import chain, chord, group

import shop
from shop import add, charge, charge_failed, checkout, echo, import_prices, invoice, label, order, pause, stock, total


def wait(*results):
    for r in results:
        try:
            r.get(timeout=60, propagate=False)
        except Exception as e:  # pylint: disable=broad-except
            print("no result:", r.id, repr(e))
            sys.exit(3)


def plain(n="6"):
    """A few simple tasks with results."""
    wait(*[add.delay(i, i) for i in range(int(n))])


def fire(n="6"):
    """The same, asking for nothing."""
    for i in range(int(n)):
        label.delay("item", size=i)


def kinds():
    """Tasks of many kinds, as a producer of a real shop sends them."""
    now = datetime.datetime.now(datetime.timezone.utc)
    wait(add.delay(2, 3), add.apply_async((4, 5), task_id=str(uuid.uuid4())))
    wait(order.delay(1017, customer={"name": "Zoë Ångström", "city": "Malmö"}, lines=[{"sku": "A-1", "n": 2}] * 3,
                     note="ring twice", gift=True, weight=1.25, tags=["new", None, -7]))
    label.delay("parcel \u2603", size=3)
    label.apply_async(("late parcel",), countdown=1)
    label.apply_async(("expiring",), expires=now + datetime.timedelta(minutes=5))
    label.apply_async(("limits",), time_limit=30, soft_time_limit=20)
    label.apply_async(("shadowed",), shadow="shop.label[acme]")
    label.apply_async(("traced",), headers={"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                            "sentry-trace": "771a43a4192642f0b136d5159a501700-a5c1f8b9e1b0c5d1-1"})
    for priority in (0, 3, 6, 9):
        label.apply_async(("priority",), priority=priority)
    wait(charge.apply_async((99,), link_error=charge_failed.s()))
    wait(add.apply_async((1, 1), link=add.s(10)), stock.delay("A-1"))
    wait(chain(add.s(1, 2), add.s(3), add.s(4)).apply_async())
    wait(*group(add.s(i, 1) for i in range(4)).apply_async().results)
    replaced = checkout.delay(21)
    wait(invoice.delay([1, 2, 3]), *([replaced] if shop.app.conf.result_backend.startswith("redis") else []))
    wait(import_prices.delay([[n, "article %d" % n, n * 1.19] for n in range(400)]))
    wait(*add.chunks([(i, i) for i in range(6)], 3).apply_async().results)
    wait(add.starmap([(1, 2), (3, 4)]).apply_async())
    time.sleep(1.5)


def chords():
    """Chords need a backend that counts: Redis."""
    wait(chord([add.s(i, i) for i in range(4)])(total.s()))
    wait(chord((add.s(1, 1), charge.s(5)))(total.s().on_error(charge_failed.s())))
    wait((group(add.s(1, 1), add.s(2, 2)) | total.s()).apply_async())


def big(size="300000"):
    """One body of many frames and segments."""
    wait(echo.delay("The quick brown fox jumps over the lazy dog. " * (int(size) // 45)), add.delay(1, 1))


def values():
    """What the serializers can carry besides JSON's own types."""
    plain_values = [1, -1, 2**40, 1.5, True, None, "text é", [1, [2, [3]]], {"a": {"b": "c"}}, ""]
    wait(echo.delay(plain_values), order.delay(7, customer="x" * 300, lines=[1, 2]), add.delay(1, 2), charge.delay(3))


def linked():
    """Tasks that carry others. YAML cannot: its safe dumper refuses a signature."""
    wait(chain(add.s(1, 2), add.s(3)).apply_async(), add.apply_async((1, 1), link=add.s(2)))


def table():
    """A body that is worth compressing."""
    wait(import_prices.delay([[n, "article %d" % n, round(n * 1.19, 2)] for n in range(300)]))


def signed():
    """What a signed deployment sends: simple tasks, a chain, a callback."""
    wait(*[add.delay(i, i) for i in range(4)])
    wait(order.delay(1018, customer={"name": "Ada"}, lines=[1, 2]), chain(add.s(1, 2), add.s(3)).apply_async(),
         add.apply_async((1, 1), link=add.s(10)), charge.delay(4))


def pickled():
    """Values that only pickle carries as they are: types of the standard library that loading merely builds."""
    wait(echo.delay({1, 2, 3}), echo.delay((1, b"\x00\xff" * 20)), echo.delay(decimal.Decimal("9.99")),
         echo.delay(datetime.datetime(2026, 1, 2, 3, 4, 5)), echo.delay(uuid.uuid4()))


def remote(*commands):
    """Remote control by the API: ping, active, stats..."""
    inspect = shop.app.control.inspect(timeout=2)
    for command in commands:
        print(command, getattr(inspect, command)())


def paused(seconds="0.4", n="3"):
    wait(*[pause.delay(float(seconds)) for _ in range(int(n))])


def steady(n="20", gap="0.1"):
    """A producer that goes on for a while on one connection."""
    for i in range(int(n)):
        wait(add.delay(i, 1))
        time.sleep(float(gap))


def returned():
    """To a routing key that leads nowhere, mandatory: the broker sends it back."""
    label.apply_async(("lost",), exchange="celery", routing_key="nowhere", mandatory=True)
    time.sleep(0.3)
    try:
        shop.app.pool.force_close_all()
    except Exception as e:  # pylint: disable=broad-except
        print(e)


def mix(n="100"):
    """Work as it comes: small tasks, tables of a few KB, things nobody waits for; one connection for all of it."""
    for i in range(int(n)):
        wait(order.delay(1000 + i, customer={"name": "customer %d" % i, "city": "Malmö"}, lines=[{"sku": "A-%d" % i, "n": 2}] * 4))
        label.delay("parcel", size=3)
        if i % 2 == 0:
            wait(import_prices.delay([[i * 100 + n, "article %d" % n, round(n * 1.19, 2), "in stock"] for n in range(150)]))
        if i % 5 == 0:
            wait(add.apply_async((i, 1), link=add.s(10)))


if __name__ == "__main__":
    for step in sys.argv[1:]:
        name, *arguments = step.split(":")
        globals()[name](*arguments)
