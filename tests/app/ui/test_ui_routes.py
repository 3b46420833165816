"""Gestures, pictures, files and news, as the page's script asks for them."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import carried
import numpy as np
import pytest
from PIL import Image
from studio_photo import square_photo

from app.ui.text import say
from core.types.scene import Placement

PATIENCE = 30.0


def test_two_tabs_never_see_each_other(photo_tab, client, store):
    other = client.post("/studio").json()["key"]
    assert other != photo_tab.key
    assert client.get(f"/studio/{other}/state").json()["photo_name"] is None
    assert client.get(f"/studio/{other}/picture/photo").status_code == 422
    store.close(other)


def test_a_photo_that_was_sent_is_open(photo_tab):
    state = photo_tab.state
    assert (state["photo_name"], state["width"], state["height"]) == ("square.png", 96, 72)
    assert photo_tab.get("state").headers["cache-control"] == "no-store"


def test_a_broken_photo_is_refused_in_one_sentence_and_changes_nothing(photo_tab):
    before = photo_tab.state["revision"]
    reply = photo_tab.upload("photo", b"\x89PNG\r\n\x1a\nno picture", name="bad.png")
    assert reply.status_code == 422
    assert "bad.png" in reply.json()["error"]
    assert photo_tab.state["revision"] == before


def test_a_file_above_the_limit_is_refused_before_it_is_read(tab):
    reply = tab.upload("photo", bytes(2_000_001), name="big.png")
    assert reply.status_code == 422
    assert reply.json()["error"] == say("error.too_large", limit="2")


def test_a_file_of_undeclared_size_is_stopped_at_the_limit(tab):
    parts = (bytes(500_000) for _ in range(5))
    reply = tab.client.post(f"/studio/{tab.key}/upload/photo", content=parts)
    assert reply.json()["error"] == say("error.too_large", limit="2")


@pytest.mark.parametrize(
    "body",
    [
        {"type": "fly"},
        {"type": "click", "x": 1},
        {"type": "click", "x": "NaN", "y": 1},
        {"type": "click", "x": 1, "y": 1, "extra": 1},
        {"type": "brush", "points": [], "radius": 3},
        {"type": "brush", "points": [[1, 1]], "radius": 0},
        {"type": "lasso", "points": [[0, 0]] * 5001},
        {"type": "rename", "object": "a", "label": ""},
        {"type": "goto", "index": -1},
    ],
)
def test_a_gesture_that_makes_no_sense_is_refused(photo_tab, body):
    reply = photo_tab.client.post(f"/studio/{photo_tab.key}/gesture", json=body)
    assert reply.status_code == 422
    assert reply.json()["error"].endswith("reload the page.")


def test_a_refused_gesture_tells_the_session_s_own_sentence(tab):
    reply = tab.gesture("click", x=1, y=1)
    assert reply.status_code == 422
    assert reply.json() == {"error": "Open a photo first."}


def test_lasso_drag_undo_and_redo_are_steps(object_tab):
    (item,) = object_tab.state["objects"]
    reply = object_tab.gesture("drag", object=item["id"], start=[46, 40], now=[36, 40])
    assert reply.json()["revision"] == object_tab.state["revision"]
    moved = object_tab.state["objects"][0]
    assert moved["ground"][0] < -0.01
    assert moved["ground"][1] == pytest.approx(0, abs=1e-6)
    assert object_tab.gesture("undo").status_code == 200
    assert object_tab.state["objects"][0]["at_rest"]
    assert object_tab.gesture("redo").status_code == 200
    assert object_tab.state["objects"][0]["translation"] == pytest.approx(moved["translation"])


def test_a_flat_drag_keeps_the_distance(object_tab):
    (item,) = object_tab.state["objects"]
    object_tab.gesture("drag", object=item["id"], start=[46, 40], now=[50, 30], plane="image")
    x, y, z = object_tab.state["objects"][0]["translation"]
    assert x > 0 > y
    assert z == pytest.approx(0, abs=1e-9)


def test_following_a_drag_changes_nothing(object_tab):
    (item,) = object_tab.state["objects"]
    revision = object_tab.state["revision"]
    drag = {"type": "drag", "object": item["id"], "start": [46, 40], "now": [36, 40]}
    answer = object_tab.client.post(f"/studio/{object_tab.key}/follow", json=drag).json()
    a, b, c, d, e, f = answer["affine"]
    centre = np.array([46, 36]) @ np.array([[a, b], [c, d]]) + (e, f)
    assert centre[0] == pytest.approx(36, abs=1.5)
    assert answer["right"] < 0
    assert answer["held"]["ground"][0] == pytest.approx(answer["right"])
    assert object_tab.state["revision"] == revision


def test_a_click_on_a_moved_object_selects_it_where_it_is_now(object_tab):
    (item,) = object_tab.state["objects"]
    object_tab.gesture("drag", object=item["id"], start=[46, 40], now=[66, 40])
    object_tab.idle()
    object_tab.gesture("select", object=None)
    assert object_tab.gesture("click", x=66, y=40).status_code == 200
    assert object_tab.state["selected"] == item["id"]


def test_a_click_on_an_invented_pixel_says_so(object_tab):
    (item,) = object_tab.state["objects"]
    object_tab.gesture("remove", object=item["id"])
    object_tab.idle()
    object_tab.gesture("select", object=None)
    assert "invented" in object_tab.gesture("click", x=46, y=36).json()["error"]


def test_areas_are_drawn_on_the_photo_s_own_view_only(object_tab):
    object_tab.gesture("orbit", yaw=10, pitch=0)
    reply = object_tab.gesture("box", start=[1, 1], end=[20, 20])
    assert reply.status_code == 422
    assert "Home" in reply.json()["error"]


def test_pictures_are_asked_for_again_only_when_they_changed(object_tab):
    first = object_tab.get("picture/photo")
    assert Image.open(io.BytesIO(first.content)).size == (96, 72)
    assert first.headers["cache-control"] == "private, no-cache"
    tag = {"If-None-Match": first.headers["etag"]}
    assert object_tab.get("picture/photo", headers=tag).status_code == 304
    before = object_tab.get("picture/result").headers["etag"]
    object_tab.gesture("remove", object=object_tab.state["objects"][0]["id"])
    object_tab.idle()
    assert object_tab.get("picture/result", headers={"If-None-Match": before}).status_code == 200


def test_pictures_are_no_larger_than_asked_for(photo_tab):
    assert max(Image.open(io.BytesIO(photo_tab.get("picture/photo?side=48").content)).size) == 48
    assert photo_tab.get("picture/secrets").status_code == 422


def test_the_hand_s_picture_says_where_it_belongs(object_tab):
    (item,) = object_tab.state["objects"]
    reply = object_tab.get(f"object/{item['id']}/cutout")
    left, top, width, height = map(int, reply.headers["x-place"].split(","))
    picture = np.array(Image.open(io.BytesIO(reply.content)))
    assert (width, height) == (96, 72)
    rows, columns = np.nonzero(picture[..., 3] >= 128)
    assert columns.min() + left == pytest.approx(30, abs=1)
    assert rows.min() + top == pytest.approx(20, abs=1)
    behind = np.array(Image.open(io.BytesIO(object_tab.get(f"object/{item['id']}/behind").content)))
    assert behind.shape == (72, 96, 3)
    final = object_tab.get(f"object/{item['id']}/behind?final=true")
    assert np.array(Image.open(io.BytesIO(final.content))).shape == (72, 96, 3)


def test_the_outline_goes_with_the_object(object_tab):
    (item,) = object_tab.state["objects"]
    at_rest = np.concatenate(object_tab.get("outlines").json()["outlines"][item["id"]])
    assert at_rest[:, 0].min() == pytest.approx(30, abs=1.5)
    object_tab.gesture("drag", object=item["id"], start=[46, 40], now=[56, 40])
    moved = np.concatenate(object_tab.get("outlines").json()["outlines"][item["id"]])
    middles = [(x.min() + x.max()) / 2 for x in (at_rest[:, 0], moved[:, 0])]
    assert middles[1] == pytest.approx(middles[0] + 10, abs=2)


def test_every_shown_object_has_an_outline_and_a_removed_one_none(object_tab):
    (first,) = object_tab.state["objects"]
    object_tab.gesture("duplicate", object=first["id"])
    copy = object_tab.state["selected"]
    assert list(object_tab.get("outlines").json()["outlines"]) == [first["id"], copy]
    object_tab.gesture("remove", object=first["id"])
    assert list(object_tab.get("outlines").json()["outlines"]) == [copy]


def test_values_under_the_cursor(object_tab):
    assert object_tab.get("probe?x=10&y=65").json()["depth"] > 0
    assert object_tab.get("probe?x=-9&y=500").json() == {"depth": None, "invented": False}


def test_an_export_is_a_download_with_a_name(photo_tab):
    reply = photo_tab.get("export/picture.png")
    assert reply.status_code == 200
    assert reply.headers["content-disposition"].startswith('attachment; filename="square-edited.png"')
    assert Image.open(io.BytesIO(reply.content)).size == (96, 72)
    assert photo_tab.get("export/picture.exe").status_code == 422


def test_a_stopped_export_is_answered_by_nothing(photo_tab, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def stuck(project, cancel):
        begun.set()
        assert go_on.wait(PATIENCE)

    monkeypatch.setattr(photo_tab.session, "full_frame", stuck)
    with ThreadPoolExecutor() as browser:
        reply = browser.submit(photo_tab.get, "export/picture.png")
        assert begun.wait(PATIENCE)
        assert photo_tab.state["export"]["running"]
        assert photo_tab.gesture("cancel").status_code == 200
        assert (reply.result(PATIENCE).status_code, reply.result().content) == (204, b"")
        assert not photo_tab.state["export"]["running"]
        go_on.set()
    monkeypatch.undo()
    assert photo_tab.get("export/picture.png").status_code == 200


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ('caf\u00e9 "x".png', "caf\u00e9 _x_-edited.png"),
        ("a\r\nSet-Cookie: x=y.png", "a__Set-Cookie_ x=y-edited.png"),
        ("\U0001f469\u200d\U0001f680.png", "\U0001f469\u200d\U0001f680-edited.png"),
        ("\u0635\u0648\u0631\u0629.png", "\u0635\u0648\u0631\u0629-edited.png"),
        ("n" * 251 + ".png", "n" * 244 + "-edited.png"),
    ],
)
def test_whatever_a_photo_is_called_its_export_has_a_safe_name(tab, name, saved):
    tab.session.open_photo(square_photo(), name)
    reply = tab.get("export/picture.png")
    assert reply.status_code == 200
    header = reply.headers["content-disposition"]
    assert header.split(";")[1].count('"') == 2
    assert unquote(header.split("filename*=UTF-8''")[1]) == saved


def test_what_a_page_says_to_the_news_is_not_listened_to(photo_tab):
    with photo_tab.client.websocket_connect(f"/studio/{photo_tab.key}/events") as socket:
        assert socket.receive_json()["state"]["photo_name"]
        socket.send_bytes(b"\xff")
        socket.send_text("[")
        photo_tab.gesture("orbit", yaw=3, pitch=0)
        while socket.receive_json()["state"]["step"] != 1:
            pass


def test_news_bring_the_state_at_once_and_after_every_change(photo_tab):
    with photo_tab.client.websocket_connect(f"/studio/{photo_tab.key}/events") as socket:
        assert socket.receive_json()["state"]["photo_name"] == "square.png"
        photo_tab.gesture("orbit", yaw=5, pitch=0)
        kinds = set()
        while not {"changed", "frame"} <= kinds:
            news = socket.receive_json()
            kinds |= set(news["kinds"])
        assert news["state"]["revision"] == 2


def test_news_of_a_hand_are_its_numbers_alone_and_the_newest_of_them(object_tab):
    (item,) = object_tab.state["objects"]
    with object_tab.client.websocket_connect(f"/studio/{object_tab.key}/events") as socket:
        revision = socket.receive_json()["state"]["revision"]
        for right in (0.25, 0.5, 0.75):
            object_tab.session.hold(item["id"], Placement((right, 0.0, 0.0)))
        while (news := socket.receive_json())["held"]["translation"] != [0.75, 0.0, 0.0]:
            assert "state" not in news
        assert news["held"]["scale"] == 1.0
    assert object_tab.state["revision"] == revision


def test_news_bring_every_notice(photo_tab):
    with photo_tab.client.websocket_connect(f"/studio/{photo_tab.key}/events") as socket:
        socket.receive_json()
        for sentence in ("One.", "Two."):
            photo_tab.session.tell(sentence)
        told: list[str] = []
        while "Two." not in told:
            told += socket.receive_json()["notice"].split()
    assert told == ["One.", "Two."]


def test_what_an_opened_file_holds_beyond_its_picture_is_told_once(tab, client):
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    stream = io.BytesIO()
    frames[0].save(stream, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert tab.upload("photo", stream.getvalue(), name="two.webp").status_code == 200
    with client.websocket_connect(f"/studio/{tab.key}/events") as socket:
        assert "an animation of 2 frames" in socket.receive_json()["notice"]
    with client.websocket_connect(f"/studio/{tab.key}/events") as socket:
        assert socket.receive_json()["notice"] == ""


def test_exports_are_private_when_asked_and_say_what_a_format_cannot_hold(tab):
    assert tab.upload("photo", carried.sample("JPEG"), name=f"{carried.OWNER}.jpg").status_code == 200
    for address in ("picture.webp", "layers.ora", "project.lras"):
        whole, private = tab.get(f"export/{address}"), tab.get(f"export/{address}", params={"private": True})
        assert carried.leaks(whole.content)
        assert carried.leaks(private.content) == []
        assert carried.OWNER not in unquote(private.headers["content-disposition"])
        assert ("IPTC" in unquote(whole.headers.get("x-notice", ""))) == (address == "picture.webp")
        assert "x-notice" not in private.headers


def test_news_of_an_unknown_session_are_refused(client):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/studio/guess/events"):
        pass
