"""Everything a body can be written in: serializers, compression, signatures, protocol 1."""

import os
import shutil

from labkit import certs

from . import scenario
from . import expectations as ex

MORE = {"pickle": ("pickled", "linked"), "msgpack": ("linked",)}
ALL = "json,pickle,yaml,msgpack"


def _broker(s, kind):
    """Starts the broker of that kind and points workers and producers at it."""
    if kind == "amqp":
        s.rabbit()
        s.on_amqp()
    else:
        s.redis()
        s.on_redis()


def _login(s, kind, users=1):
    (ex.amqp_login if kind == "amqp" else ex.redis_login)(s, users)


def _serializers(s, kind, stack):
    _broker(s, kind)
    s.record()
    for name in ("pickle", "yaml", "msgpack"):
        s.use(LAB_SERIALIZER=name, LAB_ACCEPT=ALL, LAB_QUEUE=name)
        w = s.worker("app1", stack, options=("--without-gossip", "--without-mingle"))
        s.produce("web1", stack, "values", *MORE.get(name, ()))
        s.stop(w)
    s.finish()
    _login(s, kind)
    ex.clear_tasks(s)
    ex.unsigned(s, 3, "pickle, yaml, msgpack")
    s.expect("pickle-serializer", "3", "by producer and queue: tasks of web1 to queue pickle, sub-tasks (chain, callback) of app1 "
             "to it, results of app1 (one more for each further reply queue or key prefix that is told apart)")
    s.expect_later("pickle-malicious", 0, "nothing hostile here")
    s.remark("The worker accepts all four; every serializer has a queue, a worker and results of its own.")


def _compression(s, kind, stack):
    _broker(s, kind)
    s.record()
    w = s.worker("app1", stack, options=("--without-gossip", "--without-mingle"),
                 env={"LAB_COMPRESSION": "zlib", "LAB_ACCEPT": ALL})
    for codec in ("zlib", "bzip2", "lzma", "zstd", "brotli"):
        s.produce("web1", stack, "values", "linked", "table", env={"LAB_COMPRESSION": codec, "LAB_ACCEPT": ALL})
    s.produce("web1", stack, "pickled", env={"LAB_COMPRESSION": "zstd", "LAB_SERIALIZER": "pickle", "LAB_ACCEPT": ALL,
                                               "LAB_RESULT_SERIALIZER": "json"})
    s.stop(w)
    s.finish()
    _login(s, kind)
    ex.clear_tasks(s)
    ex.unsigned(s)
    s.expect("pickle-serializer", 1, "the last producer sends pickles inside zstd; results are JSON")
    s.remark("Codecs in order: zlib, bzip2, lzma (an xz container), zstd, brotli. Results are compressed with zlib where the "
             "backend does that (rpc).")


def _pickled(s, kind):
    _broker(s, kind)
    s.record()
    s.use(LAB_SERIALIZER="pickle", LAB_ACCEPT="pickle,json")
    w = s.worker("app1", "new", options=("--without-gossip", "--without-mingle"))
    s.produce("web1", "new", "library", "builtins", "celery", "transport", "django", "own", script="pickled.py")
    for protocol in "0", "2", "5":
        s.produce("web1", "new", "library", "builtins", "own", script="pickled.py", env={"PICKLE_PROTOCOL": protocol})
    s.stop(w)
    s.produce("stranger", "new", f"{kind}_hostile", script="attack.py")
    s.finish()
    _login(s, kind)
    ex.clear_tasks(s)
    ex.unsigned(s, 2, "celery, backup")
    s.expect("pickle-serializer", "3 to 8", "by producer and queue: tasks of web1 and of stranger, results and sub-tasks of app1")
    s.expect("pickle-unknown-import", "1 or more", "info: the shop's own classes (carts.Cart), by module and queue for a day; nothing else of web1 and app1")
    s.expect("pickle-malicious", "5 or more", "10.77.0.66: a call of os.system or its like by every call opcode, by aliases, chains, frames")
    s.expect("pickle-dangerous", "1 or more", "10.77.0.66: an import of subprocess.Popen that nobody calls")
    s.expect("pickle-suspicious", "1 or more", "10.77.0.66: a pickle behind the first one's STOP, which Celery never reads")
    s.expect("pickle-bomb", "2 or more", "10.77.0.66: a memo index, depth as a key")
    s.remark("The worker loads what web1 sends, in protocols 0, 2, 4 and 5. Queue backup has no consumer: what stranger sends is loaded by nobody.")


def keys_of_signers(s):
    """Keys of web1 and app1 that know each other: their folders, for LAB_KEYS."""
    base = certs.authority(os.path.join(s.scratch, "keys"))
    folders = {}
    for owner in ("web1", "app1"):
        cert, key = certs.issue(base, owner)
        folders[owner] = os.path.join(base, owner + ".d")
        os.makedirs(folders[owner] + "/store", exist_ok=True)
        shutil.copy(key, folders[owner] + "/signer.key")
        shutil.copy(cert, folders[owner] + "/signer.pem")
        s.certificates.append(cert)
    for folder in folders.values():
        for cert in s.certificates:
            shutil.copy(cert, folder + "/store")
    return folders


def _signed(s, kind, stack):
    _broker(s, kind)
    keys = keys_of_signers(s)
    s.use(LAB_SERIALIZER="auth")
    s.record()
    w = s.worker("app1", stack, options=("--without-gossip",), env={"LAB_KEYS": keys["app1"]})
    s.produce("web1", stack, "signed", env={"LAB_KEYS": keys["web1"]})
    s.stop(w)
    s.finish()
    _login(s, kind)
    ex.clear_tasks(s)
    s.expect("task-unsigned", 0, "every task is signed (web1's own and those that app1 sends on)")
    s.remark(f"The signers' certificates are in `{s.name}.certs/`; their keys are gone.")
    s.remark("Layout of the signed body: " + ("raw signature (up to 5.4)" if stack == "debian" else "base64 parts (from 5.5)") + ".")


def _protocol1(s, kind, stack):
    _broker(s, kind)
    s.use(LAB_PROTOCOL="1", LAB_TRUST_BODIES="1", LAB_ACCEPT=ALL)
    s.record()
    for serializer, queue in (("json", "legacy"), ("pickle", "older")):
        s.use(LAB_SERIALIZER=serializer, LAB_QUEUE=queue)
        w = s.worker("app1", stack, options=("--without-gossip", "--without-mingle"))
        s.produce("web1", stack, "values", "linked")
        s.stop(w)
    s.use(LAB_SERIALIZER="json", LAB_QUEUE="mixed")
    w = s.worker("app1", stack, options=("--without-gossip", "--without-mingle"))
    s.produce("web1", stack, "fire:2", env={"LAB_PROTOCOL": "2"})
    s.produce("web2", stack, "fire:2")
    s.stop(w)
    s.finish()
    _login(s, kind)
    ex.clear_tasks(s)
    ex.unsigned(s, 3, "legacy, older, mixed")
    s.expect("task-protocol-1", "5", "low: queues legacy and older, each from web1 and (sub-tasks) from app1; medium: queue mixed "
             "from web2, after web1 has sent protocol 2 there")
    s.expect("pickle-serializer", "3", "tasks of web1 to queue older, sub-tasks of app1 to it, results of app1")


for _kind in ("amqp", "redis"):
    _server = {"amqp": "RabbitMQ", "redis": "Redis"}[_kind]
    for _stack in ("debian", "new"):
        _words = {"debian": "Debian's Celery", "new": "the newest Celery of PyPI"}[_stack]
        for _name, _function, _title in (
                ("serializers", _serializers, "tasks and results in pickle, yaml and msgpack"),
                ("compression", _compression, "compressed tasks, every codec of kombu"),
                ("signed", _signed, "tasks signed with Celery's auth serializer, none unsigned"),
                ("protocol1", _protocol1, "task messages of protocol 1 in json and pickle, and a queue that carries both protocols")):
            scenario(f"{_name}-{_kind}-{_stack}", f"{_server}: {_title}; {_words}.")(
                lambda s, f=_function, k=_kind, st=_stack: f(s, k, st))
    scenario(f"pickled-{_kind}", f"{_server}: pickled tasks of every kind that real applications send, and hostile ones that nobody loads.")(
        lambda s, k=_kind: _pickled(s, k))
