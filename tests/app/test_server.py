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


@pytest.mark.parametrize("folder", ["ui", "assets", "static", "static/img", "studio", "viewport"])
def test_a_name_too_long_for_any_file_is_not_found(client, folder):
    assert client.get(f"/{folder}/{'a' * 5000}").status_code == 404


@pytest.mark.parametrize("path", ["gesture", "follow", "space", "unsaved/0/open"])
def test_a_request_that_is_no_file_may_not_be_large(client, photo_tab, path):
    pieces = (b"[]," * 100_000 for _ in range(100))
    reply = client.post(f"/studio/{photo_tab.key}/{path}", content=pieces)
    assert reply.status_code == 413
    assert reply.json() == {"error": say("error.body", limit="1")}
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert client.post("/gradio_api/run/predict", content=b" " * 1_000_001).status_code == 413


def test_the_longest_stroke_is_small_enough(photo_tab):
    points = [[12.345678901234567 + n / 7, 45.678901234567890 + n / 9] for n in range(5000)]
    reply = photo_tab.gesture("retouch", points=points, radius=4.0, touch="push")
    assert reply.status_code == 200


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
