"""Names, tokens and cookies of one running studio."""

import socket

import pytest

from app.access import Access, access_for, host_and_port
from app.commands.ui import addresses, listening_socket
from core.errors import InvalidInput

TOKEN = "a-token-of-sixteen"


def made(host: str, *allowed: str, token: str | None = None) -> Access:
    with listening_socket(host, 0) as listener:
        return access_for(listener, host, allowed, token)


def test_on_loopback_no_token_is_asked_and_other_users_are_told_apart():
    access = made("127.0.0.1")
    assert access.token is None
    assert access.accepts(None)
    assert access.is_stranger is not made("127.0.0.1", token=TOKEN).is_stranger


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_where_others_can_connect_a_token_is_made(host):
    first, second = made(host), made(host)
    assert first.token is not None
    assert first.token != second.token
    assert len(first.token) >= 32
    assert first.token not in repr(first)
    assert socket.gethostname().lower() in first.names


def test_a_token_of_ones_own_counts_on_loopback_too():
    access = made("127.0.0.1", token=TOKEN)
    assert access.accepts(TOKEN)
    assert not any(access.accepts(wrong) for wrong in (None, "", TOKEN[:-1], TOKEN + "x", access.cookie))
    assert access.accepts_cookie(access.cookie)
    assert not any(access.accepts_cookie(wrong) for wrong in (None, "", TOKEN, access.cookie[:-1]))


@pytest.mark.parametrize("token", ["", "short", "with space in it, long", "x" * 201, "sixteen-letters-\n"])
def test_a_token_that_cannot_be_one_is_refused(token):
    with pytest.raises(InvalidInput, match="16 to 200"):
        made("127.0.0.1", token=token)


def test_allowed_names_come_with_the_web_s_ports_or_their_own():
    access = made("127.0.0.1", "Studio.example", "[2001:db8::1]:8443")
    own = next(port for name, port in access.proxied if port not in (80, 443, 8443))
    assert access.proxied == {("studio.example", port) for port in (80, 443, own)} | {("2001:db8::1", 8443)}


@pytest.mark.parametrize("name", ["http://studio.example", "studio.example/path", "", "a b", "*"])
def test_a_name_that_cannot_be_one_is_refused(name):
    with pytest.raises(InvalidInput, match="NAME:PORT"):
        made("127.0.0.1", name)


def test_hosts_are_read():
    assert host_and_port("Localhost:80") == ("localhost", 80)
    assert host_and_port("[::1]") == ("::1", None)
    assert host_and_port("a:b:c") is None


def test_the_printed_address_carries_what_the_page_needs():
    assert addresses("127.0.0.1", 7860, {}) == ["http://127.0.0.1:7860/"]
    assert addresses("::1", 7860, {"session": "k"}) == ["http://[::1]:7860/?session=k"]
    here, elsewhere = addresses("0.0.0.0", 7860, {"token": TOKEN})
    assert here == f"http://127.0.0.1:7860/?token={TOKEN}"
    assert elsewhere.endswith(f":7860/?token={TOKEN}")
