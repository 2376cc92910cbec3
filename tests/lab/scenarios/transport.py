"""One small deployment on both brokers, seen in every way a sensor may see it."""

import os
import shutil
import time

from labkit import certs, rewrite, scene as scenes

from . import scenario
from . import expectations as ex

BASE = "transport-base"
BOTH = "RabbitMQ and Redis, a worker and a producer each"


def _work(s, before=None):
    """A little of everything on both brokers; calls before() when all connections stand."""
    s.on_amqp()
    wa = s.worker("app1", "new", options=("-E", "--without-gossip", "--without-mingle"))
    s.on_redis()
    wr = s.worker("app2", "debian", options=("-E", "--without-gossip", "--without-mingle"))
    if before:
        before()
    s.on_amqp()
    s.produce("web1", "new", "plain:4", "table", "fire:3")
    s.on_redis()
    s.produce("web2", "debian", "plain:4", "table", "fire:3")
    time.sleep(0.5)
    s.stop(wa)
    s.stop(wr)


def _both(s):
    ex.amqp_login(s)
    ex.redis_login(s)
    ex.clear_tasks(s, 2)
    ex.unsigned(s, 2, "celery on RabbitMQ (vhost shop), celery on Redis (database 0)")


@scenario(BASE, f"{BOTH}; the source of the captures whose names begin with `transport-`.")
def base(s):
    s.rabbit()
    s.redis()
    s.record()
    _work(s)
    s.finish()
    _both(s)


def _from_base(s, source=BASE):
    """Packets and truth of the base capture."""
    s.derived = source
    s.made.append(f"`{source}` as recorded: see `{source}.md`")
    shutil.copyfile(os.path.join(scenes.PCAPS, source + ".truth.jsonl"), s.truth)
    return rewrite.parse(scenes.unpacked(source))


def _write(s, packets, pack=None, data=None, **kw):
    s.packets = len(packets)
    with open(s.pcap, "wb") as f:
        f.write(data if data is not None else rewrite.pcap(packets, **kw))
    s.pack = pack


def _same(name, title, change, pack, expect=_both, source=BASE, remark=None, **kw):
    """A capture in which everything of the base must be found."""
    def make(s):
        _write(s, change(_from_base(s, source)), pack, **kw)
        expect(s)
        s.remark("Every task message of the source must be found, published and delivered.")
        if remark:
            s.remark(remark)
    scenario(name, title)(make)


_same("transport-vlan", f"{BOTH}, in VLAN 77 (802.1Q).", lambda p: rewrite.tagged(p, 77), "gz", remark="network.vlan.id is 77.")
_same("transport-qinq", f"{BOTH}, in VLAN 77 inside service VLAN 7 (802.1ad).", lambda p: rewrite.tagged(p, 7, 77), "xz")
_same("transport-vxlan", f"{BOTH}, mirrored through VXLAN.", rewrite.vxlan, "zst",
      remark="Addresses in records are the inner ones; the outer are 172.16.77.1 and .2.")
_same("transport-geneve", f"{BOTH}, mirrored through GENEVE with an option.", rewrite.geneve, "lz4")
_same("transport-gre", f"{BOTH}, through GRE: RabbitMQ's plain, Redis' with key and sequence numbers, ARP as bridged Ethernet.", rewrite.gre, "xz")
_same("transport-fragments", f"{BOTH}, IP payloads above 400 bytes in fragments, a third of them out of order.",
      lambda p: rewrite.fragmented(p, 400, seed=7), "zst")
_same("transport-shuffled", f"{BOTH}, one packet in twelve behind its successor, one in twelve twice.",
      lambda p: rewrite.shuffled(p, seed=11, rate=1 / 12), "zst")
_same("transport-slivers", f"{BOTH}, payload in segments of 23 bytes.", lambda p: rewrite.resegmented(p, 23), "xz")
_same("transport-sll", f"{BOTH}, as Linux cooked capture.", lambda p: rewrite.linked(p, rewrite.DLT_LINUX_SLL), "gz", link=rewrite.DLT_LINUX_SLL)
_same("transport-sll2", f"{BOTH}, as Linux cooked capture, version 2.", lambda p: rewrite.linked(p, rewrite.DLT_LINUX_SLL2), "zst",
      link=rewrite.DLT_LINUX_SLL2)
_same("transport-raw", f"{BOTH}, as raw IP, in a big-endian file.", lambda p: rewrite.linked(p, rewrite.DLT_RAW), "lz4", link=rewrite.DLT_RAW, big=True)
_same("transport-null", f"{BOTH}, as BSD loopback, with nanoseconds.", lambda p: rewrite.linked(p, rewrite.DLT_NULL), "gz", link=rewrite.DLT_NULL,
      nano=True)


@scenario("transport-pcapng", f"{BOTH}, as pcapng with two interfaces of different clocks and a block nobody knows.")
def ng(s):
    packets = _from_base(s)
    _write(s, packets, "zst", data=rewrite.pcapng(packets))
    s.suffix = ".pcapng"
    _both(s)
    s.remark("Every task message of the source must be found, published and delivered.")


def _subset(name, title, change, pack, remark):
    def make(s):
        _write(s, change(_from_base(s)), pack)
        s.expect("task-unsigned", "at most 3", "as in the source, where a task can still be read; a clipped copy may not show its queue")
        s.expect("broker-cleartext", "at most 2", "likewise")
        s.expect("cred-amqp-cleartext", "at most 1", "likewise")
        s.expect("cred-redis-cleartext", "at most 1", "likewise")
        s.expect("protocol-malformed", 0, "a gap in the capture is not the sender's fault")
        s.remark("The truth is that of the source: what is found is a part of it, nothing may be invented, and records say what they miss "
                 "(`celeriac.coverage`).")
        s.remark(remark)
    scenario(name, title)(make)


_subset("transport-lossy2", f"{BOTH}; 2 % of the packets with payload are missing.", lambda p: rewrite.lossy(p, 3, 0.02), "zst",
        "More than half of the task messages are still there.")
_subset("transport-lossy20", f"{BOTH}; 20 % of the packets with payload are missing.", lambda p: rewrite.lossy(p, 5, 0.2), "xz",
        "Both streams must be found again after each gap.")
_subset("transport-snap96", f"{BOTH}; packets cut at 96 bytes.", lambda p: rewrite.cut(p, 96), "gz",
        "Bodies are clipped nearly everywhere; small commands and methods are whole.")
_subset("transport-snap512", f"{BOTH}; packets cut at 512 bytes.", lambda p: rewrite.cut(p, 512), "zst",
        "Most envelopes are longer than that; names and ids at their head can be read.")
_subset("transport-to-server", f"{BOTH}; only what clients send.", lambda p: rewrite.one_way(p, (5672, 6379)), "zst",
        "Published tasks are all there, and on Redis what the worker writes to `unacked`; no deliveries of RabbitMQ. Coverage: one-way.")
_subset("transport-to-client", f"{BOTH}; only what servers send.", lambda p: rewrite.one_way(p, (5672, 6379), False), "xz",
        "Delivered tasks only. Coverage: one-way. No login is seen: no cred-.")


@scenario("midstream", f"{BOTH}; the capture begins when all of the workers' connections stand.")
def midstream(s):
    s.rabbit()
    s.redis()
    _work(s, before=s.record)
    s.finish()
    _both(s)
    s.expect("broker-no-auth", 0, "connections seen only in mid-stream prove nothing")
    s.expect_later("worker-silent", 0, "consumers seen only in mid-stream")
    s.remark("The producers connect after the start: their logins are seen. The workers' connections are mid-stream to the end.")


@scenario("midstream-producer", "RabbitMQ and Redis; the capture begins in the middle of busy connections, producers' and workers'.")
def midstream_busy(s):
    from labkit.stacks import SHOP, Stack
    s.rabbit()
    s.redis()
    s.on_amqp()
    wa = s.worker("app1", "debian", options=("-E", "--without-gossip", "--without-mingle"))
    pa = s.host("web1").start([Stack("debian").python, SHOP + "/produce.py", "steady:80:0.05"], env=s._env("producer", None), log="pa")
    s.on_redis()
    wr = s.worker("app2", "new", options=("-E", "--without-gossip", "--without-mingle"))
    pr = s.host("web2").start([Stack("new").python, SHOP + "/produce.py", "steady:60:0.05"], env=s._env("producer", None), log="pr")
    s.made.append("web1 and web2: produce.py steady, a task every 50 ms; the capture starts while both are at it")
    time.sleep(1.0)
    s.record()
    pa.wait(60)
    pr.wait(60)
    s.stop(wa)
    s.stop(wr)
    s.finish()
    ex.clear_tasks(s, 2)
    ex.unsigned(s, 2, "celery on both")
    s.expect("cred-amqp-cleartext", "0 or 1", "only a login after the start")
    s.expect("cred-redis-cleartext", "0 or 1", "likewise")
    s.expect("broker-no-auth", 0, "connections seen only in mid-stream prove nothing")
    s.remark("The truth starts with the capture; a message that was under way at that moment may be in one and not in the other (at most "
             "two ids a side).")


@scenario("ipv6", f"{BOTH}, over IPv6.", ipv6=True)
def ipv6(s):
    rabbit, redis = s.rabbit(), s.redis()
    s.record(expression="tcp")
    s.on_amqp(url=rabbit.url(address=f"[{rabbit.host.ip6}]"))
    wa = s.worker("app1", "new", options=("-E", "--without-gossip", "--without-mingle"))
    s.produce("web1", "new", "plain:4", "table", "fire:3")
    s.stop(wa)
    s.on_redis(url=redis.url(address=f"[{redis.host.ip6}]"))
    wr = s.worker("app2", "debian", options=("-E", "--without-gossip", "--without-mingle"))
    s.produce("web2", "debian", "plain:4", "table", "fire:3")
    s.stop(wr)
    s.finish()
    _both(s)


_same("transport-fragments6", f"{BOTH}, over IPv6, payloads above 400 bytes in fragments.", lambda p: rewrite.fragmented(p, 400, seed=9), "zst",
      source="ipv6")


@scenario("other-protocols", "A RabbitMQ that carries tasks and also serves AMQP 1.0, STOMP, MQTT and streams, each with a login.")
def other_protocols(s):
    s.rabbit(plugins=("rabbitmq_amqp1_0", "rabbitmq_stomp", "rabbitmq_mqtt", "rabbitmq_stream"))
    for port in (61613, 1883, 5552):
        s.host("mq").wait_port(port, 30)
    s.on_amqp()
    s.record()
    w = s.worker("app1", "debian", options=("--without-gossip",))
    s.produce("web1", "debian", "plain:3")
    s.produce("web2", "new", "amqp10", "stomp", "mqtt", "stream", script="hello.py")
    s.produce("web1", "debian", "plain:1")
    s.stop(w)
    s.finish()
    ex.amqp_tasks(s)
    s.expect("broker-unread-protocol", "1 to 4", "AMQP 1.0 on 5672, STOMP on 61613, MQTT on 1883, streams on 5552; folded by broker (and protocol, where "
             "that is an evidence class) for a day")


@scenario("tls", "RabbitMQ on 5671 and Redis on 6379, both with TLS: nothing can be read, and that is what must be said.")
def tls(s):
    s.expect("(none)", 0, "no alert; statistics count encrypted broker flows on 5671 and 6379")
    folder = certs.authority(os.path.join(s.scratch, "tls"), "/O=Shop Lab/CN=Lab TLS CA")

    class Files:
        ca = folder + "/ca.pem"
        cert, key = certs.issue(folder, "broker", extra="subjectAltName=IP:10.77.0.10,IP:10.77.0.11,DNS:mq,DNS:redis\n")
    rabbit = s.rabbit(tls=Files)
    redis = s.redis(tls=Files, port=6390, tls_port=6379)
    s.use(LAB_TLS_CA=Files.ca)
    s.record()
    s.on_amqp(url=rabbit.url().replace("amqp://", "amqps://").replace(":5672", ":5671"))
    wa = s.worker("app1", "new", options=("--without-gossip",))
    s.produce("web1", "new", "plain:3")
    s.stop(wa)
    s.on_redis(url=redis.url().replace("redis://", "rediss://").replace(":6390", ":6379"))
    wr = s.worker("app2", "debian", options=("--without-gossip",))
    s.produce("web2", "debian", "plain:3")
    s.stop(wr)
    s.finish()
    s.remark("The truth lists tasks that no sensor can see here.")


@scenario("far-network", "RabbitMQ and Redis with clients in two networks (10.77.0.0/24 and 10.77.9.0/24), each logging in again and again.")
def far(s):
    s.rabbit()
    s.redis()
    s.record()
    s.on_amqp()
    w = s.worker("app1", "debian", options=("--without-gossip",))
    for _ in range(3):
        s.produce("far1", "debian", "fire:1")
    s.stop(w)
    s.on_redis()
    w = s.worker("app2", "new", options=("--without-gossip",))
    for _ in range(3):
        s.produce("far1", "new", "fire:1")
    s.produce("far1", "new", "exporter:5", script="neighbours.py")
    s.stop(w)
    s.finish()
    ex.amqp_login(s, 2)
    ex.redis_login(s, 2)
    ex.clear_tasks(s, 2)
    ex.unsigned(s, 2, "celery on both")
    s.remark("cred-: one for 10.77.0.0/24 and one for 10.77.9.0/24 on each broker; the exporter logs in five times and adds none.")
