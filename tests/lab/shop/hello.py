"""First words in the protocols of RabbitMQ that the sensor does not read: hello.py WHAT..."""

import os
import socket
import struct
import sys
import urllib.parse

URL = urllib.parse.urlparse(os.environ["LAB_BROKER"])
USER, PASSWORD = URL.username.encode(), URL.password.encode()


def dial(port, *lines):
    """Sends each piece, waits for some answer after each."""
    with socket.create_connection((URL.hostname, port), 5) as s:
        s.settimeout(3)
        for line in lines:
            s.sendall(line)
            try:
                print(port, s.recv(4096)[:60])
            except OSError as e:
                print(port, e)


def amqp10():
    """SASL PLAIN, then the AMQP 1.0 header and an open frame."""
    response = b"\0" + USER + b"\0" + PASSWORD
    described = b"\0\x53\x41\xc0" + struct.pack("BB", 1 + 7 + 2 + len(response), 2) + b"\xa3\x05PLAIN\xa0" + bytes([len(response)]) + response
    sasl = struct.pack("!IBBH", 8 + len(described), 2, 1, 0) + described
    opening = b"\0\x53\x10\xc0\x06\x01\xa1\x03web"
    dial(5672, b"AMQP\x03\x01\x00\x00", sasl, b"AMQP\x00\x01\x00\x00", struct.pack("!IBBH", 8 + len(opening), 2, 0, 0) + opening)


def stomp():
    dial(61613, b"CONNECT\naccept-version:1.2\nhost:shop\nlogin:" + USER + b"\npasscode:" + PASSWORD + b"\n\n\0",
         b"SEND\ndestination:/queue/stomp-only\nreceipt:1\n\nhello\0")


def mqtt():
    def text(b):
        return struct.pack("!H", len(b)) + b
    connect = text(b"MQTT") + b"\x04\xc2\0\x3c" + text(b"lab") + text(b"shop:" + USER) + text(PASSWORD)
    dial(1883, b"\x10" + bytes([len(connect)]) + connect, b"\xe0\x00")


def stream():
    """PeerProperties of the stream protocol."""
    body = struct.pack("!HHI", 17, 1, 1) + struct.pack("!I", 0)
    dial(5552, struct.pack("!I", len(body)) + body)


if __name__ == "__main__":
    for step in sys.argv[1:]:
        globals()[step]()
