"""Every Python of the lab loads this at its start. Programs of many threads, which libfaketime can bring to a halt, get their clock
here (LAB_CLOCK, seconds); what they send has no other time than time.time(). Under libfaketime time.sleep() fails: from Python 3.11 on it sleeps until a
monotonic time, which libfaketime takes for one of its own clock."""

import os

if os.environ.get("LAB_CLOCK"):
    import time

    _true, _later = time.time, int(os.environ["LAB_CLOCK"])
    time.time = lambda: _true() + _later

if os.environ.get("FAKETIME"):
    import select
    import time

    def sleep(seconds):
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        select.select([], [], [], seconds)

    time.sleep = sleep
