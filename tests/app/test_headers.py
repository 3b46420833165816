"""What answers tell the browser."""

import base64
import hashlib

import pytest
from routes import every_place

from app.headers import SAFE_HEADERS, inline_scripts, policy_of

PAGE = b"""<html><head><script>one("</p>");\r\n</script><script data-p="a>b" async>two</script>
<script type="module" src="/ui/main.js"></script></head><body onload="three">&amp;<script></script></body></html>"""


def directives(header: str) -> dict[str, list[str]]:
    return {name: values for name, *values in (part.split() for part in header.split(";"))}


def test_scripts_that_stand_in_a_page_are_found_as_browsers_read_them():
    assert inline_scripts(PAGE.decode()) == ['one("</p>");\r\n', "two", ""]
    assert f"'sha256-{base64.b64encode(hashlib.sha256(b'two').digest()).decode()}'" in policy_of(PAGE)
    assert policy_of(PAGE) == policy_of(PAGE.replace(b"\r\n", b"\n"))


@pytest.mark.parametrize("path", ["/", "/theme.css", "/ui/main.js", "/ui/given.js", "/config", "/studio/guess/state"])
def test_every_answer_has_them_refusals_too(client, path):
    for headers in ({}, {"Origin": "null"}):
        reply = client.get(path, headers=headers).headers
        assert {name: reply[name] for name in SAFE_HEADERS} == SAFE_HEADERS
        assert {"frame-ancestors", "base-uri", "default-src"} <= set(directives(reply["content-security-policy"]))


def test_the_page_loads_from_this_server_only(client):
    reply = client.get("/", headers={"Accept-Encoding": "br, gzip"})
    allowed = directives(reply.headers["content-security-policy"])
    assert allowed["default-src"] == ["'none'"]
    assert "'unsafe-inline'" not in allowed["script-src"]
    assert len([source for source in allowed["script-src"] if source.startswith("'sha256-")]) > 2
    sources = {source for name, values in allowed.items() if name != "script-src" for source in values}
    assert sources == {"'none'", "'self'", "'unsafe-inline'", "blob:", "data:"}


def test_the_3d_view_s_page_has_a_policy_of_its_own(client, tab):
    allowed = directives(client.get(f"/viewport/{tab.key}/").headers["content-security-policy"])
    assert allowed["connect-src"] == ["'self'", "blob:", "data:"]
    assert allowed["frame-ancestors"] == ["'self'"]


def test_what_has_a_key_in_its_address_is_not_kept_for_others(client, photo_tab):
    asked = [
        place for place in every_place(client, photo_tab.key) if place.method == "GET" and photo_tab.key in place.path
    ]
    assert len(asked) > 10
    for place in asked:
        kept = client.get(place.path, follow_redirects=False).headers["cache-control"]
        assert "no-store" in kept or "private" in kept, place
