"""Random programs of data-only opcodes, and what CPython makes of them.

usage: differential.py COUNT SEED

Writes records to standard output, little-endian: u32 length, then for pickle.loads() and for
pickle.load(BytesIO) each u8 fine, u64 bytes used, u8 kind, u64 value; then the program. Imports and
persistent ids are refused before they can do anything, and count as an error.
"""
import io
import pickle
import random
import resource
import struct
import sys
import warnings

warnings.simplefilter("ignore")
KINDS = {type(None): 1, bool: 2, int: 3, float: 4, str: 5, bytes: 6, bytearray: 7, tuple: 8, list: 9, dict: 10,
         set: 11, frozenset: 12}


class Data(pickle.Unpickler):
    def find_class(self, module, name):
        raise pickle.UnpicklingError("no imports")


class Plain:
    """A file without peek, which is what decides how frames are read."""

    def __init__(self, data):
        self.f = io.BytesIO(data)
        self.read, self.readline, self.readinto = self.f.read, self.f.readline, self.f.readinto


def summary(v):
    kind = KINDS.get(type(v), 0)
    if kind in (2, 3):
        return kind, int(v) & (2**64 - 1)
    if kind == 5:
        return kind, len(v.encode("utf-8", "surrogatepass"))
    if kind in (6, 7, 8, 9):
        return kind, len(v)
    return kind, 0


def outcome_file(data):
    f = Plain(data)
    try:
        v = Data(f).load()
    except BaseException:
        return 0, 0, 0, 0
    return (1, f.f.tell(), *summary(v))


def linear(data):
    """loads() for imports: it has no hook, so programs with them never reach it."""
    try:
        v = pickle.loads(data)
    except BaseException:
        return 0, 0, 0, 0
    return (1, 0, *summary(v))


NUMBERS = [b"0", b"1", b"00", b"01", b"10", b"-5", b" 7", b"7 ", b"+3", b"0x1f", b"010", b"0O17", b"0B11", b"1_000", b"_1",
           b"1__0", b"08", b"9" * 20, b"-" + b"9" * 25, b"5\x00junk", b"\x00", b"", b"axf", b"1L", b"L", b"0x", b"-", b"--1",
           b"\t3", b"3\x0b", b"0_1", b"0x_f", b"0xg", b"00000", b"1e5", b"-0", b"+0", b"9223372036854775808"]
FLOATS = [b"1.5", b"-2", b"1e400", b"INF", b"-INF", b"NAN", b"-NAN", b" 1", b"1 ", b"0x1p3", b"1_0.0", b"", b".5", b"5.",
          b"1e", b"1\x00z", b"+1.25", b"1d5"]
STRINGS = [b"'adf'", b'"adf"', b"'a", b"a'", b"''", b"'", b"", b"'a\\x41'", b"'\\x4'", b"'\\'", b"'\\\\'", b"'\\101'", b"'a'd'",
           b"'\\q'", b"'adf' ", b"'\\n\\t'", b"'\\8'", b"'\xc3\xa9'", b"'\\377'", b"\"'\"", b"'\\x'"]
UNICODES = [b"adf", b"", b"\\u0041", b"\\u004", b"\\U00000041", b"\\U00110000", b"\\\\u0041", b"\xe9", b"\\", b"\\x41", b"\\ud800",
            b"a\\u00e9d", b"\\u00zz", b"\r"]
TEXTS = [b"", b"adf", "\u00e9".encode(), b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x98\x80", b"\xe0\x80\x80",
         b"x" * 40, b"\xc3"]


def counted(r, kind):
    text = r.choice(TEXTS) if r.random() < 0.8 else bytes(r.randrange(0x6a, 0x7e) for _ in range(r.randrange(300))).replace(b"o", b"n")
    n = len(text) + (r.choice([0, 0, 0, 0, 0, 1, -1, 5]) if r.random() < 0.1 else 0)
    n = max(n, 0)
    if kind == 1:
        return bytes([n & 255]) + text[:255]
    return n.to_bytes(kind, "little") + text


def push(r):
    k = r.randrange(24)
    if k < 6:
        return r.choice([b"N", b"\x88", b"\x89", b")", b"]", b"}", b"\x8f"])
    if k < 9:
        return r.choice([b"K" + bytes([r.randrange(256)]), b"M" + r.randbytes(2), b"J" + r.randbytes(4), b"G" + r.randbytes(8)])
    if k == 9:
        return b"I" + r.choice(NUMBERS) + b"\n"
    if k == 10:
        return b"L" + r.choice(NUMBERS) + r.choice([b"", b"L"]) + b"\n"
    if k == 11:
        return b"F" + r.choice(FLOATS) + b"\n"
    if k == 12:
        return b"S" + r.choice(STRINGS) + b"\n"
    if k == 13:
        return b"V" + r.choice(UNICODES) + b"\n"
    if k == 14:
        return r.choice([b"\x8a", b"\x8a", b"U", b"C", b"\x8c"]) + counted(r, 1)
    if k == 15:
        return r.choice([b"\x8b", b"X", b"B", b"T"]) + counted(r, 4)
    if k == 16:
        return r.choice([b"\x8d", b"\x8e", b"\x96"]) + counted(r, 8)
    if k == 17:
        return b"("
    return b"K" + bytes([r.randrange(10)])


def other(r):
    k = r.randrange(15)
    if k < 3:
        return r.choice([b"\x85", b"\x86", b"\x87", b"t", b"l", b"d", b"\x91"])
    if k < 6:
        return r.choice([b"a", b"e", b"s", b"u", b"\x90"])
    if k < 8:
        return r.choice([b"0", b"1", b"2", b"0", b"2"])
    if k < 10:
        return r.choice([b"\x94", b"q" + bytes([r.randrange(6)]), b"r" + r.randrange(300).to_bytes(4, "little")])
    if k < 12:
        return r.choice([b"h" + bytes([r.randrange(6)]), b"j" + r.randrange(6).to_bytes(4, "little")])
    if k == 12:
        n = r.choice([b"0", b"1", b"2", b" 3", b"+1", b"1_0", b"-1", b"", b"x", b"2\x00y", b"007", b"1L"])
        return r.choice([b"p", b"g"]) + n + b"\n"
    if k == 13:
        return b"\x80" + bytes([r.choice([0, 1, 2, 3, 4, 5, 5, 4, 6, 255])])
    n = r.choice([0, 1, 2, 3, 5, 8, 13, 20, 40, (1 << 63) - 1, 1 << 63]) if r.random() < 0.3 else r.randrange(12)
    return b"\x95" + n.to_bytes(8, "little")


def sane(r, depth=0):
    """A program that mostly works."""
    k = r.randrange(9 if depth < 4 else 4)
    memo = r.choice([b"", b"", b"\x94", b"q\x01"])
    if k < 4:
        return push(r).replace(b"(", b"N") + memo if r.random() < 0.9 else b"h\x00"
    items = b"".join(sane(r, depth + 1) for _ in range(r.randrange(4)))
    if k == 4:
        return b"(" + items + r.choice([b"t", b"l", b"\x91"]) + memo
    if k == 5:
        return b"]" + memo + b"(" + items + b"e"
    if k == 6:
        return sane(r, depth + 1) + b"\x85" + memo
    if k == 7:
        return b"}" + memo + b"(" + b"".join(b"K" + bytes([i]) + sane(r, depth + 1) for i in range(r.randrange(3))) + b"u"
    return b"N" + sane(r, depth + 1) + b"0" + memo


def program(r):
    if r.random() < 0.5:
        body = sane(r)
        if r.random() < 0.5:
            at = r.randrange(len(body) + 1)
            body = body[:at] + other(r) + body[at:]
    else:
        body = b"".join(push(r) if r.random() < 0.6 else other(r) for _ in range(r.randrange(1, 25)))
    if r.random() < 0.4:
        n = r.randrange(len(body) + 3)
        body = b"\x95" + n.to_bytes(8, "little") + body
    if r.random() < 0.7:
        body = b"\x80" + bytes([r.randrange(6)]) + body
    if r.random() < 0.95:
        body += b"."
    if r.random() < 0.15 and body:
        at = r.randrange(len(body))
        body = body[:at] + r.randbytes(1) + body[at + 1:]
    return body


REFUSED = set(b"ciRbo\x81\x82\x83\x84\x92\x93PQ\x97\x98")


def greedy(p):
    for i, c in enumerate(p):
        n4 = int.from_bytes(p[i + 1:i + 5], "little")
        n8 = int.from_bytes(p[i + 1:i + 9], "little")
        if c == 0x72 and n4 > 300 or c in b"BXT\x8b\x95" and n4 > 65536 and n8 < 1 << 63:
            return True
        if c in b"\x8d\x8e\x96" and 65536 < n8 < 1 << 63:
            return True
        if c == 0x70 and sum(x in b"0123456789" for x in p[i + 1:i + 12]) > 3:
            return True
    return False


def main(count, seed):
    resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))  # a length can be read out of place
    r = random.Random(seed)
    out = sys.stdout.buffer
    while count > 0:
        p = program(r)
        # The opcodes that could name or run something never come near the loader; neither do indexes and
        # lengths that would make it allocate much.
        if REFUSED & set(p) or greedy(p):
            continue
        count -= 1
        a, b = linear(p), outcome_file(p)
        out.write(struct.pack("<IBQBQBQBQ", len(p), *a, *b) + p)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
