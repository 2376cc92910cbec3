"""Captures made from captures: lost and cut packets, tunnels, fragments, other file formats.

Works on classic little-endian microsecond pcap files of Ethernet frames, which is what the lab records.
Every function takes and returns a list of Packet; nothing here is random but by a seed.
"""

import collections
import random
import socket
import struct

Packet = collections.namedtuple("Packet", "sec usec data wire")

DLT_NULL, DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL, DLT_LINUX_SLL2 = 0, 1, 101, 113, 276


def parse(blob):
    """Packets of a pcap file's bytes."""
    magic, _, _, _, _, _, link = struct.unpack_from("<IHHiIII", blob)
    if magic != 0xA1B2C3D4 or link != DLT_EN10MB:
        raise ValueError("not one of the lab's captures")
    at, packets = 24, []
    while at < len(blob):
        sec, usec, kept, wire = struct.unpack_from("<IIII", blob, at)
        packets.append(Packet(sec, usec, blob[at + 16:at + 16 + kept], wire))
        at += 16 + kept
    return packets


def pcap(packets, link=DLT_EN10MB, nano=False, big=False, snaplen=262144):
    """Bytes of a pcap file: either clock, either byte order."""
    order = ">" if big else "<"
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)]
    for p in packets:
        out.append(struct.pack(order + "IIII", p.sec, p.usec * 1000 if nano else p.usec, len(p.data), p.wire))
        out.append(p.data)
    return b"".join(out)


def _block(kind, content):
    content += b"\0" * (-len(content) % 4)
    return struct.pack("<II", kind, len(content) + 12) + content + struct.pack("<I", len(content) + 12)


def pcapng(packets, link=DLT_EN10MB):
    """Bytes of a pcapng file: two interfaces (microseconds, and nanoseconds by option), packets in turn, and a block nobody knows."""
    nanoseconds = struct.pack("<HHB3x", 9, 1, 9) + struct.pack("<HH", 0, 0)
    out = [_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
           _block(1, struct.pack("<HHI", link, 0, 0)), _block(1, struct.pack("<HHI", link, 0, 0) + nanoseconds),
           _block(0x0BAD0BAD, b"unknown blocks are skipped")]
    for i, p in enumerate(packets):
        stamp = (p.sec * 1000000 + p.usec) * (1000 if i % 2 else 1)
        out.append(_block(6, struct.pack("<IIIII", i % 2, stamp >> 32, stamp & 0xFFFFFFFF, len(p.data), p.wire) + p.data))
    return b"".join(out)


# What happens to packets on the way

def lossy(packets, seed, rate):
    """Leaves TCP packets with payload out at random."""
    dice = random.Random(seed)
    return [p for p in packets if not (_payload_length(p.data) and dice.random() < rate)]


def shuffled(packets, seed, rate):
    """Swaps packets with their successors, and sends some twice."""
    dice, out = random.Random(seed), list(packets)
    i = 0
    while i + 1 < len(out):
        if dice.random() < rate:
            a, b = out[i], out[i + 1]
            out[i], out[i + 1] = b._replace(sec=a.sec, usec=a.usec), a._replace(sec=b.sec, usec=b.usec)
            i += 1  # no packet moves twice
        i += 1
    twice = []
    for p in out:
        twice += [p, p] if dice.random() < rate else [p]
    return twice


def later(packets, shifts):
    """Adds to each packet's time the seconds of the last of shifts [(time from which, seconds)...] that had begun."""
    out = []
    for p in packets:
        seconds = max(((begun, more) for begun, more in shifts if begun <= p.sec + p.usec / 1e6), default=(0, 0))[1]
        out.append(p._replace(sec=p.sec + seconds))
    return out


def cut(packets, snaplen):
    return [p._replace(data=p.data[:snaplen]) for p in packets]


def one_way(packets, ports, to_server=True):
    """Only what clients send to those ports, or only what they get."""
    at = 2 if to_server else 0
    return [p for p in packets if (t := _tcp_at(p.data)) and struct.unpack_from("!H", p.data, t + at)[0] in ports]


def resegmented(packets, size):
    """TCP payload in segments of at most size bytes, as a slow path would carry it (IPv4)."""
    out = []
    for p in packets:
        n = _payload_length(p.data)
        if n <= size or p.data[12:14] != b"\x08\x00":
            out.append(p)
            continue
        t = _tcp_at(p.data)
        head = t + (p.data[t + 12] >> 4) * 4
        sequence = struct.unpack_from("!I", p.data, t + 4)[0]
        payload = p.data[head:head + n]
        for at in range(0, n, size):
            piece = payload[at:at + size]
            tcp = bytearray(p.data[t:head])
            struct.pack_into("!I", tcp, 4, (sequence + at) & 0xFFFFFFFF)
            if at + size < n:
                tcp[13] &= ~0x09
            out.append(_with_ip4(p, bytes(tcp) + piece))
    return out


def elsewhere(packets, second, by):
    """The same IPv4 traffic between hosts of another network: 10.<second>.x.y, microseconds later. TCP and IP checksums stay true."""
    out = []
    for p in packets:
        t = _tcp_at(p.data)
        if t is None or p.data[12:14] != b"\x08\x00":
            continue
        frame = bytearray(p.data)
        for at in (26, 30):
            old, frame[at + 1] = frame[at + 1], second
            for check in (24, t + 16):  # one's complement: the new word for the old one (RFC 1624)
                total = (~struct.unpack_from("!H", frame, check)[0] & 0xFFFF) + (0xFFFF - old) + second
                total = (total & 0xFFFF) + (total >> 16)
                struct.pack_into("!H", frame, check, ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)
        usec = p.usec + by
        out.append(p._replace(sec=p.sec + usec // 1000000, usec=usec % 1000000, data=bytes(frame)))
    return out


# What is wrapped around them

def tagged(packets, *tags):
    """VLAN tags after the addresses: 802.1Q, or 802.1ad outside 802.1Q when there are two."""
    kinds = (0x8100,) if len(tags) == 1 else (0x88A8, 0x8100)
    tag = b"".join(struct.pack("!HH", k, t) for k, t in zip(kinds, tags))
    return [p._replace(data=p.data[:12] + tag + p.data[12:], wire=p.wire + len(tag)) for p in packets]


OUTER_MAC = bytes.fromhex("0277ffffff02") + bytes.fromhex("0277ffffff01")
OUTER = ("172.16.77.1", "172.16.77.2")


def _outer(p, protocol, content):
    header = _ip4(OUTER[0], OUTER[1], protocol, len(content))
    frame = OUTER_MAC + b"\x08\x00" + header + content
    return p._replace(data=frame, wire=p.wire + len(frame) - len(p.data))


def vxlan(packets, vni=77):
    return [_outer(p, 17, struct.pack("!HHHH", 49152 + i % 1000, 4789, 16 + len(p.data), 0)
                   + struct.pack("!II", 0x08000000, vni << 8) + p.data) for i, p in enumerate(packets)]


def geneve(packets, vni=77):
    """With an option of eight bytes."""
    option = struct.pack("!HBB", 0x0102, 0x80, 1) + b"\0\0\0\7"
    return [_outer(p, 17, struct.pack("!HHHH", 49152, 6081, 16 + len(option) + len(p.data), 0)
                   + struct.pack("!BBHI", len(option) // 4, 0, 0x6558, vni << 8) + option + p.data) for p in packets]


def gre(packets):
    """IP in GRE, plain for what goes to or from 10.77.0.10, with key and sequence number for the rest; else Ethernet in GRE."""
    out = []
    for i, p in enumerate(packets):
        kind = struct.unpack_from("!H", p.data, 12)[0]
        inner = p.data[14:] if kind in (0x0800, 0x86DD) else p.data
        kind = kind if kind in (0x0800, 0x86DD) else 0x6558
        plain = kind == 0x6558 or bytes((10, 77, 0, 10)) in (p.data[26:30], p.data[30:34])
        extra = b"" if plain else struct.pack("!II", 7, i)
        out.append(_outer(p, 47, struct.pack("!HH", 0 if plain else 0x3000, kind) + extra + inner))
    return out


def linked(packets, link):
    """The same packets as another link type carries them; frames that are not IP stay out of those that carry IP alone."""
    out = []
    for p in packets:
        kind = struct.unpack_from("!H", p.data, 12)[0]
        inner, source = p.data[14:], p.data[6:12]
        if link == DLT_LINUX_SLL:
            head = struct.pack("!HHH", 0, 1, 6) + source + b"\0\0" + struct.pack("!H", kind)
        elif link == DLT_LINUX_SLL2:
            head = struct.pack("!HHIHBB", kind, 0, 3, 1, 0, 6) + source + b"\0\0"
        elif kind not in (0x0800, 0x86DD):
            continue
        elif link == DLT_NULL:
            head = struct.pack("<I", 2 if kind == 0x0800 else 30)
        else:
            head = b""
        out.append(p._replace(data=head + inner, wire=p.wire - 14 + len(head)))
    return out


# Fragments

def fragmented(packets, size, seed):
    """IPv4 and IPv6 packets longer than size in fragments of that size (a multiple of 8), some out of order."""
    dice, out = random.Random(seed), []
    for i, p in enumerate(packets):
        kind = struct.unpack_from("!H", p.data, 12)[0]
        pieces = None
        if kind == 0x0800:
            pieces = _fragments4(p, size, i)
        elif kind == 0x86DD:
            pieces = _fragments6(p, size, i)
        if not pieces:
            out.append(p)
            continue
        if dice.random() < 0.3:
            dice.shuffle(pieces)
        out += pieces
    return out


def _fragments4(p, size, ident):
    total = struct.unpack_from("!H", p.data, 16)[0]
    head = (p.data[14] & 15) * 4
    payload = p.data[14 + head:14 + total]
    if len(payload) <= size:
        return None
    pieces = []
    for at in range(0, len(payload), size):
        piece = payload[at:at + size]
        more = 0x2000 if at + size < len(payload) else 0
        ip = bytearray(p.data[14:14 + head])
        struct.pack_into("!HHH", ip, 2, head + len(piece), ident & 0xFFFF, more | at // 8)
        ip[10:12] = b"\0\0"
        struct.pack_into("!H", ip, 10, checksum(ip))
        frame = p.data[:14] + bytes(ip) + piece
        pieces.append(p._replace(data=frame, wire=len(frame)))
    return pieces


def _fragments6(p, size, ident):
    length, following = struct.unpack_from("!HB", p.data, 18)
    payload = p.data[54:54 + length]
    if len(payload) <= size:
        return None
    pieces = []
    for at in range(0, len(payload), size):
        piece = payload[at:at + size]
        more = 1 if at + size < len(payload) else 0
        ip = bytearray(p.data[14:54])
        struct.pack_into("!HB", ip, 4, 8 + len(piece), 44)
        frame = p.data[:14] + bytes(ip) + struct.pack("!BBHI", following, 0, at | more, ident) + piece
        pieces.append(p._replace(data=frame, wire=len(frame)))
    return pieces


# Helpers

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", bytes(data[:len(data) & ~1]))) + (data[-1] << 8 if len(data) & 1 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _ip4(source, destination, protocol, length):
    header = bytearray(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 0, 0, 64, protocol, 0, socket.inet_aton(source),
                                   socket.inet_aton(destination)))
    struct.pack_into("!H", header, 10, checksum(header))
    return bytes(header)


def _tcp_at(frame):
    """Offset of the TCP header in a plain frame, or None."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == 0x0800 and frame[23] == 6:
        return 14 + (frame[14] & 15) * 4
    if kind == 0x86DD and frame[20] == 6:
        return 54
    return None


def _payload_length(frame):
    t = _tcp_at(frame)
    if t is None:
        return 0
    end = 14 + struct.unpack_from("!H", frame, 16)[0] if frame[12:14] == b"\x08\x00" else 54 + struct.unpack_from("!H", frame, 18)[0]
    return max(0, end - t - (frame[t + 12] >> 4) * 4)


def _with_ip4(p, segment):
    """The packet's addresses around another TCP segment, with true lengths and checksums."""
    ip = bytearray(p.data[14:34])
    struct.pack_into("!H", ip, 2, 20 + len(segment))
    ip[0], ip[10:12] = 0x45, b"\0\0"
    struct.pack_into("!H", ip, 10, checksum(ip))
    tcp = bytearray(segment)
    tcp[16:18] = b"\0\0"
    struct.pack_into("!H", tcp, 16, checksum(bytes(ip[12:20]) + struct.pack("!BBH", 0, 6, len(tcp)) + bytes(tcp)))
    frame = p.data[:14] + bytes(ip) + bytes(tcp)
    return p._replace(data=frame, wire=len(frame))
