"""Hosts of the lab: one network namespace each, all on one bridge in a namespace of its own.

Nothing touches the machine's own network: the bridge, both ends of every veth pair and all
addresses live in namespaces that this module makes and removes. A host also has a name of its own
(UTS namespace), so that a task's origin reads gen<pid>@web1 and not the name of the machine.
"""

import itertools
import os
import shutil
import signal
import subprocess
import time

# name: last part of 10.77.0.x and fd77::x
ADDRESSES = {
    "mq": 10, "redis": 11, "kafka": 12,
    "web1": 21, "web2": 22,
    "app1": 31, "app2": 32,
    "beat1": 41, "ops1": 51,
    "stranger": 66,
    "sensor": 99,
}
# A second office network, for what is folded by the source's network.
ADDRESSES_FAR = {"far1": 21}

IN_HOST = 'mount --bind "$1" /etc/hosts && hostname "$2" && shift 2 && exec "$@"'

_serial = itertools.count(1)


def unusable():
    """Why no lab can be made here, or None."""
    if os.geteuid() != 0:
        return "not root: network namespaces need it"
    for tool in ("ip", "nsenter", "unshare", "ethtool", "tcpdump"):
        if not shutil.which(tool, path=PATH):
            return f"{tool} is not installed"
    name = f"clprobe{os.getpid()}"
    steps = (["ip", "netns", "add", name], ["ip", "-n", name, "link", "add", "a0", "type", "veth", "peer", "name", "a1"],
             ["ip", "-n", name, "link", "add", "br0", "type", "bridge"], ["ip", "netns", "exec", name, "true"])
    why = None
    for step in steps:
        probe = subprocess.run(step, capture_output=True, text=True, check=False)
        if probe.returncode != 0:
            why = f"no network namespaces here: {' '.join(step)}: {probe.stderr.strip()}"
            break
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return why


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Host:
    """A namespace with an address. Makes processes in it and ends them."""

    def __init__(self, net, name, number, subnet=0, hostname=None):
        self.net = net
        self.name = name
        self.hostname = hostname or name  # what its programs take themselves for
        self.ns = f"{net.prefix}-{name}"
        self.ip4 = f"10.77.{subnet}.{number}"
        self.ip6 = f"fd77::{subnet}:{number}"
        ip("netns", "add", self.ns)
        self._cable(number, subnet)

    def _cable(self, number, subnet):
        port = f"p{subnet}-{number}"
        ip("-n", self.net.ns, "link", "add", port, "mtu", "1500", "type", "veth",
           "peer", "name", "eth0", "mtu", "1500", "netns", self.ns)
        ip("-n", self.net.ns, "link", "set", port, "master", "br0", "up")
        ip("-n", self.ns, "link", "set", "lo", "up")
        ip("-n", self.ns, "link", "set", "eth0", "address", f"02:77:00:00:{subnet:02x}:{number:02x}")
        # Segments on the wire as a switch would carry them, with true checksums.
        for space, dev in ((self.ns, "eth0"), (self.net.ns, port)):
            run(["ip", "netns", "exec", space, "ethtool", "-K", dev, "tso", "off", "gso", "off", "gro", "off",
                 "tx", "off", "rx", "off"], quiet=True)
        if not self.net.ipv6:
            run(["ip", "netns", "exec", self.ns, "sh", "-c",
                 "echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6"], quiet=True)
        ip("-n", self.ns, "addr", "add", self.ip4 + "/16", "dev", "eth0")
        if self.net.ipv6:
            ip("-n", self.ns, "addr", "add", self.ip6 + "/64", "dev", "eth0", "nodad")
        ip("-n", self.ns, "link", "set", "eth0", "up")

    def leave_by(self, address, *destinations):
        """Another address of this host, from which it speaks to those destinations from now on."""
        if f" {address}/" not in ip("-n", self.ns, "-4", "addr", "show", "dev", "eth0"):
            ip("-n", self.ns, "addr", "add", address + "/16", "dev", "eth0")
        for destination in destinations:
            ip("-n", self.ns, "route", "replace", destination + "/32", "dev", "eth0", "src", address)

    def argv(self, argv):
        return ["nsenter", f"--net=/run/netns/{self.ns}", "unshare", "--uts", "--mount",
                "sh", "-c", IN_HOST, "sh", self.net.hosts_file, self.hostname, *argv]

    def start(self, argv, env=None, log=None, **kw):
        """Starts a process in the host; the caller or the network's close() ends it."""
        out = open(self.net.log_path(log or f"{self.name}-{os.path.basename(argv[0])}"), "ab")
        process = subprocess.Popen(self.argv(argv), env=self.net.environment(env), stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.STDOUT, start_new_session=True, **kw)
        out.close()
        self.net.processes.append(process)
        return process

    def run(self, argv, env=None, check=True, timeout=180, **kw):
        """Runs a process in the host to its end; returns its standard output."""
        done = subprocess.run(self.argv(argv), env=self.net.environment(env), capture_output=True, text=True,
                              timeout=timeout, check=False, **kw)
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: {argv[:4]}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def wait_port(self, port, seconds=60, host="127.0.0.1"):
        """Waits until something listens on a port of this host."""
        probe = ("import socket,sys,time\n"
                 "end=time.time()+float(sys.argv[3])\n"
                 "while time.time()<end:\n"
                 "    try: socket.create_connection((sys.argv[1],int(sys.argv[2])),1).close(); sys.exit(0)\n"
                 "    except OSError: time.sleep(0.1)\n"
                 "sys.exit(1)\n")
        self.run(["/usr/bin/python3", "-c", probe, host, str(port), str(seconds)], timeout=seconds + 10)


class Network:
    """All hosts of one lab. Use as a context manager: everything it started is gone at the end."""

    def __init__(self, scratch, ipv6=False):
        self.prefix = f"cl{os.getpid()}n{next(_serial)}"
        self.ns = self.prefix + "-switch"
        self.scratch = scratch
        self.ipv6 = ipv6
        self.hosts = {}
        self.gone = {}
        self.processes = []
        self.hosts_file = os.path.join(scratch, "hosts")
        with open(self.hosts_file, "w", encoding="ascii") as f:
            f.write("127.0.0.1 localhost\n::1 localhost\n")
            for name, number in ADDRESSES.items():
                f.write(f"10.77.0.{number} {name}\n")
            for name, number in ADDRESSES_FAR.items():
                f.write(f"10.77.9.{number} {name}\n")
        ip("netns", "add", self.ns)
        ip("-n", self.ns, "link", "set", "lo", "up")
        ip("-n", self.ns, "link", "add", "br0", "mtu", "1500", "type", "bridge", "mcast_snooping", "0")
        run(["ip", "netns", "exec", self.ns, "sh", "-c",
             "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"], quiet=True)
        ip("-n", self.ns, "link", "set", "br0", "up")

    def host(self, name):
        if name not in self.hosts:
            if name in ADDRESSES:
                self.hosts[name] = Host(self, name, ADDRESSES[name])
            else:
                self.hosts[name] = Host(self, name, ADDRESSES_FAR[name], 9)
        return self.hosts[name]

    def pod(self, name, subnet, number, hostname=None):
        """A host that comes and goes: any name, at 10.77.<subnet>.<number>. The address is free again after drop()."""
        with open(self.hosts_file, "a", encoding="ascii") as f:  # bound into hosts that are already there, so not replaced
            f.write(f"10.77.{subnet}.{number} {name}\n")
        self.hosts[name] = Host(self, name, number, subnet, hostname)
        return self.hosts[name]

    def drop(self, name):
        """Takes a host away as it stands, with all that still runs in it."""
        gone = self.gone[name] = self.hosts.pop(name)
        self._end_all_in(gone.ns)
        ip("netns", "del", gone.ns)

    def environment(self, extra):
        env = {"PATH": PATH, "HOME": self.scratch, "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1",
               "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"}
        env.update(extra or {})
        return env

    def log_path(self, name):
        return os.path.join(self.scratch, name.replace("/", "_") + ".log")

    def stop(self, process, sig=signal.SIGTERM, seconds=15):
        """Ends one process started here, and waits for it."""
        if process.poll() is None:
            process.send_signal(sig)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)
        if process in self.processes:
            self.processes.remove(process)

    def close(self):
        for process in reversed(list(self.processes)):
            self.stop(process, seconds=5)
        for space in [h.ns for h in self.hosts.values()] + [self.ns]:
            self._end_all_in(space)
            run(["ip", "netns", "del", space], quiet=True)

    @staticmethod
    def _end_all_in(space):
        """Daemons that left their session (epmd, a pool's children). The namespace is ours, so they are too."""
        for _ in range(20):
            pids = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True, check=False)
            if not pids.stdout.split():
                return
            for pid in pids.stdout.split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def run(argv, quiet=False):
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=dict(os.environ, PATH=PATH))
    if done.returncode != 0 and not quiet:
        raise RuntimeError(" ".join(argv) + ": " + done.stderr.strip())
    return done.stdout


def ip(*args):
    return run(["ip", *args])
