#!/usr/bin/python3
"""compare.py SENSOR [--short] [--python PYTHON] - public test pickles: what each project says of its own, what `celeriac pickle` says, and
what picklescan and fickling say, in one run. Nothing is ever loaded.

picklescan and fickling come from PyPI into a virtual environment made for the run (or are those of PYTHON); without them: exit 77. --short
leaves out most of the harmless files. Exit 1: a malicious file below dangerous that loads something, a benign one above objects-unknown,
and neither is among the exceptions of tests/pickle/corpus.c; or more than ten exceptions."""
import argparse
import collections
import csv
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "..", "..", "shared", "pickles")
ORDER = ["not-pickle", "data", "objects-known", "objects-unknown", "suspicious", "dangerous", "malicious"]
OTHERS = r"""
import io, json, logging, signal, sys
logging.disable(logging.CRITICAL)
answers, sys.stdout = sys.stdout, sys.stderr
from picklescan.scanner import SafetyLevel, scan_pickle_bytes
from fickling.analysis import check_safety
from fickling.fickle import Pickled

def late(*_):
    raise TimeoutError
signal.signal(signal.SIGALRM, late)

def picklescan(data):
    result = scan_pickle_bytes(io.BytesIO(data), "x")
    levels = {g.safety for g in result.globals}
    if SafetyLevel.Dangerous in levels:
        return "dangerous"
    return "error" if result.scan_err else "suspicious" if SafetyLevel.Suspicious in levels else "clean"

def fickling(data):
    return check_safety(Pickled.load(io.BytesIO(data))).severity.name.lower()

for path in sys.stdin.read().splitlines():
    with open(path, "rb") as f:
        data = f.read()
    said = []
    for tool in (picklescan, fickling):
        signal.alarm(20)
        try:
            said.append(tool(data))
        except TimeoutError:
            said.append("timeout")
        except BaseException as e:
            said.append("crash" if not isinstance(e, KeyboardInterrupt) else "stop")
        signal.alarm(0)
    print(json.dumps([path] + said), flush=True, file=answers)
"""


def tools(scratch):
    """A Python that has both; None: they cannot be had."""
    python = os.path.join(scratch, "venv", "bin", "python")
    try:
        subprocess.run([sys.executable, "-m", "venv", os.path.join(scratch, "venv")], check=True, capture_output=True)
        subprocess.run([python, "-m", "pip", "-q", "install", "picklescan", "fickling", "typing_extensions"], check=True, capture_output=True, timeout=300)
    except (subprocess.SubprocessError, OSError):
        return None
    return python


def exceptions():
    with open(os.path.join(HERE, "corpus.c"), encoding="utf-8") as f:
        table = re.search(r"exceptions\[\] = \{(.*?)\n\};", f.read(), re.S).group(1)
    found = {}
    for entry in re.findall(r"\{(.*?)\}", table, re.S):
        path, why = re.match(r"(.*),\s*\"([^\"]*)\"\s*$", entry, re.S).groups()
        found["".join(re.findall(r'"([^"]*)"', path))] = why
    return found


def expected_class(text):
    base = text.replace("(wrapped)", "").strip()
    return base if base in ("malicious", "benign", "suspicious", "broken", "dos") else "other"


def ours(sensor, paths):
    said = {}
    for at in range(0, len(paths), 200):
        done = subprocess.run([sensor, "pickle", "--json", *paths[at:at + 200]], capture_output=True, check=True, text=True)
        for line in done.stdout.splitlines():
            r = json.loads(line)
            said[r["file"]] = r
    return said


def others(python, paths):
    done = subprocess.run([python, "-c", OTHERS], input="\n".join(paths), capture_output=True, check=True, text=True)
    return {r[0]: r[1:] for r in map(json.loads, done.stdout.splitlines())}


def table(title, head, rows):
    widths = [max(len(str(r[i])) for r in [head, *rows]) for i in range(len(head))]
    print(f"\n{title}")
    for row in [head, *rows]:
        print("  " + "  ".join(str(v).ljust(w) if i == 0 else str(v).rjust(w) for i, (v, w) in enumerate(zip(row, widths))))


def counts(files, key, columns):
    rows = []
    for group in sorted({f["group"] for f in files}):
        c = collections.Counter(key(f) for f in files if f["group"] == group)
        rows.append([group, sum(c.values()), *[c[name] or "." for name in columns]])
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sensor")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--python")
    options = parser.parse_args()
    if not os.path.exists(os.path.join(FOLDER, "MANIFEST.tsv")):
        print("SKIP: no ../shared/pickles")
        return 77
    scratch = tempfile.TemporaryDirectory(prefix="compare-")
    python = options.python or tools(scratch.name)
    if not python:
        print("SKIP: picklescan and fickling cannot be had from PyPI")
        return 77

    files = []
    with open(os.path.join(FOLDER, "MANIFEST.tsv"), encoding="utf-8") as f:
        for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
            path = os.path.join(FOLDER, row["path"])
            if os.path.exists(path):
                project = row["path"].split("/")[0]
                files.append({"name": row["path"], "path": path, "want": expected_class(row["expected"]), "project": project,
                              "group": f"{project} {expected_class(row['expected'])}"})
    if options.short:
        files = [f for i, f in enumerate(files) if f["want"] in ("malicious", "dos") or i % 8 == 0]
    paths = [f["path"] for f in files]
    mine, theirs = ours(options.sensor, paths), others(python, paths)
    for f in files:
        f["ours"], f["result"] = mine[f["path"]]["verdict"], mine[f["path"]]
        f["picklescan"], f["fickling"] = theirs[f["path"]]

    table("celeriac, by project and its own verdict", ["", "files", *ORDER], counts(files, lambda f: f["ours"], ORDER))
    levels = ["clean", "suspicious", "dangerous", "error", "crash", "timeout"]
    table("picklescan", ["", "files", *levels], counts(files, lambda f: f["picklescan"], levels))
    levels = ["likely_safe", "possibly_unsafe", "suspicious", "likely_unsafe", "likely_overtly_malicious", "overtly_malicious", "crash", "timeout"]
    table("fickling", ["", "files", *levels], counts(files, lambda f: f["fickling"], levels))

    accused = {"celeriac": lambda f: ORDER.index(f["ours"]) >= ORDER.index("dangerous"), "picklescan": lambda f: f["picklescan"] == "dangerous",
               "fickling": lambda f: f["fickling"] in ("likely_unsafe", "likely_overtly_malicious", "overtly_malicious")}
    rows = [[tool, *[f"{sum(map(test, [f for f in files if f['want'] == want]))} of {sum(f['want'] == want for f in files)}" for want in ("malicious", "benign")]]
            for tool, test in accused.items()]
    table("accused (dangerous, likely unsafe, or worse)", ["", "malicious", "benign"], rows)
    for tool in ("picklescan", "fickling"):
        for want, first, second in (("malicious", "celeriac", tool), ("malicious", tool, "celeriac"), ("benign", tool, "celeriac"), ("benign", "celeriac", tool)):
            only = [f for f in files if f["want"] == want and accused[first](f) and not accused[second](f)]
            print(f"\n{want}: accused by {first}, not by {second}: {len(only)}")
            for f in only[:None if len(only) <= 20 else 8]:
                print(f"  {f['name']}: celeriac {f['ours']}, {tool} {f[tool]}")

    excused, wrong = exceptions(), []
    for f in files:
        r = f["result"]
        nothing = f["ours"] == "not-pickle" or (f["ours"] == "objects-known" and not r.get("calls"))
        low = f["want"] == "malicious" and not accused["celeriac"](f) and not nothing
        high = f["want"] == "benign" and ORDER.index(f["ours"]) > ORDER.index("objects-unknown")
        if (low or high) and f["name"] not in excused:
            wrong.append(f"{f['name']}: {f['want']}, judged {f['ours']}")
    print(f"\nexceptions: {len(excused)}")
    for name, why in excused.items():
        print(f"  {name}: {why}")
    for line in wrong:
        print("FAILED:", line)
    print(f"\n{len(files)} files, {len(wrong)} wrong")
    return 1 if wrong or len(excused) > 10 else 0


if __name__ == "__main__":
    sys.exit(main())
