"""tcpdump on the lab's bridge: every frame between two hosts once."""

import os
import re
import signal
import subprocess
import time


class Capture:
    """Records from start to stop(). Frames still in the kernel's buffer when stop() is called are written first."""

    def __init__(self, space, path, options=(), expression="", device="br0"):
        self.path = path
        argv = ["ip", "netns", "exec", space, "tcpdump", "-i", device, "-B", "65536", "-U", "-Z", "root", "-n",
                "-w", path, *(options or ("-s", "0"))]
        if expression:
            argv.append(expression)
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, start_new_session=True)
        while "listening on" not in (line := self.process.stderr.readline()):
            if not line:
                raise RuntimeError("tcpdump did not start")
        time.sleep(0.3)

    def stop(self):
        """Returns the number of frames that the kernel dropped (0 or the capture is no good)."""
        time.sleep(0.5)
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate(timeout=20)[1]
        dropped = re.search(r"(\d+) packets? dropped by kernel", said)
        return int(dropped.group(1)) if dropped else 0

    @staticmethod
    def version():
        out = subprocess.run(["tcpdump", "--version"], capture_output=True, text=True, check=False)
        return (out.stdout + out.stderr).splitlines()[0].replace("version ", "")


def first_time(path):
    """Time of the first packet in a little-endian microsecond pcap file, seconds."""
    with open(path, "rb") as f:
        f.seek(24)
        return int.from_bytes(f.read(4), "little") + int.from_bytes(f.read(4), "little") / 1e6


def count_packets(path):
    """Packets in a plain pcap file of ours."""
    size = os.path.getsize(path)
    with open(path, "rb") as f:
        order = "little" if f.read(4)[0] in (0xD4, 0x4D) else "big"
        at, n = 24, 0
        while at < size:
            f.seek(at + 8)
            at += 16 + int.from_bytes(f.read(4), order)
            n += 1
    return n
