"""Who is answered and who is not: the rules by themselves."""

import pytest

from app.access import Access
from app.guard import Facts, Refusal, verdict
from app.ui.text import say

HERE = ("127.0.0.1", 7860)
SHUT = Access(token="a-token-of-sixteen", is_stranger=lambda *_: False)
OPEN = Access(is_stranger=lambda *_: False)


def asked(**facts) -> Facts:
    return Facts(**{"hosts": ("127.0.0.1:7860",), "arrived": HERE, "path": "/studio/key/state", **facts})


def status(facts: Facts, access: Access = OPEN) -> int | None:
    refusal = verdict(access, facts)
    return None if refusal is None else refusal.status


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "LOCALHOST:7860", "[::1]:7860", "[0:0::1]:7860"])
def test_its_own_names_are_answered(host):
    assert status(asked(hosts=(host,))) is None


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        ("evil.example:7860",),
        ("127.0.0.1",),
        ("localhost:80",),
        ("127.0.0.1:7861",),
        ("127.0.0.1:7860.evil.example",),
        ("localhost.evil.example:7860",),
        ("127.0.0.1:7860@evil.example",),
        ("",),
        ("127.0.0.1:7860", "evil.example"),
        ("127.0.0.1:7860\n",),
        ("192.0.2.1:7860",),
        ("127.0.0.2:7860",),
        ("localhost.:7860",),
        ("[::2]:7860",),
    ],
)
def test_no_other_name_is_answered(hosts):
    assert verdict(OPEN, asked(hosts=hosts)) == Refusal(421, say("guard.host"))


def test_where_it_listens_everywhere_the_address_reached_is_a_name():
    arrived = ("192.0.2.1", 7860)
    assert status(asked(hosts=("192.0.2.1:7860",), arrived=arrived)) is None
    assert status(asked(hosts=("192.0.2.1:7860",), arrived=("::ffff:192.0.2.1", 7860))) is None
    assert status(asked(hosts=("192.0.2.2:7860",), arrived=arrived)) == 421


@pytest.mark.parametrize("host", ["studio.example", "studio.example:443", "studio.example:7860", "other.example:8443"])
def test_an_allowed_name_is_answered_and_is_an_origin(host):
    access = Access(
        proxied=frozenset({("studio.example", port) for port in (80, 443, 7860)} | {("other.example", 8443)})
    )
    assert status(asked(hosts=(host,)), access) is None
    assert status(asked(origins=(f"https://{host}",), method="POST"), access) is None
    assert status(asked(hosts=("studio.example:9000",)), access) == 421
    assert status(asked(origins=("https://studio.example:9000",)), access) == 403


@pytest.mark.parametrize("kind", [{"method": "GET"}, {"method": "POST"}, {"method": "OPTIONS"}, {"is_socket": True}])
@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "https://evil.example:7860",
        "http://127.0.0.1",
        "http://127.0.0.1:7861",
        "http://localhost:8080",
        "file://",
        "http://127.0.0.1:7860.evil.example",
        "chrome-extension://127.0.0.1:7860",
        "http://127.0.0.1:7860/",
        "http://user@127.0.0.1:7860",
        "127.0.0.1:7860",
    ],
)
def test_no_other_origin_is_answered(kind, origin):
    assert verdict(OPEN, asked(origins=(origin,), **kind)) == Refusal(403, say("guard.origin"))


@pytest.mark.parametrize("kind", [{"method": "GET"}, {"method": "POST"}, {"is_socket": True}])
def test_its_own_origin_is_answered_and_so_is_none(kind):
    assert status(asked(origins=("http://127.0.0.1:7860",), **kind)) is None
    assert status(asked(**kind)) is None
    assert status(asked(site="same-origin", **kind)) is None
    assert status(asked(origins=("http://127.0.0.1:7860", "http://evil.example"), **kind)) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "new-value"])
def test_what_a_browser_calls_foreign_is_refused_but_for_opening_the_page(site):
    assert status(asked(site=site)) == 403
    opened = {"path": "/", "site": site, "mode": "navigate", "destination": "document"}
    assert status(asked(**opened)) is None
    others = [{"destination": "iframe"}, {"mode": "no-cors"}, {"method": "POST"}, {"is_socket": True}]
    others += [{"path": "/studio/key/export/picture.png"}, {"path": "/viewport/key/"}]
    for other in others:
        assert status(asked(**{**opened, **other})) == 403


def test_another_user_of_the_machine_is_refused_whatever_else_is_right():
    assert verdict(OPEN, asked(path="/", is_strangers=True)) == Refusal(403, say("guard.user"))


@pytest.mark.parametrize("kind", [{"path": "/"}, {"path": "/ui/main.js"}, {"method": "POST"}, {"is_socket": True}])
def test_where_there_is_a_token_everything_asks_for_it(kind):
    assert verdict(SHUT, asked(**kind)) == Refusal(401, say("guard.token"))
    assert status(asked(proof="header", **kind), SHUT) is None
    assert status(asked(proof="cookie", site="same-origin", **kind), SHUT) is None
    assert status(asked(proof="cookie", origins=("http://localhost:7860",), **kind), SHUT) is None


def test_a_change_that_only_a_cookie_vouches_for_says_its_origin():
    assert status(asked(proof="cookie"), SHUT) is None
    assert status(asked(proof="cookie", method="POST"), SHUT) == 403
    assert status(asked(proof="cookie", is_socket=True), SHUT) == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/theme.css"),
        ("GET", "/assets/index.js"),
        ("GET", "/static/js/x.js"),
        ("POST", "/gradio_api/run/predict"),
        ("POST", "/studio"),
        ("GET", "/viewport/key/"),
        ("GET", "/ui/main.js"),
    ],
)
def test_what_the_page_uses_is_there(method, path):
    assert status(asked(method=method, path=path)) is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/file=/etc/hostname"),
        ("POST", "/gradio_api/queue/join"),
        ("GET", "/gradio_api/run/predict"),
        ("POST", "/gradio_api/run/predict/"),
        ("POST", "//gradio_api/run/predict"),
        ("GET", "/config"),
        ("GET", "/monitoring"),
        ("POST", "/login"),
        ("POST", "/"),
        ("GET", "/studios"),
        ("GET", "/assets/../config"),
        ("GET", "/ui/../config"),
        ("GET", "/gradio_api/proxy=http://evil.example/"),
    ],
)
def test_what_the_page_does_not_use_is_not_there(method, path):
    assert status(asked(method=method, path=path)) == 404


@pytest.mark.parametrize("key", ["guard.user", "guard.host", "guard.origin", "guard.token"])
def test_each_refusal_is_one_sentence(key):
    assert say(key).endswith(".")
    assert ". " not in say(key)
