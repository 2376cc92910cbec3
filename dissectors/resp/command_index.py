#!/usr/bin/env python3
"""Makes command_index.h, a perfect hash of the names in command_table.c.

    command_index.py [--check]      --check: exit 1 when the file is not what would be written
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
MULTIPLY = [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5]
BUCKETS, SLOTS = 256, 1024


def names():
    text = (HERE / "command_table.c").read_text()
    return re.findall(r'^    \{"([^"]*)"', text, re.M)


def mixed(name):
    """Has to be what command.c:mixed() computes."""
    padded = name.encode().ljust(40, b"\0")
    x = 0
    for i in range(5):
        x ^= int.from_bytes(padded[8 * i : 8 * i + 8], "little") * MULTIPLY[i] % 2**64
    return x ^ x >> 32


def place(x, shift):
    return ((x >> 8) + shift * ((x >> 20) | 1)) % SLOTS


def build(all_names):
    buckets = [[] for _ in range(BUCKETS)]
    for code, name in enumerate(all_names):
        if name:
            buckets[mixed(name) % BUCKETS].append((code, mixed(name)))
    shifts, slots = [0] * BUCKETS, [0] * SLOTS
    for bucket in sorted(range(BUCKETS), key=lambda b: -len(buckets[b])):
        for shift in range(256):
            at = [place(x, shift) for _, x in buckets[bucket]]
            if len(set(at)) == len(at) and all(slots[a] == 0 for a in at):
                break
        else:
            sys.exit("no shift for a bucket: change MULTIPLY")
        shifts[bucket] = shift
        for (code, _), a in zip(buckets[bucket], at):
            slots[a] = code
    return shifts, slots


def rows(numbers):
    lines = [", ".join(map(str, numbers[i : i + 20])) for i in range(0, len(numbers), 20)]
    return ",\n    ".join(lines)


def text(shifts, slots):
    return (
        "/* Made by command_index.py from command_table.c. */\n"
        "#ifndef DISSECTORS_RESP_COMMAND_INDEX_H\n#define DISSECTORS_RESP_COMMAND_INDEX_H\n\n"
        "#include <stdint.h>\n\n/* clang-format off */\n"
        f"static const uint8_t index_shift[{BUCKETS}] = {{\n    {rows(shifts)}\n}};\n\n"
        f"static const uint16_t index_slot[{SLOTS}] = {{\n    {rows(slots)}\n}};\n"
        "/* clang-format on */\n\n#endif\n"
    )


def main():
    all_names = names()
    if len(set(all_names)) != len(all_names) - 1:
        sys.exit("a name comes twice")
    made, path = text(*build(all_names)), HERE / "command_index.h"
    if "--check" in sys.argv:
        sys.exit(path.read_text() != made)
    path.write_text(made)


main()
