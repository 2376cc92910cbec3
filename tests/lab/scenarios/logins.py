"""Credentials: none, default ones, wrong ones, and those of an administrator in clear."""

from labkit import services

from . import scenario
from . import expectations as ex


@scenario("noauth-redis", "A Redis without any password that serves as broker and result store.")
def noauth_redis(s):
    s.redis(password="")
    s.on_redis()
    s.record()
    w = s.worker("app1", "debian", options=())
    s.produce("web1", "new", "plain:3", "fire:2")
    s.stop(w)
    s.finish()
    s.expect("broker-no-auth", 1, "medium, folded by broker for a day")
    ex.clear_tasks(s)
    ex.unsigned(s)


@scenario("noauth-redis-loopback", "The same with everything on one host, over its loopback.")
def noauth_loopback(s):
    s.redis(password="")
    s.on_redis(url="redis://127.0.0.1:6379/0")
    s.record(space=s.host("redis").ns, device="lo")
    w = s.worker("redis", "new", options=())
    s.produce("redis", "new", "plain:3")
    s.stop(w)
    s.finish()
    s.expect("broker-no-auth", 1, "info: both sides are loopback")
    s.expect("broker-cleartext", 0, "loopback")
    ex.unsigned(s)


@scenario("guest-amqp-loopback", "RabbitMQ with guest/guest, which works on loopback as installed.")
def guest_loopback(s):
    s.rabbit()
    s.on_amqp(url=s.rabbit_server.url("guest", "guest", "/", address="127.0.0.1"))
    s.record(space=s.host("mq").ns, device="lo")
    w = s.worker("mq", "debian", options=())
    s.produce("mq", "debian", "plain:3")
    s.stop(w)
    s.finish()
    s.expect("cred-default", 1, "guest/guest accepted")
    ex.amqp_login(s)
    s.expect("broker-cleartext", 0, "loopback")
    ex.unsigned(s)
    s.remark("The broker's epmd and its Erlang distribution talk on this loopback too (port 4369); they are not AMQP.")


@scenario("guest-amqp", "RabbitMQ that lets guest/guest in from anywhere.")
def guest_network(s):
    s.rabbit(extra=("loopback_users.guest = false",))
    s.on_amqp(url=s.rabbit_server.url("guest", "guest", "/"))
    s.record()
    w = s.worker("app1", "new", options=())
    s.produce("web1", "new", "plain:3")
    s.stop(w)
    s.finish()
    s.expect("cred-default", 2, "guest/guest accepted: from app1 and from web1")
    ex.amqp_tasks(s)


@scenario("default-redis", "Redis whose password is the one of the example configuration, foobared.")
def default_redis(s):
    s.redis(password="foobared", acl=False)
    s.on_redis()
    s.record()
    w = s.worker("app1", "debian", options=())
    s.produce("web1", "new", "plain:3")
    s.stop(w)
    s.finish()
    s.expect("cred-default", 2, "foobared accepted: from app1 (AUTH) and from web1 (HELLO AUTH)")
    ex.redis_tasks(s)


@scenario("logins-amqp", "Refused logins at RabbitMQ: wrong password, guest from afar, unknown vhost, a client that cannot be told.")
def logins_amqp(s):
    s.rabbit(vhosts=("/", "shop", "vault"))
    s.on_amqp()
    s.record()
    w = s.worker("app1", "debian", options=("--without-gossip",))
    s.produce("web1", "debian", "plain:2")
    for step in ("wrong_password", "guest_from_afar", "unknown_vhost", "silent_close", "amqplain", "amqplain_wrong",
                 "no_permission", "bad_version", "guest_wrong"):
        s.produce("stranger", "new", step, script="dial_amqp.py")
    s.stop(w)
    s.finish()
    ex.amqp_tasks(s, users=2)
    s.expect("broker-login-failed", "1 (6 with --no-fold)", "from 10.77.0.66 within 60 s: wrong_password 403, guest_from_afar 403, "
             "unknown_vhost 530, silent_close, amqplain_wrong 403, guest_wrong 403")
    s.expect("cred-default", 0, "guest/guest was offered and refused")
    s.remark("cred-amqp-cleartext: users shop and guest (a refused credential is in clear too).")
    s.remark("bad_version sends the AMQP 1.0 header; the broker answers with its own and closes.")
    s.expect_later("broker-access-refused", 1, "no_permission: channel.close 403 in vhost vault")
    s.expect_later("broker-login-bruteforce", 1, "six refused credentials of one source in 60 s")


@scenario("logins-redis", "Refused logins at Redis, then an administrator who changes passwords in clear.")
def logins_redis(s):
    r = s.redis()
    s.on_redis()
    s.record()
    w = s.worker("app1", "new", options=("--without-gossip",))
    s.produce("web1", "new", "plain:2")
    where = ["-h", r.host.ip4, "-p", "6379"]
    cli = lambda *a, auth=(): s.tool("stranger", "redis-cli", *where, "--no-auth-warning", *auth, *a, role="stranger")
    cli("AUTH", "letmein-please")
    cli("AUTH", "shop", "not-the-password")
    cli("GET", "celery")
    cli("LLEN", "celery")
    cli("HELLO", "3", "AUTH", "default", "summer-2026-x")
    admin = lambda *a: s.tool("ops1", "redis-cli", *where, "--no-auth-warning", "-a", services.REDIS_PASSWORD, *a,
                              role="administrator", said="redis-cli -a ... " + " ".join(a))
    admin("CONFIG", "SET", "requirepass", "winter-Oriole-17-Basalt")
    s.tool("ops1", "redis-cli", *where, "--no-auth-warning", "-a", "winter-Oriole-17-Basalt", "CONFIG", "SET", "requirepass",
           services.REDIS_PASSWORD, role="administrator", said="redis-cli -a ... CONFIG SET requirepass (the old one)")
    admin("ACL", "SETUSER", "reports", "on", ">Quartz-88-lemming-Dune", "~reports:*", "+get")
    admin("CONFIG", "GET", "requirepass")
    admin("CONFIG", "SET", "masterauth", "")
    admin("MIGRATE", "10.77.0.12", "6379", "nokey", "0", "10", "AUTH2", "mover", "Cinder-51-parsley-Ibis")
    s.stop(w)
    s.finish()
    ex.redis_login(s, 2)
    ex.clear_tasks(s)
    ex.unsigned(s)
    s.expect("broker-login-failed", "2 (5 with --no-fold)", "from 10.77.0.66: three -WRONGPASS, and -NOAUTH on two connections, another class of evidence")
    s.expect("cred-redis-admin", "1 or more (6 with --no-fold)", "from 10.77.0.51: CONFIG SET requirepass twice, ACL "
             "SETUSER with >, CONFIG SET masterauth '' (the empty one too), MIGRATE AUTH2; the CONFIG GET reply folds by source for a day")
    s.remark("cred-redis-cleartext: users default (AUTH with a password alone is that user) and shop (a refused credential is in clear too).")
    s.expect_later("redis-admin", "1 or more", "MIGRATE, ACL SETUSER, other CONFIG SET")
    s.expect_later("redis-recon", "1", "CONFIG GET")
    s.expect_later("broker-login-bruteforce", 0, "three refused credentials only; -NOAUTH offers none")
