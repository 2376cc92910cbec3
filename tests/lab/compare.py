#!/usr/bin/python3
"""compare.py SENSOR tasks|alerts|findings|days|commands|table [CAPTURE...] - what the sensor finds in pcaps/ against what the lab knows.

tasks     published and delivered task messages by id, against NAME.truth.jsonl
alerts    folded alerts by rule, against the first table of NAME.md; rules of later issues are not judged
findings  lines `finding` of NAME.truth.jsonl: each attack found as often as it says, at its severity, with its source; of the rules
          that ask who sent it, nothing else is found; once without a baseline, and once with what day a of the deployment teaches
days      with a baseline learnt from the other day of the same deployment, nothing is found of those rules
commands  AMQP methods and Redis commands of whole captures, against labkit/reference.py, a reader of its own
table     the first two, as Markdown
"""

import collections
import functools
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from labkit import reference  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PCAPS = os.path.join(TOP, "pcaps")
# The rules that ask who sent it, and whether it belongs here.
WHO = ("task-unsigned", "task-signature-invalid", "task-signer-unknown", "task-signer-expired", "task-signature-replayed", "task-origin-missing",
       "task-origin-unknown", "task-origin-spoofed", "task-name-unknown", "task-handcrafted", "task-replayed", "task-hidden-name", "task-flood",
       "task-swallowed", "control-dangerous", "control-change", "control-recon", "worker-unknown", "worker-silent", "worker-impersonation",
       "broker-login-failed", "broker-login-bruteforce", "broker-access-refused", "result-forged", "redis-schedule-tamper", "amqp-tap")
SCRATCH = tempfile.TemporaryDirectory(prefix="celeriac-compare-")
# Attacks on the deployment of which there are two days.
DEPLOYMENT = re.compile("attack-(?:who|commands|swallow)-([a-z]+-[a-z]+)$")
EXTENSIONS = re.compile(r"\.(pcap|pcapng)(\.(gz|xz|zst|lz4))?$")
# What the sensor cannot see whole: a part of the truth is found, and nothing besides.
PARTIAL = {"transport-lossy2": 0.5, "transport-lossy20": 0.05, "transport-snap96": 0, "transport-snap512": 0,
           "transport-to-server": 0, "transport-to-client": 0, "tls": 0}
# The capture starts in the middle of busy connections: a message under way is on one side only.
SLACK = {"midstream-producer": 4, "midstream": 2}


def captures(names):
    found = {EXTENSIONS.sub("", os.path.basename(f)): f for f in sorted(glob.glob(PCAPS + "/*")) if EXTENSIONS.search(f)}
    return {n: f for n, f in found.items() if not names or n in names}


def records(sensor, capture, kind, *options):
    done = subprocess.run([sensor, "-q", "-r", capture, "--emit", kind, *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{os.path.basename(capture)}: exit {done.returncode}: {done.stderr[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def field(record, path):
    for part in path.split("."):
        record = record.get(part, {}) if isinstance(record, dict) else {}
    return record if record != {} else None


def truth(name):
    """(action, id) of each task message that crossed the wire, as often as it did; id None where nobody could read one.
    What was put back while nobody said to have it (kombu: it came when its consumer was gone) was delivered before."""
    counts = collections.Counter()
    with open(os.path.join(PCAPS, name + ".truth.jsonl"), encoding="utf-8") as f:
        for line in map(json.loads, f):
            what, i = line["what"], line.get("id")
            if what == "restored" and counts[("published", i)] and not counts[("delivered", i)]:
                counts[("delivered", i)] += 1
            if what in ("published", "delivered", "restored"):
                counts[(what, i)] += 1
    return counts


def found_tasks(sensor, capture):
    counts = collections.Counter()
    for r in records(sensor, capture, "tasks"):
        if field(r, "celeriac.app") in ("celery", None):
            action = {"redelivered": "delivered"}.get(field(r, "event.action"), field(r, "event.action"))
            counts[(action, field(r, "celery.task.id"))] += 1
    return counts


def missing_and_invented(name, known, found):
    """Lists of (action, id, times). A delivery whose id its taker could not read stands for any one delivery."""
    missing, invented = known - found, found - known
    for kind in (missing, invented):
        for key in [k for k in kind if k[0] not in ("published", "delivered")]:
            del kind[key]
    jokers = sum(n for (_, i), n in missing.items() if i is None)
    for key in [k for k in missing if k[1] is None]:
        del missing[key]
    for key in [k for k in invented if k[0] == "delivered"]:
        used = min(jokers, invented[key])
        jokers -= used
        invented[key] -= used
    missing, invented = +missing, +invented
    if name in PARTIAL:
        invented.pop(("delivered", None), None), invented.pop(("published", None), None)  # clipped before the id
    slack = SLACK.get(name, 0)
    if sum(missing.values()) <= slack and sum(invented.values()) <= slack:
        return [], []
    if name in PARTIAL:
        total = sum(known.values())
        share = 1 - sum(missing.values()) / total if total else 1
        return ([f"only {share:.0%} found"] if share < PARTIAL[name] else []), sorted(map(str, invented.items()))
    return sorted(map(str, missing.items())), sorted(map(str, invented.items()))


def judge_tasks(sensor, name, capture):
    known, found = truth(name), found_tasks(sensor, capture)
    missing, invented = missing_and_invented(name, known, found)
    lines = [f"  missing {m}" for m in missing[:5]] + [f"  not in the truth {i}" for i in invented[:5]]
    sums = [sum(n for (a, _), n in c.items() if a == action) for action in ("published", "delivered") for c in (found, known)]
    return lines, "published {}/{}, delivered {}/{}".format(*sums)


def expectations(name):
    """rule -> (least, most) from the first table of the description."""
    with open(os.path.join(PCAPS, name + ".md"), encoding="utf-8") as f:
        text = f.read().split("Rules that come with later issues")[0].split("Attacks, each found once")[0]
    found = {}
    for rule, count in re.findall(r"^\| `([a-z0-9-]+)` \| ([^|]+) \|", text, re.M):
        least, most = _range(count.split("(")[0].strip())
        if rule in found:
            least, most = least + found[rule][0], most + found[rule][1]
        found[rule] = (least, most)
    later = re.findall(r"^\| `([a-z0-9-]+)` \| ", open(os.path.join(PCAPS, name + ".md"), encoding="utf-8").read().split(
        "Rules that come with later issues")[-1], re.M) if "later issues" in open(os.path.join(PCAPS, name + ".md"), encoding="utf-8").read() else []
    return found, set(later)


def _range(words):
    numbers = [int(n) for n in re.findall(r"\d+", words)]
    if words.startswith("at least") or "or more" in words:
        return numbers[0], 10**6
    if words.startswith("at most"):
        return 0, numbers[0]
    if len(numbers) > 1:
        return numbers[0], numbers[1]
    return (numbers[0], numbers[0]) if numbers else (0, 10**6)


def judge_alerts(sensor, name, capture):
    expected, later = expectations(name)
    events = {}
    for r in records(sensor, capture, "alerts"):
        events[field(r, "event.id")] = field(r, "rule.id")
    found = collections.Counter(events.values())
    elsewhere = set(WHO) if attacks(name) else set()  # judged by findings, one by one
    lines = []
    for rule in sorted({*expected, *found} - later - elsewhere):
        least, most = expected.get(rule, (0, 0))
        if not least <= found[rule] <= most:
            lines.append(f"  {rule}: {found[rule]} alerts, expected {least}" + (f" to {most}" if most != least else ""))
    return lines, ", ".join(f"{r} {n}" for r, n in sorted(found.items()))


def attacks(name):
    """Lines `finding` of the truth: what must be found of whom."""
    with open(os.path.join(PCAPS, name + ".truth.jsonl"), encoding="utf-8") as f:
        return [line for line in map(json.loads, f) if line["what"] == "finding"]


def judge_findings(sensor, name, capture):
    wanted, of = attacks(name), DEPLOYMENT.match(name)
    lines = check_findings([w for w in wanted if not w["baseline"]], alerts_of(sensor, capture))
    if of:
        baseline = learnt(sensor, "day-" + of.group(1) + "-a")
        # What is only told, without a baseline, is one of these with it.
        lines += ["  with a baseline:" + line for line in
                  check_findings([w for w in wanted if w["severity"] > 1], alerts_of(sensor, capture, "-b", baseline))]
    return lines, f"{len(wanted)} attacks"


def judge_days(sensor, name, capture):
    other = name[:-1] + {"a": "b", "b": "a"}[name[-1]]
    found = alerts_of(sensor, capture, "-b", learnt(sensor, other))
    return check_findings([], found), f"judged by {other}"


@functools.lru_cache(maxsize=None)
def learnt(sensor, name):
    """Path of the baseline that a capture of clean traffic teaches."""
    path = os.path.join(SCRATCH.name, name + ".yaml")
    done = subprocess.run([sensor, "-q", "-r", captures([name])[name], "-o", "file:/dev/null", "--learn", path], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise SystemExit(f"{name}: --learn: exit {done.returncode}: {done.stderr[-500:]}")
    return path


def alerts_of(sensor, capture, *options):
    """event.id -> (rule, severity, source, method) of the rules that ask who sent it; but for tasks that nobody demands to be signed."""
    found = {}
    for r in records(sensor, capture, "alerts", *options):
        if field(r, "rule.id") in WHO and (field(r, "rule.id"), field(r, "event.severity")) != ("task-unsigned", 1):
            found[field(r, "event.id")] = (field(r, "rule.id"), field(r, "event.severity"), field(r, "source.ip"), field(r, "celery.control.method"))
    return found


def check_findings(wanted, found):
    """Every finding is of one line of the truth, and each line has as many as it says."""
    lines, left = [], collections.Counter(found.values())
    for w in sorted(wanted, key=lambda w: w["method"] or "", reverse=True):
        mine = [k for k in left if k[:3] == (w["rule"], w["severity"], w["source"]) and w["method"] in (None, k[3])]
        n = sum(left.pop(k) for k in mine)
        if not w["least"] <= n <= w["most"]:
            lines.append(f"  {w['rule']} at {w['severity']} of {w['source']} ({w['who']}: {w['why']}): {n} times, not {w['least']}")
    return lines + [f"  not in the truth: {n} x {k}" for k, n in sorted(left.items(), key=str)]


def judge_commands(sensor, name, capture):
    known = None if name in PARTIAL or name.startswith("midstream") or re.match("day-.*-b$", name) else reference.count(capture)
    if known is None:
        return [], "not judged"
    found = collections.Counter()
    for r in records(sensor, capture, "commands"):
        found[field(r, "amqp.method") or field(r, "redis.command")] += 1
    lines = [f"  {command}: {found[command]}, the reference has {known[command]}" for command in sorted({*known, *found}, key=str)
             if found[command] != known[command]]
    return lines[:8], f"{sum(found.values())}/{sum(known.values())} commands"


def main(sensor, what, *names):
    judges = {"tasks": [judge_tasks], "alerts": [judge_alerts], "findings": [judge_findings], "days": [judge_days], "commands": [judge_commands], "table": [judge_tasks, judge_alerts]}[what]
    passed = failed = 0
    if what == "table":
        print("| capture | task messages found / true | alerts |\n|---|---|---|")
    for name, capture in captures(names).items():
        if not os.path.exists(os.path.join(PCAPS, name + ".truth.jsonl")) or (
                what == "findings" and not attacks(name)) or (what == "days" and not name.startswith("day-")):
            continue
        verdicts = [judge(sensor, name, capture) for judge in judges]
        wrong = [line for lines, _ in verdicts for line in lines]
        if what == "table":
            print(f"| {name} | " + " | ".join(summary for _, summary in verdicts) + " |")
        elif wrong:
            print(f"{name}: {verdicts[0][1]}", *wrong, sep="\n")
        passed, failed = passed + (not wrong), failed + bool(wrong)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[2] not in ("tasks", "alerts", "findings", "days", "commands", "table"):
        print(__doc__)
        sys.exit(64)
    sys.exit(main(*sys.argv[1:]))
