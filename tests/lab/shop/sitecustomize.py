"""Every Python of the lab loads this at its start. Under libfaketime time.sleep() fails: from Python 3.11 on it sleeps until a
monotonic time, which libfaketime takes for one of its own clock."""

import os

if os.environ.get("FAKETIME"):
    import select
    import time

    def sleep(seconds):
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        select.select([], [], [], seconds)

    time.sleep = sleep
