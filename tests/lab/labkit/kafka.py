"""One Kafka node (KRaft, broker and controller in one) from Maven Central's jars."""

import glob
import os
import shutil
import subprocess

from .stacks import CACHE

VERSION = "4.1.0"
JARS = os.path.join(CACHE, "kafka-" + VERSION)
POM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "kafka", "pom.xml")
CONFIG = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
listeners=PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093
advertised.listeners=PLAINTEXT://{address}:9092
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def usable():
    """Why there is no Kafka here, or None."""
    if not shutil.which("java"):
        return "no java"
    if not os.path.exists(os.path.join(JARS, ".ready")):
        return "Kafka's jars are not installed (scripts/install-deps test)"
    return None


def install(say=print):
    if os.path.exists(os.path.join(JARS, ".ready")):
        return
    say(f"lab: fetching Kafka {VERSION} from Maven Central")
    os.makedirs(JARS, exist_ok=True)
    subprocess.run(["mvn", "-q", "-B", "-Dstyle.color=never", "-f", POM, "dependency:copy-dependencies", f"-DoutputDirectory={JARS}"], check=True,
                   stdout=subprocess.DEVNULL)
    with open(os.path.join(JARS, ".ready"), "w", encoding="ascii"):
        pass


class Kafka:
    """A running node on a host; its data is in the lab's scratch directory."""

    def __init__(self, host):
        self.host = host
        home = os.path.join(host.net.scratch, "kafka")
        os.makedirs(home, exist_ok=True)
        config = os.path.join(home, "server.properties")
        with open(config, "w", encoding="ascii") as f:
            f.write(CONFIG.format(address=host.ip4, data=home + "/data"))
        java = ["java", "-Xmx384m", "-cp", ":".join(sorted(glob.glob(JARS + "/*.jar"))),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        host.run([*java, "kafka.tools.StorageTool", "format", "-t", "Q2VsZXJpYWNMYWJLYWZrYQ", "-c", config])
        self.process = host.start([*java, "kafka.Kafka", config], log="kafka")
        host.wait_port(9092, 60)

    @property
    def address(self):
        return f"{self.host.ip4}:9092"

    def read(self, reader, topic):
        """Every (key, value) of a topic, by kcat on another host. A topic that is not there is empty."""
        done = reader.run(["kcat", "-C", "-q", "-b", self.address, "-t", topic, "-o", "beginning", "-e", "-f", "%k\\t%s\\n"],
                          check=False, timeout=60)
        return [line.split("\t", 1) for line in done.splitlines() if "\t" in line]
