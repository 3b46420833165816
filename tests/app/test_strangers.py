"""What comes out to strangers at each route of the whole app, and at each port of the process: nothing."""

import json
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from listening import listening_inodes, listening_ports
from other_user import as_nobody, needs_root
from routes import SOCKET, Place, every_place
from serving import served
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import InvalidMessage, InvalidStatus
from websockets.sync.client import connect

from app.access import Access
from app.guard import GRADIO_ROUTES, OWN_ROUTES
from app.server import build_app
from app.store import SessionStore
from app.ui.text import say

FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:8081"},
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example:80", "Origin": "http://127.0.0.1.evil.example:80"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
]
VISER = f"viser-v{version('viser')}"
TOKEN = "a-token-of-sixteen"


@pytest.fixture(scope="module")
def shut_app(store: SessionStore) -> FastAPI:
    return build_app(store, access=Access(token=TOKEN))


@pytest.fixture
def shut(shut_app: FastAPI) -> TestClient:
    """The same studio where a token is asked for, in a browser that has no cookie yet."""
    return TestClient(shut_app, "http://127.0.0.1")


def answer(client: TestClient, place: Place, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and content; a socket that is refused has 403 and none."""
    if place.method == SOCKET:
        try:
            with client.websocket_connect(place.path, headers=headers, subprotocols=[VISER]):
                return 101, b"accepted"
        except WebSocketDisconnect:
            return 403, b""
    reply = client.request(place.method, place.path, headers=headers, follow_redirects=False)
    return reply.status_code, reply.content


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_site_gets_nothing_at_any_route(client, photo_tab, headers):
    before = photo_tab.state
    for place in every_place(client, photo_tab.key):
        status, content = answer(client, place, headers)
        assert status in (403, 421), (place, status)
        assert len(content) < 300, place
    assert photo_tab.state == before


def test_another_user_of_the_machine_gets_nothing_at_any_route(client, store, photo_tab):
    access = replace(Access(), is_stranger=lambda *_: True)
    theirs = TestClient(build_app(store, access=access), "http://127.0.0.1")
    for place in every_place(theirs, photo_tab.key):
        assert answer(theirs, place, {})[0] == 403, place


def test_without_the_token_nothing_comes_out_at_any_route(shut, photo_tab):
    wrong = [
        {},
        {"Authorization": "Bearer wrong"},
        {"Cookie": f"lras-studio-80={TOKEN}"},
        {"Cookie": "lras-studio-80="},
    ]
    for place in every_place(shut, photo_tab.key):
        for headers in wrong:
            assert answer(shut, place, headers)[0] in (401, 403), place


def test_with_the_token_the_page_s_own_routes_answer(shut, photo_tab):
    own = {"Authorization": f"Bearer {TOKEN}"}
    for place in every_place(shut, photo_tab.key):
        if OWN_ROUTES.fullmatch(place.path):
            assert answer(shut, place, own)[0] not in (401, 403, 421), place


def test_what_gradio_has_beside_its_page_is_not_there(client, photo_tab):
    unused = [place for place in every_place(client, photo_tab.key) if not used(place)]
    assert {"/gradio_api/upload", "/config", "/monitoring", "/gradio_api/queue/join"} <= {p.path for p in unused}
    for place in unused:
        assert answer(client, place, {})[0] == 404, place


def used(place: Place) -> bool:
    of_gradio = GRADIO_ROUTES.get(place.method)
    return bool(OWN_ROUTES.fullmatch(place.path) or (of_gradio and of_gradio.fullmatch(place.path)))


def test_the_token_in_the_address_becomes_a_cookie_and_leaves_the_address(shut):
    reply = shut.get(f"/?session=k&token={TOKEN}", follow_redirects=False)
    assert reply.status_code == 303
    assert reply.headers["location"] == "/?session=k"
    cookie = reply.headers["set-cookie"]
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    with_cookie = {"Cookie": cookie.split(";")[0]}
    assert shut.get("/", headers=with_cookie).status_code == 200
    assert shut.post("/studio", headers=with_cookie).status_code == 403
    assert shut.post("/studio", headers={**with_cookie, "Origin": "http://127.0.0.1"}).status_code == 200


def test_what_a_browser_is_started_with_lets_in_once(store):
    access = Access(token=TOKEN)
    opened = TestClient(build_app(store, access=access), "http://127.0.0.1")
    answers = [opened.get(f"/?token={access.opening.code}", follow_redirects=False) for _ in range(2)]
    opened.cookies.clear()
    answers.append(opened.get(f"/?token={access.opening.code}", follow_redirects=False))
    assert [reply.status_code for reply in answers] == [303, 200, 401]
    assert "set-cookie" not in answers[1].headers


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/?token=wrong", {}),
        (f"/studio?token={TOKEN}", {}),
        (f"/?token={TOKEN}", {"Host": "evil.example"}),
        (f"/?token={TOKEN}", {"Origin": "null"}),
    ],
)
def test_no_other_request_gets_the_cookie(shut, path, headers):
    reply = shut.get(path, headers=headers, follow_redirects=False)
    assert reply.status_code in (401, 403, 421)
    assert "set-cookie" not in reply.headers


# ---- A real server, at the sockets it listens on


@pytest.fixture
def address(store: SessionStore) -> Iterator[str]:
    before = listening_inodes()
    with served(build_app(store)) as running:
        assert len(listening_inodes() - before) == 1
        yield running


def opened_3d_view(address: str, key: str) -> None:
    """A page that shows the photo in 3D, as its own."""
    own = address.replace("http", "ws")
    with connect(f"{own}/viewport/{key}/", origin=address, subprotocols=[VISER], max_size=None) as socket_:
        assert socket_.recv(timeout=60)


def test_one_port_is_open_and_a_stranger_gets_nothing_from_it(address, object_tab):
    key, session = object_tab.key, object_tab.session
    listening = listening_inodes()
    opened_3d_view(address, key)
    assert listening_inodes() == listening
    port = int(address.rpartition(":")[2])
    assert port in listening_ports()
    before = session.state
    for there in listening_ports():
        assert of_strangers(there, key) == []
    assert session.state.revision == before.revision


@needs_root
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose a connection is")
def test_another_user_of_the_machine_is_told_by_the_connection(address, photo_tab):
    port, asked = int(address.rpartition(":")[2]), f"GET /studio/{photo_tab.key}/picture/photo HTTP/1.1"
    for spoofed in ("", "X-Forwarded-For: 192.0.2.1\r\n"):
        with as_nobody():
            line = socket.socket()
        with line:
            line.connect(("127.0.0.1", port))
            line.sendall(f"{asked}\r\nHost: 127.0.0.1:{port}\r\n{spoofed}Connection: close\r\n\r\n".encode())
            answer = line.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 403")
        assert say("guard.user").encode() in answer


def of_strangers(port: int, key: str) -> list[str]:
    """What a port gave to strangers who know the session's key, beyond a refusal."""
    given = []
    paths = ["/", f"/viewport/{key}/", f"/studio/{key}/picture/photo", f"/studio/{key}/state", "/index.html"]
    for headers in ({"Host": f"evil.example:{port}"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        for path in paths:
            reply = httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, trust_env=False)
            given += [f"GET {path}"] if reply.status_code < 400 or len(reply.content) > 300 else []
        gesture = httpx.post(
            f"http://127.0.0.1:{port}/studio/{key}/gesture",
            content=json.dumps({"type": "undo"}), headers={**headers, "Content-Type": "text/plain"}, trust_env=False,
        )  # fmt: skip
        given += ["POST"] if gesture.status_code < 400 else []
    for path in (f"/viewport/{key}/", f"/viewport/{key}/events", f"/studio/{key}/events", "/"):
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{port + 1}"):
            given += [f"socket {path}"] if is_accepted(f"ws://127.0.0.1:{port}{path}", origin) else []
    return given


def is_accepted(url: str, origin: str) -> bool:
    try:
        with connect(url, origin=origin, subprotocols=[VISER], open_timeout=10):
            return True
    except (InvalidStatus, InvalidMessage):
        return False
