"""The 3D view's page and sockets, without a browser."""

import asyncio
from importlib.metadata import version

import numpy as np
import pytest
import viser
from fastapi import FastAPI
from fastapi.testclient import TestClient
from listening import listening_inodes
from starlette.websockets import WebSocketDisconnect

from app.ui.text import say
from app.viewport.object_node import ObjectLayer
from app.viewport.routes import viewport_routes
from app.viewport.scene import Viewport
from app.viewport.splats import layer_cloud
from app.viewport.switchboard import Line, Switchboard
from core.errors import InvalidInput
from core.types.camera import Camera, Intrinsics
from core.types.scene import Placement

LENS = Intrinsics(80.0, 80.0, 31.5, 23.5, 64, 48)


class Recorder:
    """A ViewportListener that keeps what it hears."""

    def __init__(self):
        self.drags, self.clicks, self.keys, self.failures = [], [], [], []

    def on_drag(self, object_id, placement, phase):
        self.drags.append((object_id, placement, phase))

    def on_click(self, x, y, object_id, modifiers):
        self.clicks.append((x, y, object_id, modifiers))

    def on_camera(self, camera_from_world, settled):
        pass

    def on_key(self, action):
        self.keys.append(action)

    def on_failure(self, failure):
        self.failures.append(failure)


@pytest.fixture
def viewport():
    made = Viewport(Recorder())
    yield made
    made.close()


@pytest.fixture
def client(viewport):
    app = FastAPI()
    app.include_router(viewport_routes({"key": viewport}.get))
    with TestClient(app) as client:
        yield client


def show_scene(viewport: Viewport) -> None:
    rgb, depth = np.full((48, 64, 3), 90, np.uint8), np.full((48, 64), 4.0, np.float32)
    viewport.show_photo(rgb, Camera(LENS), depth)
    cloud = layer_cloud(rgb, depth, LENS)
    viewport.set_layers(cloud, {"cup": ObjectLayer(cloud, (0.0, 0.0, 4.0))}, rgb, depth)


def test_nothing_listens_for_a_scene():
    before = listening_inodes()
    opened = Viewport(Recorder())
    try:
        assert listening_inodes() == before
    finally:
        opened.close()


def test_a_viser_that_opens_a_port_its_own_way_is_refused(monkeypatch):
    monkeypatch.setattr(Switchboard, "__aenter__", _entered)
    with pytest.raises(RuntimeError, match="not known here"):
        Viewport(Recorder())


async def _entered(switchboard):
    return switchboard


def test_a_browser_cannot_have_the_scene_shared(client, viewport, monkeypatch):
    asked = []
    monkeypatch.setattr("viser._viser.ViserTunnel", lambda *_: asked.append("a tunnel"))
    handlers = viewport._server._websock_server._incoming_handlers[viser._messages.ShareUrlRequest]
    for handler in handlers:
        handler(0, viser._messages.ShareUrlRequest())
    viewport._server._thread_executor.shutdown(wait=True)
    assert asked == []


def test_page_carries_our_script_and_style_once(client):
    page = client.get("/viewport/key/").text
    assert page.count('<script src="viewport.js" defer>') == 1
    assert say("space.keep") in page
    assert "mantine-Paper-root" in page.split("</head>")[0]
    assert "WebSocket" in client.get("/viewport/key/viewport.js").text


@pytest.mark.parametrize("path", ["", "/", "/viewport.js", "/x.js"])
def test_unknown_key_is_not_found(client, path):
    assert client.get(f"/viewport/other{path}", follow_redirects=False).status_code == 404


@pytest.mark.parametrize("path", ["/viewport/key/../../etc/passwd", "/viewport/key/%2e%2e/%2e%2e/pyproject.toml"])
def test_no_file_outside_viser_is_served(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/viewport/other", "/viewport/other/events"])
def test_unknown_key_gets_no_socket(client, path):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(path):
        pass


def test_scene_socket_forwards_the_sub_protocol_and_frames(client, viewport):
    show_scene(viewport)
    protocol = f"viser-v{version('viser')}"
    with client.websocket_connect("/viewport/key", subprotocols=[protocol]) as socket:
        assert socket.accepted_subprotocol == protocol
        assert len(socket.receive_bytes()) > 0


@pytest.mark.parametrize("protocols", [None, ["viser-v0.0.1"]])
def test_another_visers_page_is_told_why_it_gets_no_scene(client, viewport, protocols):
    with client.websocket_connect("/viewport/key", subprotocols=protocols) as socket:
        assert "Version mismatch" in socket.receive()["reason"]


def test_a_closed_viewport_ends_its_pages_lines_and_takes_no_new_ones(client, viewport):
    show_scene(viewport)
    protocols = [f"viser-v{version('viser')}"]
    with client.websocket_connect("/viewport/key", subprotocols=protocols) as socket:
        assert socket.receive_bytes()
        viewport.close()
        while (message := socket.receive())["type"] != "websocket.close":
            assert message["bytes"]
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/viewport/key", subprotocols=protocols):
        pass


def test_events_socket_tells_the_state_and_survives_nonsense(client, viewport):
    show_scene(viewport)
    with client.websocket_connect("/viewport/key/events") as socket:
        state = socket.receive_json()
        assert state["type"] == "state"
        assert state["home"]["forward"] == pytest.approx([0, 0, 1])
        for nonsense in ("no json", "[]", "5", "null", '{"type": []}', '{"type": "unknown"}', "[" * 9000, "x" * 99_000):
            socket.send_text(nonsense)
        socket.send_bytes(b"\xff")
        viewport.select("cup")
        assert socket.receive_json()["selected"] == "cup"


def test_drag_tells_start_move_end_and_cancel_restores(viewport):
    show_scene(viewport)
    there = Placement((1.0, 0.0, 0.0))
    before = viewport.begin_drag("cup")
    viewport.drag_to("cup", there, "move", move_gizmo=True)
    viewport.place("cup", Placement((9.0, 0.0, 0.0)))
    assert viewport.object_node("cup").placement == there
    viewport.drag_to("cup", before, "cancel", move_gizmo=True)
    assert viewport.object_node("cup").placement == before
    assert [phase for _, _, phase in viewport.listener.drags] == ["start", "move", "cancel"]
    viewport.place("cup", there)
    assert viewport.object_node("cup").points().mean(axis=0)[0] == pytest.approx(1.0, abs=1e-3)


def test_layers_with_the_same_cloud_are_not_sent_again(viewport):
    show_scene(viewport)
    node = viewport.object_node("cup")
    cloud, rgb, depth = node.layer.cloud, np.zeros((48, 64, 3), np.uint8), np.ones((48, 64), np.float32)
    viewport.set_layers(cloud, {"cup": ObjectLayer(cloud, node.layer.pivot, Placement(scale=2.0))}, rgb, depth)
    assert viewport.object_node("cup") is node
    assert node.placement.scale == 2.0


def test_bad_scene_and_bad_selection_are_refused(viewport):
    with pytest.raises(InvalidInput, match="no usable depth"):
        viewport.show_photo(np.zeros((4, 4, 3), np.uint8), Camera(LENS), np.zeros((4, 4), np.float32))
    with pytest.raises(InvalidInput, match="no object"):
        viewport.select("nothing")


def test_a_browser_that_speaks_after_viser_has_ended_is_no_failure():
    ended = asyncio.new_event_loop()
    ended.close()

    class Socket:
        async def receive(self):
            return {"bytes": b"late"}

    async def listen():
        await Line(Socket(), None, ended).listen()

    asyncio.run(listen())
