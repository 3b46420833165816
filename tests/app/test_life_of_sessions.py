"""A session lives as long as its page, ends with all it held, and is there again when somebody asks for it."""

import gc
import os
import threading
import weakref
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import FlatServices, Tab
from fakes import Clock
from fastapi.testclient import TestClient
from serving import wait_until
from starlette.websockets import WebSocketDisconnect
from studio_photo import square_photo

from app.presence import LIFETIMES
from app.store import SessionStore
from core.types.protocols import CancelToken

PATIENCE = 30.0
LONG = 100 * LIFETIMES.without_page


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> SessionStore:
    return SessionStore(FlatServices(), tmp_path_factory.mktemp("unsaved"), clock=clock)


def events(tab: Tab):
    return tab.client.websocket_connect(f"/studio/{tab.key}/events")


def lives(store: SessionStore, tab: Tab) -> bool:
    """Whether it is still the session that it was."""
    return not tab.session.closing.cancelled


def test_an_open_page_never_expires_and_a_closed_one_soon(store: SessionStore, clock: Clock, object_tab: Tab) -> None:
    with events(object_tab) as page:
        page.receive_json()
        clock.now += LONG
        store.expire()
        assert lives(store, object_tab)
    clock.now += LIFETIMES.after_page - 1
    store.expire()
    assert lives(store, object_tab)
    clock.now += 2
    store.expire()
    assert not lives(store, object_tab)


def test_a_page_that_wakes_up_finds_its_work(store: SessionStore, clock: Clock, object_tab: Tab) -> None:
    before = object_tab.state["steps"]
    with events(object_tab) as page:
        page.receive_json()
    clock.now += LONG
    store.expire()
    assert not lives(store, object_tab)
    with events(object_tab) as page:
        assert page.receive_json()["state"]["steps"] == before
    assert object_tab.gesture("undo").status_code == 200


def test_a_page_without_a_photo_wakes_up_as_well(store: SessionStore, clock: Clock, tab: Tab) -> None:
    clock.now += LONG
    store.expire()
    assert not lives(store, tab)
    assert tab.get("state").status_code == 200


def test_a_guessed_key_stays_unknown(store: SessionStore, client: TestClient) -> None:
    assert client.get("/studio/guess/state").status_code == 404
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/studio/guess/events") as page:
        page.receive_json()
    store.expire()
    assert client.get("/studio/guess/state").status_code == 404


def test_whoever_has_no_page_keeps_it_by_using_it(store: SessionStore, clock: Clock, photo_tab: Tab) -> None:
    for _ in range(3):
        clock.now += LIFETIMES.without_page - 1
        store.expire()
        assert photo_tab.get("state").status_code == 200
        assert lives(store, photo_tab)
    clock.now += LIFETIMES.without_page + 1
    store.expire()
    assert not lives(store, photo_tab)


def test_what_its_user_waits_for_is_not_broken_off(store: SessionStore, clock: Clock, photo_tab: Tab) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(_: object) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    waits = threading.Thread(target=photo_tab.session.exports.run, args=("making", None, work, CancelToken()))
    waits.start()
    assert begun.wait(PATIENCE)
    clock.now += LONG
    store.expire()
    assert lives(store, photo_tab)
    go_on.set()
    waits.join(PATIENCE)
    store.expire()
    assert not lives(store, photo_tab)


def test_caches_of_a_page_that_is_looked_at_are_kept_longest(photo_tab: Tab) -> None:
    memo = photo_tab.session.services.memo
    with events(photo_tab) as page:
        page.receive_json()
        assert memo.watched
    wait_until(lambda: not memo.watched)


def test_a_page_that_never_shows_3d_has_no_view(object_tab: Tab) -> None:
    before = set(threading.enumerate())
    with events(object_tab) as page:
        page.receive_json()
        assert object_tab.gesture("orbit", yaw=3.0, pitch=0.0).status_code == 200
        object_tab.idle()
        assert not {"3D layers", "viewport"} & {thread.name for thread in set(threading.enumerate()) - before}


def test_many_tabs_leave_nothing_behind(store: SessionStore, clock: Clock, client: TestClient) -> None:
    sessions = [_visited(store, client)]
    _end_all(store, clock)
    before = _held()
    for _ in range(5):
        sessions.append(_visited(store, client))
    _end_all(store, clock)
    wait_until(lambda: all(now <= then for now, then in zip(_held(), before, strict=True)))
    wait_until(lambda: gc.collect() >= 0 and not any(session() for session in sessions))


def _visited(store: SessionStore, client: TestClient) -> "weakref.ref[object]":
    tab = Tab(client, store)
    assert tab.upload("photo", square_photo(), name="square.png").status_code == 200
    tab.idle()
    with (
        events(tab),
        client.websocket_connect(f"/viewport/{tab.key}/events") as space,
        client.websocket_connect(f"/viewport/{tab.key}/", subprotocols=[f"viser-v{version('viser')}"]) as scene,
    ):
        assert tab.gesture("lasso", points=[[30, 20], [62, 20], [62, 52], [30, 52]]).status_code == 200
        assert space.receive_json()["type"] == "state"
        assert scene.receive_bytes()
        tab.idle()
    return weakref.ref(tab.session)


def _end_all(store: SessionStore, clock: Clock) -> None:
    clock.now += LONG
    store.expire()


def _held() -> tuple[int, int]:
    """Threads, and open files with sockets where the system shows them."""
    files = Path("/proc/self/fd")
    return threading.active_count(), len(os.listdir(files)) if files.is_dir() else 0
