"""Random documents, read by Python's own modules and by our readers: both must say the same.

    differential.py ANSWER json|base64|yaml|msgpack [SEED [COUNT]]

ANSWER is the program made of answer.c. A document is a valid one, changed at random places half of
the time, or made of random pieces.
"""
import base64
import binascii
import json
import math
import random
import subprocess
import sys

INT_MOST = 2**63 - 1


class Broken(Exception):
    pass


# ---- what the program said, as a value -------------------------------------------------------

def build(lines):
    """The value of a list of token lines; maps as lists of pairs, so that double keys count."""
    stack = [("top", [])]
    for line in lines:
        kind, _, rest = line.partition(" ")
        text = rest.split(" ")[0]
        if kind in "{[":
            stack.append((kind, []))
            continue
        if kind in "}]":
            opened, items = stack.pop()
            assert opened == ("{" if kind == "}" else "["), "containers cross"
            if opened == "{":
                assert len(items) % 2 == 0, "a key without a value"
                items = ("map", [(items[i], items[i + 1]) for i in range(0, len(items), 2)])
            stack[-1][1].append(items)
            continue
        stack[-1][1].append(scalar(kind, text))
    assert len(stack) == 1 and len(stack[0][1]) <= 1, "not one document"
    return stack[0][1][0] if stack[0][1] else None


def scalar(kind, text):
    if kind == "i":
        return int(text)
    if kind == "f":
        return float(text)
    if kind == "b":
        return bytes.fromhex(text)
    if kind in "sk":
        return bytes.fromhex(text).decode("utf-8", "surrogatepass")
    return {"T": True, "F": False, "N": None}[kind]


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return a == b


class Program:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, letter, document):
        self.process.stdin.write(b"%s%d\n%s" % (letter, len(document), document))
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline().decode().rstrip("\n")
            if line.startswith("end "):
                return lines, line[4:]
            if not line and self.process.poll() is not None:
                raise SystemExit("the program ended")
            lines.append(line)


# ---- JSON ----------------------------------------------------------------------------------------

def saturated(n):
    return max(-INT_MOST - 1, min(INT_MOST, n))


def python_json(document):
    try:
        text = document.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise Broken("not text")
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: ("map", [tuple(p) for p in pairs]),
                          parse_int=lambda s: saturated(int(s)))
    except (ValueError, RecursionError):
        raise Broken("json")


def random_text(rng):
    pool = ["a", "key", "\"", "\\", "/", "\n", "\x01", "\x7f", "é", "\u20ac", "\U0001f600", "\ud800", " ", "{", "]"]
    return "".join(rng.choice(pool) for _ in range(rng.choice([0, 1, 3, 10, 40, 200])))


def random_value(rng, depth=0, keys=random_text):
    kind = rng.randrange(11 if depth < 5 else 7)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice([0, 1, -1, 255, 2**31, -2**31, 2**63 - 1, -2**63, rng.randrange(-10**6, 10**6)])
    if kind == 2:
        return rng.choice([0.0, -0.0, 1.5, 1e100, -1e-300, 0.1, 1.7976931348623157e308, rng.random(),
                           rng.random() * 10 ** rng.randrange(-30, 30), 1700000000.123456])
    if kind < 7:
        return random_text(rng)
    if kind < 9:
        return [random_value(rng, depth + 1, keys) for _ in range(rng.choice([0, 1, 2, 5]))]
    return {keys(rng): random_value(rng, depth + 1, keys) for _ in range(rng.choice([0, 1, 2, 5]))}


def mangle(rng, document, pool):
    document = bytearray(document)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        at = rng.randrange(len(document) + 1)
        kind = rng.randrange(4)
        if kind == 0 and at < len(document):
            del document[at:at + rng.choice([1, 1, 2, 10])]
        elif kind == 1:
            document[at:at] = rng.choice(pool)
        elif kind == 2 and at < len(document):
            document[at] = rng.randrange(256)
        else:
            document[at:at + 1] = rng.choice(pool)
    return bytes(document)


JSON_POOL = [b"{", b"}", b"[", b"]", b",", b":", b"\"", b"\\", b"\\u", b"\\ud83d", b"\\ude00", b"\\u00e9", b"-", b"0", b"01",
             b"1.", b".5", b"e", b"E+", b"1e5", b"-0", b"NaN", b"Infinity", b"-Infinity", b"nul", b"null", b"true",
             b"fals", b" ", b"\t", b"\r\n", b"\x00", b"\x1f", b"\x0b", b"\xef\xbb\xbf", b"/*", b"'", b"123456789012345678901",
             b"9007199254740993", b"1e400", b"4.9e-324", b"2.2250738585072011e-308", b"0.1e1", b"1E-2"]


def random_json(rng):
    if rng.random() < 0.3:
        return b"".join(rng.choice(JSON_POOL) for _ in range(rng.randrange(1, 12)))
    document = json.dumps(random_value(rng), ensure_ascii=rng.random() < 0.5,
                          separators=rng.choice([None, (",", ":"), (" , ", "\t:\n")]),
                          indent=rng.choice([None, None, 1])).encode("utf-8", "surrogatepass")
    return mangle(rng, document, JSON_POOL) if rng.random() < 0.6 else document


# ---- base64 --------------------------------------------------------------------------------------

def random_base64(rng):
    alphabet = b"ABCXYZabcxyz0189+/"
    odd = [b"=", b"=", b"==", b"\n", b"\r\n", b"*", b"-", b"_", b"\x00", b"\xff", b" "]
    if rng.random() < 0.5:
        text = base64.b64encode(rng.randbytes(rng.choice([0, 1, 2, 3, 11, 12, 13, 48, 100, 1000])))
        return mangle(rng, text, odd + [b"A", b"zz"]) if rng.random() < 0.8 else text
    parts = []
    for _ in range(rng.randrange(1, 30)):
        parts.append(rng.choice(odd) if rng.random() < 0.4 else bytes(rng.choices(alphabet, k=rng.choice([1, 2, 3, 4, 20]))))
    return b"".join(parts)


def check_base64(program, rng):
    text = random_base64(rng)
    for letter, decode in ((b"b", base64.b64decode), (b"u", base64.urlsafe_b64decode)):
        lines, end = program.ask(letter, text)
        ours = bytes.fromhex(lines[0])
        try:
            theirs = decode(text)
        except binascii.Error:
            if end != "broken":
                return text, "Python refuses it, we do not"
            continue
        if end != "whole" or ours != theirs:
            return text, "Python %r, ours %r %s" % (theirs, ours, end)
    return None


# ---- YAML ----------------------------------------------------------------------------------------

YAML_SCALARS = ("null Null ~ true True yes NO on off y n 0 1 -1 +12 0o7 017 08 0x1F 0b101 1_000 190:20:30 1:99 0:1 "
                "1.5 -1.5e+3 1e3 1.5e3 .5 -.5 . .. ._ 1. 1_0.5_0 .inf -.INF +.Inf .nan -.nan 190:20:30.15 0_7 _1 0b "
                "2001-12-14 2001-12-14t21:59:43.10-05:00 abc a_b 12e03 685.230_15e+03 = << 0b_1 +0x1f -0b1 1:5:09 00 0").split()


def pairs_of(node, loader):
    """The value of a node, maps as pairs, numbers as the safe loader makes them."""
    import yaml
    if isinstance(node, yaml.ScalarNode):
        if node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
            value = loader.construct_object(node)
            return saturated(value) if isinstance(value, int) else value
        if node.tag == "tag:yaml.org,2002:bool":
            return loader.construct_object(node)
        if node.tag == "tag:yaml.org,2002:null":
            return None
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [pairs_of(n, loader) for n in node.value]
    pairs = []
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise Broken("a container as a key")
        pairs.append((key.value, pairs_of(value, loader)))
    return ("map", pairs)


def python_yaml(document):
    import yaml
    loader = yaml.SafeLoader(document)
    try:
        node = loader.get_single_node()
        return None if node is None else pairs_of(node, loader)
    except yaml.YAMLError:
        raise Broken("yaml")
    finally:
        loader.dispose()


def random_yaml(rng):
    import yaml
    if rng.random() < 0.3:
        return rng.choice(YAML_SCALARS).encode()
    words = lambda r: r.choice(["a", "key", "two words", "é", "1", "true", "x: y", "- z", ""])
    value = random_yaml_value(rng, words)
    return dump_yaml(yaml, value, rng)


def dump_yaml(yaml, value, rng):
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data):
            return True
    return yaml.dump(value, Dumper=Plain, default_flow_style=rng.choice([None, True, False]), allow_unicode=rng.random() < 0.5,
                     explicit_start=rng.random() < 0.2, default_style=rng.choice([None, None, '"', "'", "|", ">"]),
                     canonical=rng.random() < 0.1, indent=rng.choice([None, 2, 7])).encode()


def random_yaml_value(rng, words, depth=0):
    kind = rng.randrange(8 if depth < 4 else 5)
    if kind == 0:
        return rng.choice([None, True, False, 0, -5, 10**20, 1.5, -0.0, float("inf"), 1e300])
    if kind < 3:
        return rng.choice(YAML_SCALARS)
    if kind < 5:
        return rng.choice(["text", "two\nlines", "  lead", "trail  ", "\u20ac uro", "a: b", "#c", "'q'", "\"d\"", "\t", "x" * 90 + " y" * 50])
    if kind == 5:
        return [random_yaml_value(rng, words, depth + 1) for _ in range(rng.randrange(4))]
    return {words(rng): random_yaml_value(rng, words, depth + 1) for _ in range(rng.randrange(4))}


# ---- MessagePack -----------------------------------------------------------------------------------

def python_msgpack(document):
    import msgpack
    # Maps as pairs: the hook sees them before double keys are lost.
    try:
        value = msgpack.unpackb(document, raw=False, strict_map_key=False, unicode_errors="surrogatepass",
                                object_pairs_hook=lambda pairs: ("map", [(key_text(k), v) for k, v in pairs]),
                                ext_hook=lambda code, data: ("ext", data), timestamp=0)
    except Broken:
        raise
    except Exception:
        raise Broken("msgpack")
    return plain_msgpack(value)


def key_text(key):
    if isinstance(key, bool) or key is None:
        return json.dumps(key)
    if isinstance(key, int):
        return str(saturated(key))
    if isinstance(key, float):
        return "%.17g" % key
    if isinstance(key, bytes):
        return key.decode("utf-8", "surrogateescape")
    if isinstance(key, str):
        return key
    raise Broken("a container as a key")


def plain_msgpack(value):
    if isinstance(value, tuple) and value[0] == "map":
        return ("map", [(k, plain_msgpack(v)) for k, v in value[1]])
    if isinstance(value, tuple):
        return value[1]
    if isinstance(value, list):
        return [plain_msgpack(v) for v in value]
    return saturated(value) if isinstance(value, int) and not isinstance(value, bool) else value


def random_msgpack(rng):
    import msgpack
    value = random_value(rng)
    document = msgpack.packb(value, use_bin_type=True, use_single_float=rng.random() < 0.2, unicode_errors="surrogatepass")
    if rng.random() < 0.3:
        document = msgpack.packb([value, msgpack.ExtType(rng.randrange(5), rng.randbytes(rng.choice([0, 1, 2, 3, 4, 8, 16, 300]))),
                                  rng.randbytes(rng.choice([0, 5, 300])), 2**64 - 1, -2**63], unicode_errors="surrogatepass")
    pool = [bytes([b]) for b in range(0xc0, 0xe0)] + [b"\x80", b"\x81", b"\x90", b"\x91", b"\xa1", b"\x00"]
    return mangle(rng, document, pool) if rng.random() < 0.5 else document


# ---- the run -----------------------------------------------------------------------------------------

def check_document(program, letter, document, python, lax):
    lines, end = program.ask(letter, document)
    try:
        theirs = python(document)
    except Broken as why:
        return None if end != "whole" or lax(why) else (document, "Python refuses it, we do not")
    if end != "whole":
        return document, "Python takes it as %r, we say %s" % (theirs, end)
    ours = build(lines)
    return None if same(ours, theirs) else (document, "Python %r, ours %r" % (theirs, ours))


def main():
    path, what = sys.argv[1:3]
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 2000
    rng = random.Random(seed)
    try:
        __import__({"json": "json", "base64": "base64"}.get(what, what))
    except ImportError:
        print("SKIP: Python has no module", what)
        return 77
    program = Program(path)
    never = lambda why: False
    # What Python refuses and we do not look at: bytes that are no UTF-8.
    not_text = lambda why: str(why) == "not text"
    checks = {
        "json": lambda: check_document(program, b"j", random_json(rng), python_json, not_text),
        "base64": lambda: check_base64(program, rng),
        "yaml": lambda: check_document(program, b"y", random_yaml(rng), python_yaml, never),
        "msgpack": lambda: check_document(program, b"m", random_msgpack(rng), python_msgpack, lambda why: True),
    }
    bad = 0
    for number in range(count):
        difference = checks[what]()
        if difference:
            bad += 1
            print("document %d: %r: %s" % (number, *difference))
            if bad == 10:
                break
    print("%d documents, %d differences" % (number + 1, bad))
    return bad > 0


sys.exit(main())
