"""Producers whose arguments only pickle carries: pickled.py WHAT... Each step sends what real applications send, to a worker that loads it."""

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import http.cookies
import ipaddress
import operator
import os
import pathlib
import random
import re
import sys
import time
import types
import uuid
import zoneinfo

import amqp.exceptions
import kombu
import kombu.exceptions
from celery import chain, chord, group
from celery.exceptions import Reject, Retry, SoftTimeLimitExceeded
from celery.schedules import crontab, schedule

import carts
from produce import wait
from shop import add, charge, echo, total


def send(*things):
    """To a task that gives back what it gets. Not all of it comes back: some cannot be pickled twice."""
    results, until = [echo.delay(thing) for thing in things], time.time() + 8
    for thing, result in zip(things, results):
        try:
            result.get(timeout=max(0.1, until - time.time()), propagate=False)
        except Exception as e:  # pylint: disable=broad-except
            print("no result:", type(thing), repr(e))


class Colour(enum.Enum):
    RED = 1


Colour.__module__ = "carts"
carts.Colour = Colour


def library():
    """The standard library."""
    utc = datetime.timezone.utc
    things = [
        datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, 3, 4, 5, 6, utc), datetime.time(3, 4), datetime.timedelta(hours=1),
        datetime.timezone(datetime.timedelta(hours=2)), decimal.Decimal("9.99"), uuid.uuid4(), fractions.Fraction(1, 3),
        collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.deque([1, 2]), collections.Counter("abca"),
        collections.ChainMap({"a": 1}), zoneinfo.ZoneInfo("UTC"), ipaddress.ip_address("10.0.0.1"), ipaddress.ip_network("10.0.0.0/8"),
        pathlib.PurePosixPath("/srv/shop"), re.compile("[a-z]+@"), array.array("d", [1.5, 2.5]), types.SimpleNamespace(a=1), time.gmtime(0),
        random.Random(1), os.stat("/"), http.cookies.SimpleCookie("a=b"), functools.partial(int, base=16), operator.itemgetter(1)]
    send(*things)


def builtins():
    send(*(
        {1, 2}, frozenset("ab"), bytearray(b"abc"), b"\x00\xff" * 20, 1 + 2j, range(5), slice(1, 2), object(), type(None), int, len, ..., NotImplemented,
        ValueError("no", 1), KeyError("k"), OSError(2, "No such file"), StopIteration(), 2**70, -1.5, "text é \u2028", (1, (2, ()), [], {})))


def celery():
    """Celery's own: signatures, schedules, errors, results."""
    link = [add.s(1), charge.s(2)]
    send(add.s(1, 2), chain(add.s(1, 2), add.s(3)), group(add.s(1, 1), add.s(2, 2)), crontab(minute=5), schedule(10), Reject("no"), Retry("later"),
         SoftTimeLimitExceeded())
    wait(charge.delay(7))
    wait(chain(add.s(1, 2), add.s(3), add.s(4)).apply_async(), add.apply_async((1, 1), link=link, link_error=charge.s()))
    wait(*add.chunks([(1, 2), (3, 4)], 1).apply_async().results)
    if os.environ.get("LAB_BACKEND", "").startswith("redis"):
        wait(chord([add.s(i, i) for i in range(3)])(total.s()))


def transport():
    """kombu's and amqp's."""
    exchange = kombu.Exchange("media", type="direct")
    send(*(
        kombu.exceptions.OperationalError("gone"), kombu.exceptions.DecodeError("no"), amqp.exceptions.NotFound("no queue"),
        amqp.exceptions.AccessRefused("no"), exchange, kombu.Queue("video", exchange=exchange, routing_key="video")))


def django():
    """Django's."""
    import django.conf
    from django.core.exceptions import ValidationError
    from django.db.models import F, Q
    from django.http import QueryDict
    from django.utils.datastructures import MultiValueDict
    from django.utils.safestring import mark_safe
    from django.utils.translation import gettext_lazy
    django.conf.settings.configure(USE_I18N=False)
    send(*(
        Q(name="x") | ~Q(age__gt=3), F("price"), QueryDict("a=1&b=2"), MultiValueDict({"a": ["1", "2"]}), mark_safe("<b>"),
        ValidationError("no"), gettext_lazy("Welcome")))


def own():
    """The application's own classes."""
    send(carts.Cart("Ada"), carts.Colour.RED, [carts.Cart("Zoë")] * 3, add)


if __name__ == "__main__":
    for step in sys.argv[1:]:
        globals()[step]()
