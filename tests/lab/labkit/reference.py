"""AMQP methods and Redis commands in a whole capture, counted by a plain reader that shares nothing with the sensor.

For captures of Ethernet frames without losses, tunnels or fragments, whose connections begin in them.
"""

import collections
import struct
import subprocess

from . import rewrite

TOOLS = {".xz": ["xz", "-dc"], ".zst": ["zstd", "-dcq"], ".gz": ["gzip", "-dc"], ".lz4": ["lz4", "-dcq"]}
CONTAINERS = {"ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY", "MEMORY", "MODULE", "OBJECT", "PUBSUB", "SCRIPT",
              "SENTINEL", "SLOWLOG", "XGROUP", "XINFO"}
METHODS = {
    10: {10: "start", 11: "start-ok", 20: "secure", 21: "secure-ok", 30: "tune", 31: "tune-ok", 40: "open", 41: "open-ok", 50: "close",
         51: "close-ok", 60: "blocked", 61: "unblocked", 70: "update-secret", 71: "update-secret-ok"},
    20: {10: "open", 11: "open-ok", 20: "flow", 21: "flow-ok", 40: "close", 41: "close-ok"},
    40: {10: "declare", 11: "declare-ok", 20: "delete", 21: "delete-ok", 30: "bind", 31: "bind-ok", 40: "unbind", 51: "unbind-ok"},
    50: {10: "declare", 11: "declare-ok", 20: "bind", 21: "bind-ok", 30: "purge", 31: "purge-ok", 40: "delete", 41: "delete-ok",
         50: "unbind", 51: "unbind-ok"},
    60: {10: "qos", 11: "qos-ok", 20: "consume", 21: "consume-ok", 30: "cancel", 31: "cancel-ok", 40: "publish", 50: "return", 60: "deliver",
         70: "get", 71: "get-ok", 72: "get-empty", 80: "ack", 90: "reject", 100: "recover-async", 110: "recover", 111: "recover-ok", 120: "nack"},
    85: {10: "select", 11: "select-ok"},
    90: {10: "select", 11: "select-ok", 20: "commit", 21: "commit-ok", 30: "rollback", 31: "rollback-ok"},
}
CLASSES = {10: "connection", 20: "channel", 40: "exchange", 50: "queue", 60: "basic", 85: "confirm", 90: "tx"}


def count(path):
    """Counter of names as the sensor writes them; None if the capture is not of the kind above."""
    tool = next((argv for ext, argv in TOOLS.items() if path.endswith(ext)), ["cat"])
    try:
        packets = rewrite.parse(subprocess.run([*tool, path], check=True, capture_output=True).stdout)
    except (ValueError, struct.error):
        return None
    if any(p.data[12:14] == b"\x08\x00" and struct.unpack_from("!H", p.data, 20)[0] & 0x3FFF for p in packets):
        return None
    if any(p.data[12:14] == b"\x86\xdd" and p.data[20] == 44 for p in packets):
        return None
    found = collections.Counter()
    for (_, port, to_server), stream in _streams(packets).items():
        if port == 5672 and stream is not None:
            found.update(_amqp(stream, to_server))
        elif port == 6379 and to_server and stream is not None:
            found.update(_redis(stream))
    return found if found else None


def _streams(packets):
    """(connection, server's port, to the server?) -> bytes in order. A connection is told by its addresses, ports and SYN."""
    parts, starts = {}, {}
    for p in packets:
        t = rewrite._tcp_at(p.data)
        if t is None:
            continue
        source, destination = struct.unpack_from("!HH", p.data, t)
        sequence, flags = struct.unpack_from("!I", p.data, t + 4)[0], p.data[t + 13]
        key = p.data[26:34] + p.data[t:t + 4] if p.data[12:14] == b"\x08\x00" else p.data[22:54] + p.data[t:t + 4]
        to_server = destination < source
        if flags & 2:
            starts[key] = (sequence + 1) & 0xFFFFFFFF
            continue
        n = rewrite._payload_length(p.data)
        if n and key in starts:
            head = t + (p.data[t + 12] >> 4) * 4
            at = (sequence - starts[key]) & 0xFFFFFFFF
            name = (key + starts[key].to_bytes(4, "big"), min(source, destination), to_server)
            parts.setdefault(name, {})[at] = p.data[head:head + n]
    return {name: _joined(pieces) for name, pieces in parts.items()}


def _joined(pieces):
    out = bytearray()
    for at in sorted(pieces):
        if at > len(out):
            return None
        out += pieces[at][len(out) - at:]
    return bytes(out)


def _amqp(stream, to_server):
    """Names of the methods. Protocol headers are none; a connection of another version is none of ours."""
    at = 0
    if stream[:4] == b"AMQP":
        if stream[:8] != b"AMQP\0\0\x09\x01":
            return
        at = 8
    while at + 8 <= len(stream):
        kind, _, size = struct.unpack_from("!BHI", stream, at)
        if kind not in (1, 2, 3, 8) or stream[at + 7 + size:at + 8 + size] != b"\xce":
            return
        if kind == 1:
            of, method = struct.unpack_from("!HH", stream, at + 7)
            yield f"{CLASSES[of]}.{METHODS[of][method]}"
        at += 8 + size


def _redis(stream):
    """Names of the commands: arrays of bulk strings, or inline."""
    at, http = 0, False
    while (end := stream.find(b"\r\n", at)) >= 0:
        if stream[at:at + 1] == b"*":
            items, words, at = int(stream[at + 1:end]), [], end + 2
            for _ in range(items):
                end = stream.index(b"\r\n", at)
                n = int(stream[at + 1:end])
                words.append(stream[end + 2:end + 2 + n])
                at = end + 4 + n
        else:
            words, at = stream[at:end].split(), end + 2
        http |= words[:1] == [b"POST"]
        if http and words:  # not Redis at all: the server hangs up on these two, and no other word is shown
            yield words[0].decode().upper() if words[0].upper() in (b"POST", b"HOST:") else f"<{len(words[0])} bytes>"
        elif words:
            name = words[0].decode("ascii", "replace").upper()
            yield f"{name} {words[1].decode('ascii', 'replace').upper()}" if name in CONTAINERS and len(words) > 1 else name

