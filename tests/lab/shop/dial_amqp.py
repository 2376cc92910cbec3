"""Logins at RabbitMQ that a broker refuses, one connection each: dial_amqp.py WHAT..."""

import os
import socket
import sys
import urllib.parse

import amqp

URL = urllib.parse.urlparse(os.environ["LAB_BROKER"])
HOST = f"{URL.hostname}:{URL.port}"


def dial(user=URL.username, password=URL.password, vhost="shop", mechanism="PLAIN", capabilities=None):
    """Opens and closes a connection; says how it went."""
    kw = {"login_method": mechanism}
    connection = amqp.Connection(HOST, user, password, virtual_host=vhost, connect_timeout=5, read_timeout=8, **kw)
    if capabilities is not None:
        connection.negotiate_capabilities = capabilities
    try:
        connection.connect()
        return connection
    except Exception as e:  # pylint: disable=broad-except
        print(type(e).__name__, e)
        return None


def close(connection):
    if connection is not None:
        connection.close()


def wrong_password():
    close(dial(password="not-Harbor-41"))


def guest_from_afar():
    close(dial("guest", "guest", "/"))


def guest_wrong():
    close(dial("guest", "Guest-2026-x", "/"))


def unknown_vhost():
    close(dial(vhost="nowhere"))


def silent_close():
    """Without the capability authentication_failure_close the broker just hangs up."""
    close(dial(password="not-Harbor-42", capabilities={}))


def amqplain():
    close(dial(mechanism="AMQPLAIN"))


def amqplain_wrong():
    close(dial(password="not-Harbor-43", mechanism="AMQPLAIN"))


def no_permission():
    connection = dial(vhost="vault")
    try:
        connection.channel().queue_declare("celery")
    except amqp.exceptions.AccessRefused as e:
        print(e)
    close(connection)


def bad_version():
    with socket.create_connection((URL.hostname, URL.port), 5) as s:
        s.sendall(b"AMQP\x03\x01\x00\x00")
        s.settimeout(5)
        print(s.recv(100))


if __name__ == "__main__":
    for step in sys.argv[1:]:
        globals()[step]()
