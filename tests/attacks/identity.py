#!/usr/bin/python3
"""identity.py SENSOR - what a client may say first so that nobody looks at the rest. Each opening was tried on a real Redis, which goes on
behind it. On the port of Redis and, where the bytes alone tell, on another one."""
import sys

sys.dont_write_bytecode = True
from kit import Capture, resp, sense  # noqa: E402

PUSH = resp("LPUSH", "celery", "x")
OPENINGS = [  # name, client's first bytes, server's answer to them, also on a port that means nothing
    ("empty line", b"\r\n", b"", True), ("bare line ends", b"\n\n", b"", True), ("array of nothing", b"*0\r\n", b"", True),
    ("negative array", b"*-7\r\n", b"", True), ("blanks", b"  PING\r\n", b"+PONG\r\n", True), ("quotes", b'"PING"\r\n', b"+PONG\r\n", True),
    ("no command", b"FOO\r\n", b"-ERR unknown command 'FOO', with args beginning with: \r\n", True),
    ("SMTP", b"EHLO x\r\n", b"-ERR unknown command 'EHLO', with args beginning with: 'x' \r\n", False),
    ("STOMP", b"STOMP\r\n", b"-ERR unknown command 'STOMP', with args beginning with: \r\n", False),
    ("TLS", b"\x16\x03\x01\x02\x02\x01\r\n", b"-ERR unknown command\r\n", False),
    ("bare LF", b"PING\n", b"+PONG\r\n", True), ("memcached", b"set k 0 0 3\r\n", b"-ERR syntax error\r\n", False),
    ("much of it", b"FOO\r\n" * 1800, b"-ERR unknown command 'FOO', with args beginning with: \r\n" * 1800, False),
]


def main():
    sensor, wrong, n = sys.argv[1], [], 0
    for name, first, answer, anywhere in OPENINGS:
        for port in (6379, 7000) if anywhere else (6379,):
            for cut in (None, 1, 3):
                if len(first) > 100 and cut:
                    continue
                n += 1
                s = sense(sensor, Capture().talk(port, [(">", first + PUSH), ("<", answer + b":1\r\n")], cut=cut), emit="commands")
                if "LPUSH" not in s.commands() or s.code != 0:
                    wrong.append(f"{name}, port {port}, segments of {cut}: exit {s.code}, {s.commands()}")
    odd = PUSH.replace(b"\r\n", b"\rX")
    for cut in (None, 1, 2, 3):
        n += 1
        s = sense(sensor, Capture().talk(6379, [(">", odd), ("<", b":1\r\n")], cut=cut), emit="commands")
        if s.commands() != ["LPUSH"]:
            wrong.append(f"CR and any byte, segments of {cut}: {s.commands()}")
    for turns in ([(">", b"GET / HTTP/1.1\r\n\r\n"), ("<", b"HTTP/1.1 200 OK\r\n\r\n")], [("<", b"220 x ESMTP\r\n"), (">", b"EHLO x\r\n")],
                  [("<", b"+OK POP3 ready\r\n"), (">", b"USER bob\r\n"), ("<", b"+OK\r\n"), (">", b"STAT\r\n"), ("<", b"-ERR unknown command\r\n")],
                  [(">", b"set k 0 0 3\r\nabc\r\nget k\r\n"), ("<", b"STORED\r\nVALUE k 0 3\r\nabc\r\nEND\r\n")],
                  [("<", b"SSH-2.0-x\r\n"), (">", b"SSH-2.0-y\r\n")]):
        n += 1
        s = sense(sensor, Capture().talk(7000, turns))
        if s.records:
            wrong.append(f"not Redis: {turns[0]}: {s.records[0]}")
    print(*wrong, f"{n - len(wrong)} passed, {len(wrong)} failed", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
