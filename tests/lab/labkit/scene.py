"""One scenario at work: hosts, brokers, workers, producers, and the capture with its truth and its description."""

import collections
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from . import capture, rewrite, services, stacks
from .hosts import Network

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PACK_ABOVE = 100_000
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
PCAPS = os.environ.get("LAB_PCAPS") or os.path.join(TOP, "pcaps")


class Scene:
    """Context of one recording. A scenario calls broker(), worker(), produce()... and then says what must be found."""

    def __init__(self, name, title, ipv6=False):
        self.name = name
        self.title = title
        self.scratch = tempfile.mkdtemp(prefix="celeriac-lab-")
        os.chmod(self.scratch, 0o755)
        self.net = Network(self.scratch, ipv6=ipv6)
        self.truth = os.path.join(self.scratch, "truth.jsonl")
        self.pcap = os.path.join(self.scratch, name + ".pcap")
        open(self.truth, "w", encoding="ascii").close()
        self.env = {}
        self.made = []      # how it was made, a line each
        self.software = []
        self.hosts_said = []
        self.expected = []
        self.later = []
        self.findings = []
        self.remarks = []
        self.records = []
        self.cap = None
        self.redis_server = self.rabbit_server = None
        self.pack = None
        self.device = None
        self.derived = None
        self.suffix = ".pcap"
        self.packets = None
        self.certificates = []
        self.shifts = []
        self._workers = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.net.close()
        if kind and os.environ.get("LAB_KEEP"):
            print("lab: left for a look:", self.scratch)
        else:
            shutil.rmtree(self.scratch, ignore_errors=True)

    # servers

    def host(self, name):
        return self.net.host(name)

    def rabbit(self, **kw):
        self.rabbit_server = services.Rabbit(self.host("mq"), **kw)
        self._uses(services.Rabbit.version(), "mq", "RabbitMQ")
        return self.rabbit_server

    def redis(self, **kw):
        self.redis_server = services.Redis(self.host("redis"), **kw)
        self._uses(services.Redis.version(), "redis", "Redis")
        return self.redis_server

    def _uses(self, software, host=None, role=None):
        if software not in self.software:
            self.software.append(software)
        if host and (host, role) not in self.hosts_said:
            self.hosts_said.append((host, role))

    def use(self, **env):
        """Environment of the workers and producers to come; None takes a variable away."""
        for key, value in env.items():
            if value is None:
                self.env.pop(key, None)
            else:
                self.env[key] = str(value)

    def on_amqp(self, url=None, backend="rpc://"):
        self.use(LAB_BROKER=url or self.rabbit_server.url(), LAB_BACKEND=backend)

    def on_redis(self, url=None, backend=None, user="", password=None):
        url = url or self.redis_server.url(user, password)
        self.use(LAB_BROKER=url, LAB_BACKEND=backend if backend is not None else url)

    # Celery

    def _env(self, role, more):
        clock = {"LD_PRELOAD": FAKETIME, "FAKETIME": f"+{self.shifts[-1][1]}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"} if self.shifts else {}
        return {**clock,"PYTHONPATH": stacks.SHOP, "LAB_TRUTH": self.truth, "LAB_ROLE": role, "C_FORCE_ROOT": "1",
                "LAB_BEAT_FILE": os.path.join(self.scratch, "beat"), **self.env,
                **{k: str(v) for k, v in (more or {}).items()}}

    def worker(self, host, stack, options=("-E",), env=None, ready=True, name=None):
        """A Celery worker on a host. Options come after `worker`."""
        st = stacks.Stack(stack)
        self._workers += 1
        log = f"worker-{self._workers}-{host}"
        self._uses(st.describe(), host, "worker")
        args = [st.python, "-m", "celery", "-A", "shop", "worker", "-l", "INFO", "-c", "2", *options]
        self.made.append(f"{host}: celery worker -c 2 {' '.join(options)} [{stack}]")
        process = self.host(host).start(args, env=self._env("worker", env), log=log)
        if ready:
            self.wait_log(log, " ready.", 90, process)
        process.lab_log = log
        return process

    def wait_log(self, log, text, seconds, process=None):
        end = time.time() + seconds
        while time.time() < end:
            with open(self.net.log_path(log), encoding="utf-8", errors="replace") as f:
                said = f.read()
            if text in said:
                return
            if process and process.poll() is not None:
                raise RuntimeError(f"{log} ended:\n{said[-3000:]}")
            time.sleep(0.1)
        raise RuntimeError(f"{log}: no {text!r} in {seconds} s:\n{said[-3000:]}")

    def stop(self, process, sig=signal.SIGTERM):
        self.net.stop(process, sig, seconds=25)

    def produce(self, host, stack, *steps, env=None, script="produce.py", timeout=150):
        st = stacks.Stack(stack)
        self._uses(st.describe(), host, "producer")
        self.made.append(f"{host}: {script} {' '.join(steps)} [{stack}]")
        return self.host(host).run([st.python, os.path.join(stacks.SHOP, script), *steps],
                                   env=self._env("producer", env), timeout=timeout)

    def producing(self, host, stack, *steps, env=None, script="produce.py"):
        """The same beside other work; wait_for() the process."""
        st = stacks.Stack(stack)
        self._uses(st.describe(), host, "producer")
        self.made.append(f"{host}: {script} {' '.join(steps)} [{stack}], beside what follows")
        log = f"{host}-{len(self.made)}"
        process = self.host(host).start([st.python, os.path.join(stacks.SHOP, script), *steps], env=self._env("producer", env), log=log)
        process.lab_log = log
        return process

    def wait_for(self, *processes, seconds=150):
        """Waits for the end of what producing() started."""
        for process in processes:
            if process.wait(seconds) != 0:
                with open(self.net.log_path(process.lab_log), encoding="utf-8", errors="replace") as f:
                    raise RuntimeError(f"{process.lab_log}: exit {process.returncode}\n{f.read()[-3000:]}")

    def program(self, host, stack, *args, role, env=None, until=None):
        """Something of Celery's command line that runs until it is stopped: beat, flower, events."""
        st = stacks.Stack(stack)
        self._uses(st.describe(("celery", "kombu", "flower", "celery-redbeat")), host, role)
        self.made.append(f"{host}: celery {' '.join(args)} [{stack}]")
        log = f"{role}-{len(self.made)}"
        process = self.host(host).start([st.python, "-m", "celery", "-A", "shop", *args], env=self._env("producer", env), log=log)
        if until:
            self.wait_log(log, until, 60, process)
        return process

    def celery(self, host, stack, *args, env=None, check=False):
        """The celery command line: inspect, control, purge..."""
        st = stacks.Stack(stack)
        self._uses(st.describe(), host, "operator")
        self.made.append(f"{host}: celery {' '.join(args)} [{stack}]")
        return self.host(host).run([st.python, "-m", "celery", "-A", "shop", *args], env=self._env("client", env),
                                   check=check)

    def tool(self, host, *argv, role="client", said=None, check=False, env=None):
        """Any other program on a host."""
        if (host, role) not in self.hosts_said:
            self.hosts_said.append((host, role))
        self.made.append(f"{host}: {said or ' '.join(argv)}")
        return self.host(host).run(list(argv), env=self._env("client", env), check=check)

    # capture

    def record(self, options=(), expression="", space=None, device="br0"):
        """Starts the capture: on the bridge, or on a device of a host (its loopback)."""
        self.cap = capture.Capture(space or self.net.ns, self.pcap, options, expression, device)
        self.device = f"{device} of {space.split('-')[-1]}" if space else "the lab's bridge"
        self._uses(capture.Capture.version())

    def skip(self, seconds):
        """What starts from now on lives that much later, by its own clock and in the capture. Nothing may run over it but servers."""
        if not os.path.exists(FAKETIME):
            raise RuntimeError("libfaketime is not installed")
        time.sleep(0.5)
        self.shifts.append((time.time(), (self.shifts[-1][1] if self.shifts else 0) + int(seconds)))

    def finish(self):
        dropped = self.cap.stop()
        if dropped:
            raise RuntimeError(f"{self.name}: the kernel dropped {dropped} frames, record it again")
        if self.shifts:
            with open(self.pcap, "rb") as f:
                packets = rewrite.parse(f.read())
            with open(self.pcap, "wb") as f:
                f.write(rewrite.pcap(rewrite.later(packets, self.shifts)))

    def expect(self, rule, count, why):
        self.expected.append((rule, count, why))

    def expect_later(self, rule, count, why):
        """A rule of a later issue, so that its author need not record again."""
        self.later.append((rule, count, why))

    def finding(self, rule, severity, host, why, times=1, most=None, baseline=False, method=None):
        """A finding that must be made of what a host did: so often, at that severity, with its address as the source. With
        baseline: only by one learnt from clean traffic of the same deployment."""
        at = (self.net.hosts.get(host) or self.net.gone[host]).ip4
        self.findings.append({"what": "finding", "rule": rule, "severity": severity, "source": at, "who": host, "least": times,
                              "most": most or times, "baseline": baseline, "method": method, "why": why})

    def remark(self, text):
        self.remarks.append(text)

    def note(self, **line):
        """A line of truth by the lab itself (for programs that keep none)."""
        with open(self.truth, "a", encoding="utf-8") as f:
            f.write(json.dumps(line, sort_keys=True) + "\n")

    # what comes out

    def save(self):
        """Moves capture, truth and description into pcaps/."""
        os.makedirs(PCAPS, exist_ok=True)
        size = os.path.getsize(self.pcap)
        packets = self.packets if self.packets is not None else capture.count_packets(self.pcap)
        suffix = self.suffix
        for ext in (".pcapng", ".pcap", ".pcap.xz", ".pcap.zst", ".pcap.gz", ".pcap.lz4"):
            if os.path.exists(os.path.join(PCAPS, self.name + ext)):
                os.unlink(os.path.join(PCAPS, self.name + ext))
        file = self.name + suffix
        shutil.copyfile(self.pcap, os.path.join(PCAPS, file))
        if not self.pack and size > PACK_ABOVE:
            self.pack = "zst"
        if self.pack:
            file = pack(os.path.join(PCAPS, file), self.pack)
        folder = os.path.join(PCAPS, self.name + ".certs")
        shutil.rmtree(folder, ignore_errors=True)
        for path in self.certificates:
            os.makedirs(folder, exist_ok=True)
            shutil.copyfile(path, os.path.join(folder, os.path.basename(path)))
        lines = read_truth(self.truth)
        if not self.derived:  # what was before the first frame is not in the capture
            start = capture.first_time(self.pcap)
            lines = [line for line in lines if json.loads(line).get("time", start) >= start]
        lines += [json.dumps(finding, sort_keys=True) for finding in self.findings]
        with open(os.path.join(PCAPS, self.name + ".truth.jsonl"), "w", encoding="utf-8") as f:
            f.writelines(line + "\n" for line in lines)
        with open(os.path.join(PCAPS, self.name + ".md"), "w", encoding="utf-8") as f:
            f.write(self._description(file, size, packets, [json.loads(line) for line in lines]))
        print(f"lab: {file}: {packets} packets, {size} bytes, {len(lines)} lines of truth")

    def _description(self, file, size, packets, truth):
        out = [f"# {self.name}", "", self.title, "",
               f"`{file}`: {packets} packets, {size:,} bytes uncompressed. {self._origin()}", "",
               "## How it was made", ""]
        seen = {}
        for host, role in self.hosts_said:
            seen.setdefault(host, []).append(role)
        for host, roles in seen.items():
            address = self.net.hosts.get(host) or self.net.gone[host]
            where = address.ip4 + (f", {address.ip6}" if self.net.ipv6 else "")
            out.append(f"- {host} ({where}): {', '.join(roles)}")
        out += ["", *[f"{i}. {line}" for i, line in enumerate(self.made, 1)], "", "Software:", ""]
        out += [f"- {s}" for s in self.software]
        out += ["", "## What must be found", ""]
        out += self._tasks(truth)
        out += ["", "Alerts after folding (`--no-fold` gives one for each finding):", "",
                "| rule | alerts | why |", "|---|---|---|"]
        out += [f"| `{r}` | {n} | {why} |" for r, n, why in self.expected] or ["| none | 0 | |"]
        if self.findings:
            out += ["", "Attacks, each found once (`compare.py findings`); severity 1 info to 5 critical:", "",
                    "| source | found | severity | baseline | what was done |", "|---|---|---|---|---|"]
            out += [f"| {f['source']} ({f['who']}) | {f['rule']} | {f['severity']} | {'needed' if f['baseline'] else ''} | {f['why']} |"
                    for f in self.findings]
        if self.later:
            out += ["", "Rules that come with later issues:", "", "| rule | alerts | why |", "|---|---|---|"]
            out += [f"| `{r}` | {n} | {why} |" for r, n, why in self.later]
        if self.remarks:
            out += ["", "## Remarks", "", *[f"- {r}" for r in self.remarks]]
        return "\n".join(out) + "\n"

    def _origin(self):
        if self.derived:
            return (f"Made from `{self.derived}` by `tests/lab/record {self.name}` (Python, `tests/lab/labkit/rewrite.py`), the same "
                    "each time for the same source.")
        return (f"Recorded on {self.device} by `tests/lab/record {self.name}`; ids, keys and times differ at each "
                "recording.")

    def _tasks(self, truth):
        out = ["Task messages, by the account of those who sent and took them "
               f"(`{self.name}.truth.jsonl`):", "", "| | lines | ids | queues |", "|---|---|---|---|"]
        for what in ("published", "delivered"):
            lines = [t for t in truth if t.get("what") == what]
            ids = {t.get("id") for t in lines if t.get("id")}
            queues = collections.Counter(t.get("queue") for t in lines)
            out.append(f"| {what} | {len(lines)} | {len(ids)} | "
                       f"{', '.join(f'{q}: {n}' for q, n in sorted(queues.items(), key=str))} |")
        others = collections.Counter(t["what"] for t in truth if t.get("what") not in ("published", "delivered"))
        if others:
            out += ["", "Besides: " + ", ".join(f"{w}: {n}" for w, n in sorted(others.items())) + "."]
        return out


def pack(path, how):
    """Compresses a capture in place; returns its new base name."""
    tools = {"xz": ["xz", "-9f"], "zst": ["zstd", "-19", "-q", "-f", "--rm"], "gz": ["gzip", "-9nf"],
             "lz4": ["lz4", "-9", "-q", "-f", "-m", "--rm"]}
    subprocess.run([*tools[how], path], check=True)
    return os.path.basename(path) + "." + how


def read_truth(path):
    """The lines of truth in the order in which they were written, checked to be JSON."""
    with open(path, encoding="utf-8") as f:
        lines = [line.strip() for line in f if line.strip()]
    for line in lines:
        json.loads(line)
    return lines


def unpacked(name):
    """The bytes of a capture in pcaps/, however it is compressed."""
    tools = {"": ["cat"], ".xz": ["xz", "-dc"], ".zst": ["zstd", "-dcq"], ".gz": ["gzip", "-dc"], ".lz4": ["lz4", "-dcq"]}
    for ext, tool in tools.items():
        path = os.path.join(PCAPS, name + ".pcap" + ext)
        if os.path.exists(path):
            return subprocess.run([*tool, path], check=True, capture_output=True).stdout
    raise RuntimeError(f"{name}: record it first")
