"""3D views live as long as their sessions."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from studio_photo import square_photo

from app.bridge import Bridges
from app.presence import Lifetimes
from app.services import Services
from app.store import SessionStore

PATIENCE = 60.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    made = SessionStore(Services(), tmp_path, Lifetimes(without_page=0.0))
    yield made
    made.close_all()


@pytest.mark.parametrize("how", ["close", "expire", "close_all"])
def test_a_session_that_ends_takes_its_3d_view_along(store: SessionStore, how: str):
    bridges, session = Bridges(store), store.create()
    viewport = bridges.viewport(session.key)
    assert viewport is not None
    assert viewport.switchboard.is_open
    getattr(store, how)(*([session.key] if how == "close" else []))
    assert not viewport.switchboard.is_open
    assert bridges.viewport(session.key) is not viewport


def test_objects_stand_in_the_view_of_a_camera_that_was_moved(store: SessionStore):
    session = store.create()
    session.open_photo(square_photo(), "square.png")
    session.lasso([(30, 20), (62, 20), (62, 52), (30, 52)], add=True)
    session.orbit(5.0, 0.0)
    assert session.wait_idle(PATIENCE)
    viewport = Bridges(store).viewport(session.key)
    assert viewport is not None
    deadline = time.monotonic() + PATIENCE
    while session.state.selected not in viewport.clouds() or viewport.selected is None:
        assert time.monotonic() < deadline, "the layers or the selection did not come"
        time.sleep(0.05)
    assert viewport.selected == session.state.selected


def test_a_session_keeps_its_one_view_and_strangers_get_none(store: SessionStore):
    bridges, session = Bridges(store), store.create()
    assert bridges.viewport(session.key) is not None
    assert bridges.viewport(session.key) is bridges.viewport(session.key)
    assert bridges.viewport("nobody's") is None
