"""RabbitMQ and Redis, each a private server with its files in the lab's scratch directory."""

import base64
import hashlib
import json
import os
import signal
import subprocess

# Users of the lab's brokers. Made up for it, used nowhere else.
SHOP_USER = "shop"
SHOP_PASSWORD = "k7Qz-harbor-41-Lantern"
OPS_USER = "ops"
OPS_PASSWORD = "Vellum.93.tundra-Fig"
REDIS_PASSWORD = "tide-Marble-92-Kestrel"


def _hash(password):
    salt = hashlib.sha256(password.encode()).digest()[:4]
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _definitions(vhosts):
    users = [("guest", "guest", ["administrator"]), (SHOP_USER, SHOP_PASSWORD, []), (OPS_USER, OPS_PASSWORD, ["monitoring"])]
    return {
        "users": [{"name": n, "password_hash": _hash(p), "hashing_algorithm": "rabbit_password_hashing_sha256",
                   "tags": t} for n, p, t in users],
        "vhosts": [{"name": v} for v in vhosts],
        "permissions": [{"user": n, "vhost": v, "configure": ".*", "write": ".*", "read": ".*"}
                        for n, _, _ in users for v in vhosts if (n, v) != (SHOP_USER, "vault")]
        + ([{"user": SHOP_USER, "vhost": "vault", "configure": "^$", "write": "^$", "read": "^$"}]
           if "vault" in vhosts else []),
    }


class Rabbit:
    """One RabbitMQ node on a host. Its epmd lives in the host's network namespace and dies with it."""

    BIN = "/usr/lib/rabbitmq/bin"

    def __init__(self, host, vhosts=("/", "shop"), plugins=(), tls=None, extra=(), port=5672):
        self.host = host
        self.port = port
        home = os.path.join(host.net.scratch, "rabbit")
        os.makedirs(home, exist_ok=True)
        definitions = os.path.join(home, "definitions.json")
        with open(definitions, "w", encoding="ascii") as f:
            json.dump(_definitions(vhosts), f)
        config = [f"listeners.tcp.1 = :::{port}" if host.net.ipv6 else f"listeners.tcp.1 = 0.0.0.0:{port}",
                  f"load_definitions = {definitions}", "cluster_name = lab@mq", *extra]
        if tls:
            config += ["listeners.ssl.1 = 0.0.0.0:5671", f"ssl_options.cacertfile = {tls.ca}",
                       f"ssl_options.certfile = {tls.cert}", f"ssl_options.keyfile = {tls.key}"]
        with open(os.path.join(home, "rabbitmq.conf"), "w", encoding="ascii") as f:
            f.write("\n".join(config) + "\n")
        with open(os.path.join(home, "plugins"), "w", encoding="ascii") as f:
            f.write("[" + ",".join(plugins) + "].\n")
        self.env = {
            "HOME": home, "RABBITMQ_NODENAME": "lab@mq", "RABBITMQ_MNESIA_BASE": home + "/mnesia",
            "RABBITMQ_LOG_BASE": home + "/log", "RABBITMQ_CONFIG_FILE": home + "/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": home + "/plugins",
            "RABBITMQ_CONF_ENV_FILE": home + "/none", "RABBITMQ_PID_FILE": home + "/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none", "ERL_EPMD_PORT": "4369",
        }
        self.process = host.start([self.BIN + "/rabbitmq-server"], env=self.env, log="rabbitmq")
        host.wait_port(port, 90)

    def ctl(self, *args):
        return self.host.run([self.BIN + "/rabbitmqctl", "-q", *args], env=self.env)

    def url(self, user=SHOP_USER, password=SHOP_PASSWORD, vhost="shop", address=None):
        where = address or self.host.ip4
        return f"amqp://{user}:{password}@{where}:{self.port}/" + ("/" if vhost == "/" else vhost)

    def restart(self):
        """The node's applications anew: every connection is closed, what is durable stays."""
        self.ctl("stop_app")
        self.ctl("start_app")
        self.host.wait_port(self.port, 60)

    def stop(self):
        self.host.net.stop(self.process, seconds=20)

    @staticmethod
    def version():
        out = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "rabbitmq-server"], capture_output=True,
                             text=True, check=False)
        return "RabbitMQ " + (out.stdout or "?")


class Redis:
    """One Redis server on a host."""

    def __init__(self, host, password=REDIS_PASSWORD, acl=True, port=6379, tls=None, tls_port=6380, extra=()):
        self.host = host
        self.port = port
        self.password = password
        home = os.path.join(host.net.scratch, f"redis{port}")
        os.makedirs(home, exist_ok=True)
        bind = "0.0.0.0 -::*" if host.net.ipv6 else "0.0.0.0"
        config = [f"port {port}", f"bind {bind}", f"dir {home}", 'save ""', "appendonly no", "protected-mode no",
                  "daemonize no", *extra]
        if password:
            config.append(f"requirepass {password}")
        if password and acl:
            config.append(f"user {SHOP_USER} on >{SHOP_PASSWORD} ~* &* +@all -@admin +info")
        if tls:
            config += [f"tls-port {tls_port}", f"tls-ca-cert-file {tls.ca}", f"tls-cert-file {tls.cert}",
                       f"tls-key-file {tls.key}", "tls-auth-clients no"]
        path = os.path.join(home, "redis.conf")
        with open(path, "w", encoding="ascii") as f:
            f.write("\n".join(config) + "\n")
        self._config = path
        self._start()

    def _start(self):
        self.process = self.host.start(["/usr/bin/redis-server", self._config], log=f"redis{self.port}")
        self.host.wait_port(self.port, 20)

    def restart(self):
        """Every connection breaks. Give extra=("appendonly yes",) if the queues are to outlive it."""
        self.stop()
        self._start()

    def url(self, user="", password=None, db=0, address=None):
        if password is None:
            password = self.password
        login = f"{user}:{password}@" if password else ""
        return f"redis://{login}{address or self.host.ip4}:{self.port}/{db}"

    def stop(self):
        self.host.net.stop(self.process, sig=signal.SIGTERM, seconds=10)

    @staticmethod
    def version():
        out = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "redis-server"], capture_output=True,
                             text=True, check=False)
        return "Redis " + (out.stdout or "?")
