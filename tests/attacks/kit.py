"""Connections written by hand, as captures, and what the sensor says of them."""
import json
import os
import struct
import subprocess
import tempfile

CLIENT, SERVER = "10.1.0.1", "10.1.0.2"
ALL = "alerts,tasks,results,workers,control,commands,inventory"


def resp(*words):
    """One request, an array of bulk strings."""
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def short(text):
    text = text if isinstance(text, bytes) else text.encode()
    return bytes([len(text)]) + text


def long_(text):
    text = text if isinstance(text, bytes) else text.encode()
    return struct.pack("!I", len(text)) + text


def frame(kind, channel, payload, end=b"\xce"):
    return struct.pack("!BHI", kind, channel, len(payload)) + payload + end


def method(channel, of, number, arguments=b""):
    return frame(1, channel, struct.pack("!HH", of, number) + arguments)


def table(**fields):
    """Values are long strings, or (type byte, raw bytes)."""
    out = b""
    for name, v in fields.items():
        kind, raw = v if isinstance(v, tuple) else (b"S", long_(v))
        out += short(name) + kind + raw
    return long_(out)


def content(channel, body, size=None, content_type="application/json", headers=None, chunk=None, encoding="utf-8"):
    """Header and body frames."""
    flags, props = 0, b""
    for bit, value in ((0x8000, content_type), (0x4000, encoding)):
        if value is not None:
            flags, props = flags | bit, props + short(value)
    if headers is not None:
        flags, props = flags | 0x2000, props + headers
    out = frame(2, channel, struct.pack("!HHQH", 60, 0, len(body) if size is None else size, flags) + props)
    step = chunk or max(len(body), 1)
    for at in range(0, len(body), step):
        out += frame(3, channel, body[at:at + step])
    return out


def publish(channel, exchange, key, body, **kw):
    return method(channel, 60, 40, b"\0\0" + short(exchange) + short(key) + b"\0") + content(channel, body, **kw)


HELLO = b"AMQP\0\0\x09\x01"
START = method(0, 10, 10, b"\0\x09" + table(product="RabbitMQ", version="3.12.1") + long_("PLAIN AMQPLAIN") + long_("en_US"))
TUNE = method(0, 10, 30, struct.pack("!HIH", 2047, 131072, 60))
TUNE_OK = method(0, 10, 31, struct.pack("!HIH", 2047, 131072, 60))
OPEN = method(0, 10, 40, short("/") + b"\0\0")
OPEN_OK = method(0, 10, 41, b"\0")


def start_ok(mechanism="PLAIN", response=b"\0shop\0k7Qz-harbor", properties=None):
    return method(0, 10, 11, (table(product="py-amqp") if properties is None else properties) + short(mechanism) + long_(response) + short("en_US"))


def login(**kw):
    """The turns of a whole AMQP login with one channel open."""
    return [(">", HELLO), ("<", START), (">", start_ok(**kw)), ("<", TUNE), (">", TUNE_OK + OPEN), ("<", OPEN_OK),
            (">", method(1, 20, 10, b"\0")), ("<", method(1, 20, 11, long_("")))]


class Capture:
    """Packets in order of writing, a millisecond apart."""

    def __init__(self):
        self.packets, self.now, self.port = [], 1_760_000_000_000_000_000, 40000

    def packet(self, data):
        self.packets.append((self.now, data))
        self.now += 1_000_000

    def tcp(self, source, sport, destination, dport, seq, ack, flags, payload=b""):
        head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 0, 0x4000, 64, 6, 0,
                         bytes(map(int, source.split("."))), bytes(map(int, destination.split("."))))
        self.packet(b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + head + payload)

    def talk(self, port, turns, cut=None, client=CLIENT, server=SERVER, syn=True, fin=True, order=None, drop=()):
        """turns: (">" or "<", bytes). cut: largest segment. order: rearranges the list of segments. drop: numbers of segments lost."""
        self.port += 1
        cport, seq = self.port, {">": 1000, "<": 5000}
        if syn:
            self.tcp(client, cport, server, port, 999, 0, 2)
            self.tcp(server, port, client, cport, 4999, 1000, 18)
            self.tcp(client, cport, server, port, 1000, 5000, 16)
        segments = []
        for way, data in turns:
            step = cut or 1400
            for at in range(0, len(data), step):
                piece = data[at:at + step]
                segments.append((way, seq[way], seq["<" if way == ">" else ">"], piece))
                seq[way] += len(piece)
        segments = [s for i, s in enumerate(segments) if i not in drop]
        for way, s, a, piece in order(segments) if order else segments:
            ends = (client, cport, server, port) if way == ">" else (server, port, client, cport)
            self.tcp(*ends, s, a, 24, piece)
        if fin:
            self.tcp(client, cport, server, port, seq[">"], seq["<"], 17)
            self.tcp(server, port, client, cport, seq["<"], seq[">"] + 1, 17)
        return self

    def bytes(self):
        return pcap(self.packets)


def pcap(packets):
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)]
    for at, data in packets:
        out += [struct.pack("<IIII", at // 10**9, at % 10**9, len(data), len(data)), data]
    return b"".join(out)


class Said:
    def __init__(self, done):
        self.out, self.err, self.code = done.stdout, done.stderr, done.returncode
        self.records = [json.loads(line) for line in self.out.splitlines()]

    def alerts(self, rule=None):
        return [r for r in self.records if r["event"]["kind"] == "alert" and rule in (None, r["rule"]["id"])]

    def rules(self):
        return sorted({r["rule"]["id"] for r in self.alerts()})

    def commands(self):
        return [r["redis"]["command"] if "redis" in r else r["amqp"]["method"] for r in self.records if r["event"]["dataset"] == "celeriac.command"]


def sense(sensor, capture, *options, emit=ALL):
    with tempfile.NamedTemporaryFile(suffix=".pcap", prefix="attack-") as f:
        f.write(capture.bytes() if isinstance(capture, Capture) else capture)
        f.flush()
        name = os.path.basename(f.name)
        done = subprocess.run([sensor, "-v", "-r", f.name, "--no-fold", "--emit", emit, *options], capture_output=True, check=False, timeout=120)
        done.stdout = done.stdout.replace(name.encode(), b"made.pcap")
        return Said(done)
