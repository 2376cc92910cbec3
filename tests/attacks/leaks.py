#!/usr/bin/python3
"""leaks.py SENSOR - secrets in odd places and spellings: in no record, no statistics, no log; and the rule that should see them does."""
import sys

sys.dont_write_bytecode = True
import kit  # noqa: E402
from kit import Capture, content, long_, method, publish, resp, sense, short, start_ok, table  # noqa: E402

S = b"Zq7-marmot-Quill"  # the secret; in every case, once or more
N = b"8417735520"        # one that looks like a number
OK, ERR = b"+OK\r\n", b"-ERR x\r\n"


def redis(*requests, reply=OK, rule=None, secret=S, tail=None):
    return dict(port=6379, turns=[(">", b"".join(requests)), ("<", reply * len(requests) + (tail or b""))], rule=rule, secret=secret)


def amqp(*turns, rule=None, secret=S, **kw):
    return dict(port=5672, turns=kit.login(**kw) + list(turns), rule=rule, secret=secret)


CASES = {
    "AUTH": redis(resp("AUTH", S), rule="cred-redis-cleartext"),
    "AUTH, a number": redis(resp("AUTH", N), rule="cred-redis-cleartext", secret=N),
    "AUTH user": redis(resp("auth", "u", S), rule="cred-redis-cleartext"),
    "AUTH with too many words": redis(resp("AUTH", "u", "x", S), reply=ERR),
    "inline AUTH": redis(b"AUTH " + S + b"\r\n", rule="cred-redis-cleartext"),
    "inline AUTH, tabs and blanks": redis(b"  \tauth\t " + S + b" \t\r\n", rule="cred-redis-cleartext"),
    "inline AUTH, bare LF": redis(b"AUTH " + S + b"\n", rule="cred-redis-cleartext"),
    "inline AUTH, quotes": redis(b"AUTH \"" + S + b"\"\r\n", rule="cred-redis-cleartext"),
    "inline AUTH, single quotes": redis(b"'AUTH' '" + S + b"'\r\n", rule="cred-redis-cleartext"),
    "inline AUTH, escapes": redis(b"\"\\x41UTH\" \"" + S[:3] + b"\\x%02x" % S[3] + S[4:] + b"\"\r\n", rule="cred-redis-cleartext"),
    "inline AUTH, unbalanced": redis(b"AUTH \"" + S + b"\r\n", reply=b"-ERR Protocol error: unbalanced quotes in request\r\n"),
    "inline AUTH, no end": redis(b"PING\r\n", b"AUTH " + S),
    "inline password alone": redis(b"PING\r\n", b"AUTH\r\n", S + b"\r\n", reply=ERR),
    "password as a command": redis(resp("PING"), resp(S), reply=ERR),
    "AUTH without a name": redis(resp("AUTH", "", S), rule="cred-redis-cleartext"),
    "HELLO": redis(resp("HELLO", "3", "AUTH", "u", S, "SETNAME", "n"), rule="cred-redis-cleartext"),
    "hello, name first": redis(resp("hello", "3", "setname", "AUTH", "auth", "u", S), rule="cred-redis-cleartext"),
    "HELLO without version": redis(resp("HELLO", "AUTH", "u", S), reply=ERR),
    "HELLO, a number": redis(resp("HELLO", "2", "AUTH", "u", N), rule="cred-redis-cleartext", secret=N),
    "AUTH in MULTI": redis(resp("MULTI"), resp("AUTH", S), resp("EXEC"), rule="cred-redis-cleartext"),
    "HELLO in MULTI": redis(resp("MULTI"), resp("HELLO", "3", "AUTH", "u", S), resp("EXEC"), rule="cred-redis-cleartext"),
    "AUTH in Lua": redis(resp("EVAL", "return redis.call('AUTH','" + S.decode() + "')", "0")),
    "AUTH among a script's arguments": redis(resp("EVAL", "return redis.call(ARGV[1],ARGV[2])", "0", "AUTH", S)),
    "a number among a script's arguments": redis(resp("EVAL", "x", "0", "AUTH", N), secret=N),
    "FUNCTION LOAD": redis(resp("FUNCTION", "LOAD", b"#!lua name=x\nredis.call('AUTH','" + S + b"')")),
    "SCRIPT LOAD": redis(resp("SCRIPT", "LOAD", b"redis.call('AUTH','" + S + b"')")),
    "CONFIG SET": redis(resp("CONFIG", "SET", "requirepass", S), rule="cred-redis-admin"),
    "config set, several": redis(resp("cOnFiG", "sEt", "maxmemory", "0", "RequirePass", S, "port", "1"), rule="cred-redis-admin"),
    "CONFIG SET, a number": redis(resp("CONFIG", "SET", "requirepass", N), rule="cred-redis-admin", secret=N),
    "CONFIG SET masterauth": redis(resp("CONFIG", "SET", "masterauth", S), rule="cred-redis-admin"),
    "CONFIG SET of a key's password": redis(resp("CONFIG", "SET", "tls-key-file-pass", S), rule="cred-redis-admin"),
    "CONFIG SET, too many words": redis(resp("CONFIG", "SET", "requirepass", "x", S), reply=ERR),
    "CONFIG SET of another": redis(resp("CONFIG", "SET", "no-such-key", S), reply=ERR),
    "CONFIG GET": redis(resp("CONFIG", "GET", "requirepass"), reply=b"*2\r\n$11\r\nrequirepass\r\n$%d\r\n%s\r\n" % (len(S), S), rule="cred-redis-admin"),
    "CONFIG GET of all": redis(resp("CONFIG", "GET", "*"), rule="cred-redis-admin",
                               reply=b"*4\r\n$4\r\nport\r\n$4\r\n6379\r\n$10\r\nmasterauth\r\n$%d\r\n%s\r\n" % (len(S), S)),
    "CONFIG GET as a map": redis(resp("HELLO", "3"), resp("CONFIG", "GET", "*"), rule="cred-redis-admin", reply=b"",
                                 tail=b"%%0\r\n%%1\r\n$11\r\nrequirepass\r\n$%d\r\n%s\r\n" % (len(S), S)),
    "CONFIG GET in MULTI": dict(port=6379, rule="cred-redis-admin", secret=S, turns=[
        (">", resp("MULTI") + resp("CONFIG", "GET", "requirepass") + resp("EXEC")),
        ("<", OK + b"+QUEUED\r\n*1\r\n*2\r\n$11\r\nrequirepass\r\n$%d\r\n%s\r\n" % (len(S), S))]),
    "ACL SETUSER": redis(resp("ACL", "SETUSER", "bob", "on", b">" + S, "~*"), rule="cred-redis-admin"),
    "acl setuser, last": redis(resp("acl", "setuser", "bob", "resetpass", b"<" + S), rule="cred-redis-admin"),
    "ACL SETUSER, a number": redis(resp("ACL", "SETUSER", "bob", b">" + N), rule="cred-redis-admin", secret=N),
    "ACL SETUSER, sign forgotten": redis(resp("ACL", "SETUSER", "bob", S), reply=ERR),
    "ACL SETUSER, hash": redis(resp("ACL", "SETUSER", "bob", b"#" + N * 6 + b"abcd"), rule="cred-redis-admin", secret=N * 6),
    "inline ACL SETUSER": redis(b"ACL  SETUSER bob \">" + S + b"\" on\r\n", rule="cred-redis-admin"),
    "ACL DRYRUN": redis(resp("ACL", "DRYRUN", "bob", "AUTH", S)),
    "MIGRATE AUTH": redis(resp("MIGRATE", "h", "6379", "", "0", "10", "COPY", "AUTH", S, "KEYS", "a"), rule="cred-redis-admin"),
    "MIGRATE AUTH2": redis(resp("migrate", "h", "6379", "k", "0", "10", "auth2", "u", S), rule="cred-redis-admin"),
    "MIGRATE, a number": redis(resp("MIGRATE", "h", "6379", "", "0", "10", "AUTH", N, "KEYS", "a"), rule="cred-redis-admin", secret=N),
    "SENTINEL SET": redis(resp("SENTINEL", "SET", "m", "auth-pass", S), rule="cred-redis-admin"),
    "SENTINEL SET, later": redis(resp("sentinel", "set", "m", "down-after-milliseconds", "1", "AUTH-PASS", S), rule="cred-redis-admin"),
    "SENTINEL SET, a number": redis(resp("SENTINEL", "SET", "m", "auth-pass", N), rule="cred-redis-admin", secret=N),
    "SENTINEL CONFIG SET": redis(resp("SENTINEL", "CONFIG", "SET", "sentinel-pass", S), rule="cred-redis-admin"),
    "CLIENT SETNAME": redis(resp("CLIENT", "SETNAME", S)),
    "CLIENT SETNAME, a number": redis(resp("CLIENT", "SETNAME", N), secret=N),
    "CLIENT KILL": redis(resp("CLIENT", "KILL", "USER", S)),
    "REPLCONF": redis(resp("REPLCONF", "x", S)),
    "a command of a module": redis(resp("VAULT.PUT", "pw", S)),
    "a renamed command": redis(resp("A1B2C3-AUTH", S), rule=None),
    "a renamed command, a number": redis(resp("A1B2C3-AUTH", N), rule=None, secret=N),
    "an error that repeats it": redis(resp("PING"), resp("FOO", S), reply=b"-ERR unknown command 'FOO', with args beginning with: '" + S + b"'\r\n"),
    "an error that begins with it": redis(resp("PING"), resp("GET", "k"), reply=b"-" + S + b"\r\n"),
    "a status that repeats it": redis(resp("ECHO", S), reply=b"+" + S + b"\r\n"),
    "ECHO of a number": redis(resp("ECHO", N), reply=b"$10\r\n" + N + b"\r\n", secret=N),
    "SET of a number": redis(resp("SET", "pin", N), secret=N),
    "SETEX of a number": redis(resp("SETEX", "pin", "60", N), secret=N),
    "HSET of a number": redis(resp("HSET", "h", "pin", N), secret=N),
    **{f"{c} of a number": redis(resp(*c.split(), *more, N), secret=N) for c, *more in (
        ("SET k v IFEQ",), ("SET k v IFDNE",), ("DELEX k IFEQ",), ("LREM k 0",), ("LPOS k",), ("LINSERT k BEFORE x",), ("SISMEMBER s",), ("SMISMEMBER s x",), ("SREM s",),
        ("HGET h",), ("HMGET h x",), ("HDEL h",), ("HEXISTS h",), ("HSTRLEN h",), ("HGETDEL h FIELDS 1",), ("HEXPIRE h 9 FIELDS 1",), ("ZSCORE z",), ("ZMSCORE z x",),
        ("ZRANK z",), ("ZREM z",), ("BITFIELD k SET u32 0",), ("GEOHASH g",), ("VREM v",), ("XGROUP CREATE s",), ("PING",), ("ACL DRYRUN bob AUTH",), ("MODULE LOAD /x.so",), ("SORT k GET",), ("COMMAND GETKEYS SET k",))},
    "LINSERT before a number": redis(resp("LINSERT", "k", "BEFORE", N, "x"), secret=N), "HINCRBY of a number": redis(resp("HINCRBY", "h", N, "1"), secret=N),
    "a queue called like a URL": redis(resp("LPUSH", b"redis://shop:" + S + b"@h/0", "x"), resp("DEL", b"celery://:" + S + b"@h"), resp("SUBSCRIBE", b"redis://shop:" + S + b"@h/0")),
    "RESP3 push": redis(resp("HELLO", "3"), resp("SUBSCRIBE", "c"), reply=b"", tail=b"%%0\r\n>3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n"
                        b"$%d\r\n%s\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$%d\r\n%s\r\n" % (len(S), S, len(S), S)),
    "MONITOR": redis(resp("MONITOR"), tail=b"+1339518083.1 [0 10.0.0.1:1] \"auth\" \"" + S + b"\"\r\n+1339518083.1 [0 10.0.0.1:1] \"SET\" \"a\" \"" + S + b"\"\r\n"),
    "a gap before AUTH": dict(port=6379, secret=S, rule="cred-redis-cleartext", drop=(2,), turns=[
        (">", resp("GET", "a")), ("<", b"$-1\r\n"), (">", resp("GET", "b" * 40)), (">", resp("AUTH", S) + resp("GET", "c")), ("<", b"$-1\r\n" + OK + b"$-1\r\n")]),
    "a gap in AUTH": dict(port=6379, secret=S, rule=None, drop=(2,), turns=[
        (">", resp("GET", "a")), ("<", b"$-1\r\n"), (">", resp("AUTH", S)[:12]), (">", resp("AUTH", S)[12:] + resp("GET", "c")), ("<", OK + b"$-1\r\n")]),
    "a gap in AUTH's name": dict(port=6379, secret=S, rule=None, drop=(3,), turns=[
        (">", resp("GET", "a")), ("<", b"$-1\r\n"), (">", resp("AUTH", "u", S)[:8]), (">", b"AU"), (">", resp("AUTH", "u", S)[10:] + resp("GET", "c")), ("<", OK + b"$-1\r\n")]),
    "two AUTHs, the first one's answer lost": dict(port=6379, secret=S, rule="cred-redis-cleartext", drop=(2,), turns=[
        (">", resp("AUTH", "u", "wrong-" + S.decode())), (">", resp("AUTH", "u2", S)), ("<", b"-WRONGPASS x\r\n"), ("<", OK), (">", resp("GET", "a")), ("<", b"$-1\r\n")]),
    "the middle of AUTH": dict(port=6379, secret=S, rule=None, syn=False, turns=[
        (">", resp("AUTH", "u", S)[13:] + resp("GET", "a") + resp("GET", "a")), ("<", OK + b"$-1\r\n$-1\r\n")]),
    # AMQP
    "PLAIN": amqp(response=b"\0shop\0" + S, rule="cred-amqp-cleartext"),
    "PLAIN as somebody else": amqp(response=b"admin\0shop\0" + S, rule="cred-amqp-cleartext"),
    "PLAIN, a NUL inside": amqp(response=b"\0shop\0a\0" + S, rule="cred-amqp-cleartext"),
    "PLAIN, one NUL": amqp(response=b"shop\0" + S, rule="cred-amqp-cleartext"),
    "PLAIN, no NUL": amqp(response=S, rule="cred-amqp-cleartext"),
    "PLAIN, no user": amqp(response=b"\0\0" + S, rule="cred-amqp-cleartext"),
    "PLAIN, in small letters": amqp(mechanism="plain", response=b"\0shop\0" + S),
    "PLAIN, under another name": amqp(mechanism="RABBIT-CR-DEMO", response=b"\0shop\0" + S),
    "PLAIN, under EXTERNAL": amqp(mechanism="EXTERNAL", response=b"\0shop\0" + S),
    "XOAUTH2": amqp(mechanism="XOAUTH2", response=b"user=x\x01auth=Bearer " + S + b"\x01\x01"),
    "AMQPLAIN": amqp(mechanism="AMQPLAIN", response=table(LOGIN="shop", PASSWORD=S)[4:], rule="cred-amqp-cleartext"),
    "AMQPLAIN, password first": amqp(mechanism="AMQPLAIN", response=table(PASSWORD=S, LOGIN="shop")[4:], rule="cred-amqp-cleartext"),
    "AMQPLAIN, bytes": amqp(mechanism="AMQPLAIN", response=table(LOGIN="shop", PASSWORD=(b"x", long_(S)))[4:], rule="cred-amqp-cleartext"),
    "AMQPLAIN, nested": amqp(mechanism="AMQPLAIN", response=table(LOGIN="shop", x=(b"F", table(PASSWORD=S)))[4:], rule="cred-amqp-cleartext"),
    "AMQPLAIN, as PLAIN": amqp(mechanism="PLAIN", response=table(LOGIN="shop", PASSWORD=S)[4:], rule="cred-amqp-cleartext"),
    "AMQPLAIN, broken": amqp(mechanism="AMQPLAIN", response=table(LOGIN="shop", PASSWORD=S)[4:-3], rule="cred-amqp-cleartext", secret=S[:10]),
    "RABBIT-CR-DEMO": dict(port=5672, secret=S, rule="cred-amqp-cleartext", turns=[
        (">", kit.HELLO), ("<", kit.START), (">", start_ok("RABBIT-CR-DEMO", b"shop")), ("<", method(0, 10, 20, long_("Please tell me your password"))),
        (">", method(0, 10, 21, long_(b"My password is " + S))), ("<", kit.TUNE)]),
    "update-secret": amqp((">", method(0, 10, 70, long_(S) + short("rotate " + S.decode()))), rule="cred-amqp-cleartext"),
    "client properties": amqp(properties=table(product="x", version="1", password=S, url=b"amqp://shop:" + S + b"@h/")),
    "connection.close": amqp(
        ("<", method(0, 10, 50, b"\x01\x93" + short(b"ACCESS_REFUSED - Login refused for " + S) + b"\0\0\0\0"))),
    "connection.close, that word alone": amqp(("<", method(0, 10, 50, b"\x01\x93" + short(S) + b"\0\0\0\0"))),
    "channel.close": amqp(("<", method(1, 20, 40, b"\x01\x94" + short(b"NOT_FOUND - no queue '" + S + b"'") + b"\0\x32\0\x0a"))),
    "basic.return": amqp(("<", method(1, 60, 50, b"\x01\x38" + short(b"NO_ROUTE " + S) + short("") + short("q")) + content(1, b"{}"))),
    "connection.blocked": amqp(("<", method(0, 10, 60, short(b"low on " + S)))),
    "body": amqp((">", publish(1, "", "celery", b"[[\"" + S + b"\"], {}, {}]"))),
    "a queue called like a URL, on AMQP": amqp((">", publish(1, "", b"amqp://shop:" + S + b"@h//", b"[[], {}, {}]")), (">", method(1, 50, 10, b"\0\0" + short(b"amqp://u:" + S + b"@h") + b"\0" + table()))),
    "queue arguments": amqp((">", method(1, 50, 10, b"\0\0" + short("q") + b"\0" + table(password=S)))),
}


def main():
    sensor, wrong = sys.argv[1], []
    for name, case in CASES.items():
        for cut in (None, 1, 7):
            if case.get("drop") and cut:
                continue
            c = Capture().talk(case["port"], case["turns"], cut=cut, drop=case.get("drop", ()), syn=case.get("syn", True))
            s = sense(sensor, c, emit=kit.ALL + ",stats")
            for text in (s.out, s.err):
                # JSON may write it with escapes; the first three bytes are one more than may be shown.
                if case["secret"] in text or (case["secret"][:3] + b"*") in text:
                    at = text.index(case["secret"][:3])
                    wrong.append(f"{name}, segments of {cut}: shown: {text[max(0, at - 150):at + 30]!r}")
            if s.code != 0:
                wrong.append(f"{name}, segments of {cut}: exit {s.code}: {s.err[-400:]!r}")
            elif case["rule"] and case["rule"] not in s.rules():
                wrong.append(f"{name}, segments of {cut}: no {case['rule']}, only {s.rules()}")
    print(*wrong, f"{len(CASES)} cases, {len(wrong)} failed", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
