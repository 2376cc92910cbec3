"""The application of the lab: a web shop's background work, on whatever broker the environment names."""

import os
import time

from celery import Celery

import truth


def _make():
    broker = os.environ["LAB_BROKER"]
    backend = os.environ.get("LAB_BACKEND") or None
    app = Celery("shop", broker=broker, backend=backend)
    serializer = os.environ.get("LAB_SERIALIZER", "json")
    accept = os.environ.get("LAB_ACCEPT", serializer).split(",")
    app.conf.update(
        task_serializer=serializer,
        result_serializer=os.environ.get("LAB_RESULT_SERIALIZER", "json" if serializer == "auth" else serializer),
        event_serializer="json",
        accept_content=accept,
        result_accept_content=list({*accept, "json"}) if serializer != "auth" else ["json"],
        task_protocol=int(os.environ.get("LAB_PROTOCOL", "2")),
        task_compression=os.environ.get("LAB_COMPRESSION") or None,
        result_compression=os.environ.get("LAB_COMPRESSION") or None,
        task_send_sent_event=os.environ.get("LAB_SENT_EVENT") == "1",
        task_default_queue=os.environ.get("LAB_QUEUE", "celery"),
        worker_prefetch_multiplier=int(os.environ.get("LAB_PREFETCH", "4")),
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=5,
        broker_pool_limit=int(os.environ.get("LAB_POOL", "4")),
        redis_socket_connect_timeout=5,
        result_extended=os.environ.get("LAB_RESULT_EXTENDED") == "1",
        task_acks_late=os.environ.get("LAB_ACKS_LATE") == "1",
        worker_enable_remote_control=os.environ.get("LAB_REMOTE_CONTROL", "1") == "1",
        worker_hijack_root_logger=False,
        beat_schedule={"tick": {"task": "shop.tick", "schedule": 1.0}},
        beat_schedule_filename=os.environ.get("LAB_BEAT_FILE", "beat"),
    )
    options = {}
    if os.environ.get("LAB_KEYPREFIX"):
        options["global_keyprefix"] = os.environ["LAB_KEYPREFIX"]
        app.conf.result_backend_transport_options = dict(options)
    if os.environ.get("LAB_QUEUE_PRIORITY") == "1":
        options.update(queue_order_strategy="priority")
    if os.environ.get("LAB_BODY_ENCODING"):
        options["body_encoding"] = {"none": None}.get(os.environ["LAB_BODY_ENCODING"], os.environ["LAB_BODY_ENCODING"])
    if os.environ.get("LAB_VISIBILITY"):
        options["visibility_timeout"] = int(os.environ["LAB_VISIBILITY"])
    app.conf.broker_transport_options = options
    if os.environ.get("LAB_BURST"):  # that many at once, every so many seconds
        many, seconds = os.environ["LAB_BURST"].split(":")
        app.conf.beat_schedule.update({f"report-{n}": {"task": "shop.label", "schedule": float(seconds), "args": (f"report {n}",)}
                                       for n in range(int(many))})
    if os.environ.get("LAB_REDBEAT"):
        app.conf.update(redbeat_redis_url=os.environ["LAB_REDBEAT"], redbeat_lock_timeout=10, beat_max_loop_interval=2)
    if os.environ.get("LAB_TLS_CA"):
        import ssl
        app.conf.broker_use_ssl = _tls(broker, ssl)
        if backend and backend.startswith("rediss"):
            app.conf.redis_backend_use_ssl = _tls(backend, ssl)
    if os.environ.get("LAB_KEYS"):
        keys = os.environ["LAB_KEYS"]
        app.conf.update(security_key=keys + "/signer.key", security_certificate=keys + "/signer.pem",
                        security_cert_store=keys + "/store/*.pem", security_digest="sha256")
        app.conf.accept_content = ["auth"]
        app.conf.task_serializer = "auth"
        app.setup_security()
        app.conf.result_accept_content = ["json"]
    return truth.install(app)


def _tls(url, ssl):
    ca = os.environ["LAB_TLS_CA"]
    if url.startswith("redis"):
        return {"ssl_ca_certs": ca, "ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": False}
    return {"ca_certs": ca, "cert_reqs": ssl.CERT_REQUIRED}


app = _make()


@app.task(name="shop.add")
def add(x, y):
    return x + y


@app.task(name="shop.total")
def total(numbers):
    return sum(numbers)


@app.task(name="shop.order")
def order(number, customer=None, lines=None, **more):
    return {"number": number, "customer": customer, "lines": len(lines or ()), "more": sorted(more)}


@app.task(name="shop.label", ignore_result=True)
def label(text, size=1):
    return text * size


@app.task(name="shop.pause")
def pause(seconds):
    time.sleep(seconds)
    return seconds


@app.task(name="shop.import_prices")
def import_prices(table):
    return len(table)


@app.task(name="shop.charge")
def charge(amount):
    raise ValueError("card declined", amount)


@app.task(name="shop.charge_failed")
def charge_failed(*args, **kw):
    return "noted"


@app.task(name="shop.stock", bind=True, max_retries=3)
def stock(self, sku):
    if self.request.retries < 2:
        raise self.retry(countdown=0.2, exc=RuntimeError("warehouse does not answer"))
    return sku


@app.task(name="shop.ship", bind=True, autoretry_for=(ConnectionError,), retry_kwargs={"max_retries": 3, "countdown": 0.3})
def ship(self, parcel):
    """Retried by its options, not by its own words."""
    if self.request.retries < 1:
        raise ConnectionError("carrier", parcel)
    return parcel


@app.task(name="shop.invoice", bind=True)
def invoice(self, numbers):
    """A task that sends others, as many do."""
    for n in numbers:
        add.delay(n, 1)
    return len(numbers)


@app.task(name="shop.checkout", bind=True)
def checkout(self, x):
    """A task that puts another in its own place."""
    return self.replace(add.si(x, x))


@app.task(name="shop.split", bind=True)
def split(self, numbers):
    """A task that becomes a group with an end: a chord, or a chain where the results cannot be counted."""
    from celery import chain, chord
    if str(self.app.conf.result_backend).startswith("redis"):
        return self.replace(chord([add.s(n, 1) for n in numbers], total.s()))
    return self.replace(chain(add.s(numbers[0], 1), add.s(2)))


@app.task(name="shop.nightly", ignore_result=True)
def nightly(many):
    """Fans out what the night has to do."""
    for n in range(many):
        label.apply_async((f"night {n}",), countdown=n % 3)


@app.task(name="shop.tick", ignore_result=True)
def tick():
    return None


@app.task(name="shop.echo")
def echo(value):
    return value
