"""Attacks on a deployment that signs its tasks: attack_signed.py amqp|redis old|new

What is signed is the body alone. The stranger takes copies of signed tasks off queue vault, which nobody consumes, and has a
key of its own (LAB_STRANGER). The pickle goes to vault too: it is loaded nowhere.
"""

import base64
import json
import os
import sys
import time
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

import attack

SEPARATOR = b"\x00\x01"
KEYS = os.environ["LAB_STRANGER"]


def pack(layout, signer, signature, body, kind=b"application/json"):
    if layout == "new":
        signer, signature = base64.b64encode(signer), base64.b64encode(signature)
    return base64.b64encode(SEPARATOR.join([signer, signature, kind, b"utf-8", body]))


def unpack(layout, text):
    """signer, signature, body"""
    raw = base64.b64decode(text)
    signer, rest = raw.split(SEPARATOR, 1)
    if layout == "new":
        signature, _, _, body = rest.split(SEPARATOR, 3)
        return base64.b64decode(signer), base64.b64decode(signature), body
    _, _, body = rest[256 + 2:].split(SEPARATOR, 2)
    return signer, rest[:256], body


def signed(body):
    with open(KEYS + "/stranger.key", "rb") as f:
        key = serialization.load_pem_private_key(f.read(), None)
    return key.sign(body, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH), hashes.SHA256())


def own_id():
    with open(KEYS + "/stranger.pem", "rb") as f:
        certificate = x509.load_pem_x509_certificate(f.read())
    return f"{' '.join(x.value for x in certificate.issuer)} {certificate.serial_number}".encode()


def stolen_amqp(channel, n):
    messages = [channel.basic_get("vault") for _ in range(n)]
    for m in messages:
        attack.truth.note(what="delivered", id=m.headers["id"], name=m.headers["task"], queue="vault", protocol=2, redelivered=False,
                          by="basic.get")
    return [(m.headers["task"], m.headers["id"], m.body if isinstance(m.body, bytes) else m.body.encode()) for m in messages]


def stolen_redis(client, n):
    envelopes = [json.loads(e) for e in client.lrange("vault", 0, n - 1)]
    return [(e["headers"]["task"], e["headers"]["id"], base64.b64decode(e["body"])) for e in envelopes]


def forge(layout, stolen, send):
    """send(task, body, queue, id)"""
    task, task_id, text = stolen[0]
    signer, signature, body = unpack(layout, text)
    changed = body.replace(b"item", b"safe")
    assert changed != body
    auth = "application/data"
    send(task, pack(layout, signer, signature, changed), auth)                       # tampered, under the stolen signature
    send(task, pack(layout, own_id(), signed(body), body), auth)                     # re-signed by somebody without a certificate
    send(task, pack(layout, signer, signed(changed), changed), auth)                 # the same in web1's name
    send(task, stolen[1][2], auth)                                                   # replayed under another id
    send("shop.echo", stolen[2][2], auth, task_id=stolen[2][1])                      # under its own id and another name
    send(task, text[:len(text) // 2 & ~3], auth)                                     # cut short
    send(task, base64.b64encode(SEPARATOR.join([signer, body])), auth)               # without its other parts
    send(task, attack.body("item", size=1), auth)                                    # says that it is signed
    send(task, attack.body("item", size=1), "application/json")                      # does not
    send(task, pack(layout, own_id(), signed(attack.hostile()), attack.hostile(), b"application/x-python-serialize"), auth,
         queue="vault")


def amqp(layout):
    connection, channel = attack.amqp_open()
    stolen = stolen_amqp(channel, 3)

    def send(task, data, kind, queue="celery", task_id=None):
        attack.amqp_task(channel, task, data, queue, kind, task_id=task_id)
    forge(layout, stolen, send)
    time.sleep(1.5)
    connection.close()


def redis(layout):
    client = attack.redis_open()

    def send(task, data, kind, queue="celery", task_id=None):
        client.lpush(queue, attack.envelope(task, data, queue, kind, task_id=task_id))
    forge(layout, stolen_redis(client, 3), send)
    time.sleep(1.5)


if __name__ == "__main__":
    {"amqp": amqp, "redis": redis}[sys.argv[1]](sys.argv[2])
