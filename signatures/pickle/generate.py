"""Turns the policy tables into C: two perfect hashes (hash and displace) and the words of the names.

usage: generate.py globals.tsv aliases.tsv special.tsv out.c
"""
import sys

MASK = (1 << 64) - 1
ML_ONLY = {"fickling:ML_ALLOWLIST", "modelaudit:ML_SAFE_GLOBALS"}


PRIME = 0x9FB21C651E98DF25


def hashed(parts):
    """The same as add_text() of policy_find.inc, over the parts of a key."""
    h = 0xCBF29CE484222325
    for data in parts:
        for i in range(0, len(data), 8):
            h = ((h ^ int.from_bytes(data[i:i + 8], "little")) * PRIME) & MASK
            h ^= h >> 32
        h = ((h ^ len(data)) * PRIME) & MASK
        h ^= h >> 32
    return h


def mix(h, d):
    x = ((h ^ (d * 0x9E3779B97F4A7C15)) * 0xFF51AFD7ED558CCD) & MASK
    return x ^ (x >> 32)


def displace(keys, slots):
    """Displacements by bucket, and the key of each slot."""
    n_buckets = max(1, len(keys) // 3)
    buckets = [[] for _ in range(n_buckets)]
    for i, key in enumerate(keys):
        buckets[hashed(key) % n_buckets].append(i)
    table, shifts = [-1] * slots, [0] * n_buckets
    for b in sorted(range(n_buckets), key=lambda x: -len(buckets[x])):
        for d in range(1, 65536):
            places = [mix(hashed(keys[i]), d) % slots for i in buckets[b]]
            if len(set(places)) == len(places) and all(table[p] < 0 for p in places):
                break
        else:
            raise SystemExit("no perfect hash found")
        for i, p in zip(buckets[b], places):
            table[p] = i
        shifts[b] = d
    return shifts, table


def rows(path):
    with open(path, encoding="utf-8") as f:
        next(f)
        for line in f:
            if line.strip() and not line.startswith("#"):
                yield line.rstrip("\n").split("\t")


def c_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def merge(globals_tsv, special_tsv):
    table = {}
    for module, name, kind, severity, source, note in rows(globals_tsv):
        if kind == "benign" and set(source.split(",")) <= ML_ONLY and not module.startswith(("builtins", "__builtin__")):
            kind = "ml"
        table[module, name] = [kind, severity, "NONE", note.find("CONDITIONAL") >= 0, source]
    for module, name, special, source in rows(special_tsv):
        row = table.get((module, name)) or parent(table, module, source)
        row[2] = special
        table[module, name] = row
    return table


def parent(table, module, source):
    """A row for a name that only a wildcard covers."""
    at = module
    while at:
        if (at, "*") in table:
            return list(table[at, "*"])
        at = at.rpartition(".")[0]
    return ["unknown", "none", "NONE", False, source]


def emit_table(out, name, keys, body):
    shifts, table = displace(keys, len(keys) + len(keys) // 4 + 1)
    print("static const uint16_t %s_shift[%d] = {" % (name, len(shifts)), file=out)
    print(", ".join(map(str, shifts)), "};", file=out)
    print(body(table), file=out)
    print("#define %s_BUCKETS %du" % (name.upper(), len(shifts)), file=out)
    print("#define %s_SLOTS %du" % (name.upper(), len(table)), file=out)


def emit_rows(table, order):
    def body(slots):
        lines = ["static const struct policy_row globals_row[%d] = {" % len(slots)]
        for i in slots:
            if i < 0:
                lines.append("{ 0 },")
                continue
            (module, name), (kind, severity, special, cond, source) = order[i], table[order[i]]
            lines.append("{ %s, %s, %d, %d, PICKLE_CLASS_%s, PICKLE_SEV_%s, SPECIAL_%s, %s, %s }," % (
                c_text(module), c_text(name), len(module), len(name), kind.upper(), severity.upper(), special,
                "true" if cond else "false", c_text(source)))
        return "\n".join(lines + ["};"])
    return body


def emit_aliases(order):
    def body(slots):
        lines = ["static const struct policy_alias aliases_row[%d] = {" % len(slots)]
        lines += ["{ 0 }," if i < 0 else "{ %s }," % ", ".join(map(c_text, order[i])) for i in slots]
        return "\n".join(lines + ["};"])
    return body


def emit_words(order):
    def body(slots):
        lines = ["static const char *const words_row[%d] = {" % len(slots)]
        lines += ["NULL," if i < 0 else c_text(order[i]) + "," for i in slots]
        return "\n".join(lines + ["};"])
    return body


def emit_starts(out, words):
    """By first byte: the lengths that there are, a bit each."""
    starts = [0] * 256
    for word in words:
        starts[word.encode()[0]] |= 1 << len(word)
    print("static const uint64_t words_start[256] = {", file=out)
    print(", ".join("0x%xu" % s for s in starts), "};", file=out)


def main(globals_tsv, aliases_tsv, special_tsv, target):
    table = merge(globals_tsv, special_tsv)
    order = sorted(table)
    aliases = sorted(tuple(row) for row in rows(aliases_tsv))
    words = {m for m, _ in order} | {n for _, n in order if n != "*"}
    words |= {part for n in list(words) for part in n.split(".")} | {a for row in aliases for a in row if a != "*"}
    words = sorted(w for w in words if 0 < len(w) < 64)
    with open(target, "w", encoding="utf-8") as out:
        print('/* Made by generate.py from the tables beside it. */\n#include "signatures/pickle/policy.h"\n', file=out)
        emit_table(out, "globals", [(m.encode(), n.encode()) for m, n in order], emit_rows(table, order))
        emit_table(out, "aliases", [(a[0].encode(), a[1].encode()) for a in aliases], emit_aliases(aliases))
        emit_table(out, "words", [(w.encode(),) for w in words], emit_words(words))
        emit_starts(out, words)
        print('#include "signatures/pickle/policy_find.inc"', file=out)


if __name__ == "__main__":
    main(*sys.argv[1:])
