#!/usr/bin/python3
"""projects.py SENSOR - the public captures of other projects, with what those projects themselves say of them."""
import base64
import collections
import glob
import hashlib
import ipaddress
import json
import os
import re
import struct
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PUBLIC = os.path.join(TOP, "../shared/pcaps")
DEEPFLOW, BEATS = PUBLIC + "/deepflowio+deepflow/", PUBLIC + "/elastic+beats_via_andrewkroh/"
MERCURY, TCPDUMP, CORELIGHT = PUBLIC + "/cisco+mercury/", PUBLIC + "/the-tcpdump-group+tcpdump/", PUBLIC + "/corelight+community-id-spec/"

# elastic/beats packetbeat/tests/system/test_0051 to 0053, test_0013.
BEATS_AMQP = {
    "amqp_publish": [{"method": "queue.declare", "queue": "hello"}, {"method": "basic.publish", "exchange": "", "routing_key": "hello"}],
    "amqp_emit_receive": [
        {"method": "exchange.declare", "exchange": "logs", "exchange_type": "fanout"}, {"method": "queue.declare"},
        {"method": "queue.bind", "exchange": "logs"}, {"method": "basic.consume", "no_ack": True},
        {"method": "exchange.declare", "exchange": "logs", "exchange_type": "fanout"}, {"method": "basic.publish", "exchange": "logs"},
        {"method": "basic.deliver", "exchange": "logs", "delivery_tag": 1, "redelivered": False}],
    "amqp_channel_error": [
        {"method": "exchange.declare", "exchange": "titres", "exchange_type": "fanout"}, {"method": "queue.declare", "queue": "my_queue"},
        {"method": "channel.close", "reply_code": 404, "reply_text": "NOT_FOUND"}],
}
BEATS_REDIS = [("SET", "key3", "simple 2"), ("GET", "key3", "bulk 2"), ("LLEN", "key3", "error ERR"), ("LPUSH", "test", "integer"),
               ("LPUSH", "test", "integer"), ("LPUSH", "test", "integer"), ("LLEN", "test", "integer"), ("LINDEX", "test", "bulk 5"),
               ("LINDEX", "test", "null"), ("LINDEX", "test", "bulk 6"), ("LINDEX", "test", "bulk 6")]
# tests/resp_*.out of tcpdump: what its printer shows.
TCPDUMP_COUNTS = {
    "resp_1_benchmark.pcap": {"PING": 2, "SET": 1, "GET": 1, "INCR": 1, "LPUSH": 2, "LPOP": 1, "SADD": 1, "SPOP": 1, "LRANGE": 4, "MSET": 1},
    "resp_2_inline.pcap": {"SET": 2, "INCR": 1, "GET": 2, "LPUSH": 5, "LRANGE": 1, "DEL": 1},
    "resp_4_infiniteloop.pcapng": {},
}
KINDS = {"BulkString": "bulk", "Integer": "integer", "Error": "error", "Array": "array", "SimpleString": "simple"}


def run(sensor, path, emit="commands"):
    done = subprocess.run([sensor, "-q", "-r", path, "--emit", emit], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, (path, done.returncode, done.stderr[-300:])
    return [json.loads(line) for line in done.stdout.splitlines()], done.stdout + done.stderr


def deepflow_amqp(sensor):
    """*.result: one line a frame; of methods class and method."""
    for path in sorted(glob.glob(DEEPFLOW + "amqp*.result")):
        want = collections.Counter()
        last = None
        for line in open(path, encoding="utf-8"):
            m = re.search(r"frame_type: Method.*payload_size: (\d+).*class_id: (\w+), method_id: (\w+)", line)
            # A close that answers is told twice, as a response and as a request of its own.
            twice = m and last == ("Response", m.groups()) and "msg_type: Request" in line
            last = m and (re.search(r"msg_type: (\w+)", line).group(1), m.groups())
            if m and not twice:
                want[m.group(2).lower() + "." + re.sub(r"(?<!^)([A-Z])", r"-\1", m.group(3)).lower()] += 1
        records, _ = run(sensor, path.replace(".result", ".pcap"))
        got = collections.Counter(r["amqp"]["method"] for r in records)
        assert got == want, (os.path.basename(path), {k: (got[k], want[k]) for k in got | want if got[k] != want[k]})


def deepflow_redis(sensor):
    for name in ("redis", "redis-error", "redis-debug"):
        lines = open(DEEPFLOW + name + ".result", encoding="utf-8").read().splitlines()
        asked = [m.group(1).upper() for line in lines if (m := re.search(r'request_type: "(\w+)"', line))]
        answered = [KINDS[m.group(1)] for line in lines if (m := re.search(r"response_result: (\w+)", line)) and m.group(1) in KINDS]
        records, _ = run(sensor, DEEPFLOW + name + ".pcap")
        assert collections.Counter(r["redis"]["command"] for r in records) == collections.Counter(asked), name
        got = [r["redis"]["reply"].split()[0] for r in records if "reply" in r["redis"]]
        assert collections.Counter(got) == collections.Counter(answered), (name, got, answered)
        failed = [r["redis"]["error"] for r in records if "error" in r["redis"]]
        assert failed == [w for line in lines for w in re.findall(r'error: "-(\w+)', line)], (name, failed)


def beats(sensor):
    for name, want in BEATS_AMQP.items():
        records, _ = run(sensor, BEATS + name + ".pcap")
        rest = iter(r["amqp"] for r in records)
        for w in want:  # in this order, others in between
            assert any(all(got.get(k) == v for k, v in w.items()) for got in rest), (name, w)
    records, _ = run(sensor, BEATS + "redis_session.pcap")
    assert [(r["redis"]["command"], r["redis"]["key"], r["redis"]["reply"]) for r in records] == BEATS_REDIS, records
    records, _ = run(sensor, BEATS + "redis_one_transaction.pcap")
    assert [(r["redis"]["command"], r["redis"]["key"]) for r in records] == [("LINDEX", "test")]


def mercury(sensor):
    """test_data/redis_exposed_creds.pcap is there for its credential."""
    for name in ("redis_exposed_creds.pcap", "redis.pcap"):
        records, text = run(sensor, MERCURY + name, "alerts,commands")
        secrets = set(re.findall(rb"(?i)auth\r\n\$\d+\r\n([^\r]+)\r\n(?:\$\d+\r\n([^\r]+)\r\n)?", open(MERCURY + name, "rb").read()))
        assert secrets and any(r.get("rule", {}).get("id") == "cred-redis-cleartext" for r in records), name
        for pair in secrets:
            secret = pair[1] or pair[0]
            assert secret not in text.replace(b'"secret":{', b""), name


def tcpdump(sensor):
    for name, want in TCPDUMP_COUNTS.items():
        records, _ = run(sensor, TCPDUMP + name)
        assert collections.Counter(r["redis"]["command"] for r in records) == want, (name, records)
    # What is meant to hurt a reader is counted, and what is right in it is read.
    records, _ = run(sensor, TCPDUMP + "resp_3_malicious.pcap", "commands,alerts")
    found = collections.Counter(r["redis"]["command"] for r in records if r["event"]["kind"] == "event")
    assert found["PING"] == 9 and found["INCR"] == 3, found
    assert any(r.get("rule", {}).get("id") == "protocol-malformed" for r in records)


def community_id(source, destination, sport, dport, proto=6):
    a, b = (ipaddress.ip_address(source).packed, sport), (ipaddress.ip_address(destination).packed, dport)
    a, b = min(a, b), max(a, b)
    data = b"\0\0" + a[0] + b[0] + bytes([proto, 0]) + struct.pack("!HH", a[1], b[1])
    return "1:" + base64.b64encode(hashlib.sha1(data).digest()).decode()


def corelight(sensor):
    """The reference of Community IDs, over a reader that agrees with its baseline; and no record of what is neither AMQP nor Redis."""
    flows = [f for f in json.load(open(CORELIGHT + "baseline_deflt.json", encoding="utf-8")) if f["proto"] == 6]
    assert flows and all(community_id(f["saddr"], f["daddr"], f["sport"], f["dport"]) == f["communityid"] for f in flows)
    for path in glob.glob(CORELIGHT + "*.pcap*"):
        assert not run(sensor, path, "alerts,commands,tasks")[0], path
    n = 0
    for path in glob.glob(PUBLIC + "/*/*.pcap"):
        for r in run(sensor, path, "alerts,commands")[0]:
            s, d = r["source"], r["destination"]
            assert r["network"]["community_id"] == community_id(s["ip"], d["ip"], s["port"], d["port"]), r
            n += 1
    assert n > 200, n


def amqp_1_0(sensor):
    """kpvdr: AMQP 1.0 is named and not read."""
    for path in glob.glob(PUBLIC + "/kpvdr+amqpAnalyze/*"):
        records, _ = run(sensor, path, "alerts,commands,stats")
        assert not [r for r in records if r["event"]["dataset"] == "celeriac.command"], path
        assert not [r for r in records if r.get("rule", {}).get("id") == "protocol-malformed"], path


def main():
    if not os.path.isdir(PUBLIC):
        print("SKIP: no public captures")
        return 77
    failed = 0
    for check in (deepflow_amqp, deepflow_redis, beats, mercury, tcpdump, corelight, amqp_1_0):
        try:
            check(sys.argv[1])
            print("ok", check.__name__)
        except AssertionError as e:
            failed += 1
            print("FAIL", check.__name__, str(e)[:600])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
