"""The one port: who may ask for what, and how refusals are said."""

import pytest

from app.ui.text import say


def test_the_page_comes_with_its_script_and_without_foreign_hosts(client):
    page = client.get("/")
    assert page.status_code == 200
    assert "/ui/main.js" in page.text
    assert client.get("/ui/main.js").headers["content-type"].startswith("text/javascript")
    assert "fonts.googleapis" not in client.get("/theme.css").text


def test_foreign_pages_may_not_frame_it(client):
    headers = client.get("/").headers
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["state", "picture/photo", "outlines", "probe?x=1&y=1", "export/picture.png"])
def test_an_unknown_key_is_not_found(client, path):
    reply = client.get(f"/studio/guess/{path}")
    assert reply.status_code == 404
    assert reply.json() == {"error": say("error.key")}


@pytest.mark.parametrize(
    "path", ["/ui/../page.py", "/ui/%2e%2e/page.py", "/ui/..%2f..%2fserver.py", "/gradio_api/file=/etc/hostname"]
)
def test_no_file_outside_its_folders_is_served(client, path):
    assert client.get(path).status_code in (403, 404)


def test_our_api_is_not_described_to_visitors(client):
    assert client.get("/openapi.json").status_code == 404
    assert client.get("/docs").status_code == 404


def test_an_unforeseen_failure_is_a_sentence_with_a_reference(tab, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(tab.session, "undo", broken)
    reply = tab.gesture("undo")
    assert reply.status_code == 500
    assert "reference" in reply.json()["error"]
    assert "ZeroDivision" not in reply.text


def test_a_session_and_its_3d_view_have_one_key(client, tab):
    assert client.get("/viewport/guess/").status_code == 404
    assert client.post("/studio/guess/space", json={}).status_code == 404
    assert client.post(f"/studio/{tab.key}/space", json={"axes": "sideways"}).status_code == 422
