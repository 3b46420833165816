"""Who holds the other end of a loopback connection."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from other_user import NOBODY, as_nobody, needs_root

from app.peers import Neighbours, Remembered, by_netlink, by_tables, canonical, is_loopback

WAYS = [by_netlink, by_tables, Remembered(by_tables)]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose a connection is")


@contextmanager
def connected(host: str = "127.0.0.1", reached: str | None = None) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection to this process."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen()
        with socket.socket(socket.AF_INET6 if ":" in (reached or host) else socket.AF_INET) as client:
            client.connect((reached or host, listener.getsockname()[1]))
            server, _ = listener.accept()
            with server:
                yield client, server


@pytest.mark.parametrize("owners", WAYS)
@pytest.mark.parametrize(("host", "reached"), [("127.0.0.1", None), ("::1", None), ("127.0.0.1", "::ffff:127.0.0.1")])
def test_our_own_end_is_ours(owners, host, reached):
    with connected(host, reached) as (_, server):
        assert owners(server.getpeername()[:2], server.getsockname()[:2]) == {os.geteuid()}
        assert not Neighbours(owners).is_stranger(server.getpeername()[:2], server.getsockname()[:2])
        assert Neighbours(owners, frozenset({NOBODY})).is_stranger(server.getpeername()[:2], server.getsockname()[:2])


@pytest.mark.parametrize("owners", [by_netlink, by_tables])
def test_who_has_hung_up_is_a_stranger(owners):
    with connected() as (client, server):
        peer, here = server.getpeername(), server.getsockname()
        client.close()
        assert owners(peer, here) == frozenset()
        assert Neighbours(owners).is_stranger(peer, here)


@pytest.mark.parametrize("owners", [by_netlink, by_tables])
@needs_root
def test_another_user_is_a_stranger(owners):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with as_nobody():
            client = socket.socket()
        with client:
            client.connect(listener.getsockname())
            peer, here = client.getsockname(), listener.getsockname()
            assert owners(peer, here) == {NOBODY}
            assert Neighbours(owners).is_stranger(peer, here)


def test_other_machines_and_unknown_ends_are_not_asked_about():
    def never(*_):
        raise AssertionError

    neighbours = Neighbours(never)
    assert not neighbours.is_stranger(("192.0.2.7", 5), ("192.0.2.1", 7860))
    assert not neighbours.is_stranger(None, ("127.0.0.1", 7860))
    assert not neighbours.is_stranger(("testclient", 50000), ("127.0.0.1", 80))


def test_answers_are_remembered_for_a_moment(monkeypatch):
    asked, now = [], [0.0]
    monkeypatch.setattr("app.peers.time.monotonic", lambda: now[0])
    remembered = Remembered(lambda *ends: asked.append(ends) or frozenset({1}))
    for now[0] in (0.0, 0.5, 2.0):
        assert remembered(("127.0.0.1", 1), ("127.0.0.1", 2)) == {1}
    assert len(asked) == 2


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_loopback_addresses(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost", "192.0.2.1", "0.0.0.0", "::", ""])
def test_what_is_no_loopback_address(host):
    assert not is_loopback(host)


def test_one_writing_for_each_address():
    assert canonical("0:0:0:0:0:0:0:1") == canonical("::1") == "::1"
    assert canonical("::ffff:192.0.2.1") == "192.0.2.1"
    assert canonical("LocalHost") == "localhost"
