"""A running studio without a browser: the whole app over one small photo, and an engine that is quick."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FlatEngine
from fastapi.testclient import TestClient
from studio_photo import square_photo

from app.server import build_app
from app.services import Services
from app.session import Session
from app.store import SessionStore

LIMIT = 2_000_000
PATIENCE = 60.0


class FlatServices(Services):
    """The real services but for the engine."""

    def engine(self, choice):
        return self._engines.setdefault(choice, FlatEngine())


@pytest.fixture
def session() -> Iterator[Session]:
    opened = Session("test", FlatServices())
    yield opened
    opened.close()


@pytest.fixture
def coffee(session: Session) -> Session:
    """With the cup cut out and selected."""
    session.open_sample("coffee")
    session.click(300, 200)
    return session


def idle(session: Session) -> None:
    """Wait for the session's picture."""
    assert session.wait_idle(PATIENCE)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SessionStore:
    return SessionStore(FlatServices(), tmp_path_factory.mktemp("autosave"))


@pytest.fixture(scope="module")
def client(store: SessionStore) -> Iterator[TestClient]:
    app = build_app(store, LIMIT)
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False) as running:
        yield running


class Tab:
    """One browser tab's calls."""

    def __init__(self, client: TestClient, store: SessionStore) -> None:
        self.client = client
        self.key = client.post("/studio").json()["key"]
        self.session = store.get(self.key)

    def get(self, path: str, **options):
        return self.client.get(f"/studio/{self.key}/{path}", **options)

    def gesture(self, kind: str, **fields):
        return self.client.post(f"/studio/{self.key}/gesture", json={"type": kind, **fields})

    def upload(self, what: str, content: bytes, **query):
        return self.client.post(f"/studio/{self.key}/upload/{what}", params=query, content=content)

    def idle(self) -> None:
        idle(self.session)

    @property
    def state(self) -> dict:
        return self.get("state").json()


@pytest.fixture
def tab(client: TestClient, store: SessionStore) -> Iterator[Tab]:
    opened = Tab(client, store)
    yield opened
    store.close(opened.key)


@pytest.fixture
def photo_tab(tab: Tab) -> Tab:
    assert tab.upload("photo", square_photo(), name="square.png").status_code == 200
    tab.idle()
    return tab


@pytest.fixture
def object_tab(photo_tab: Tab) -> Tab:
    """With the square cut out and selected."""
    assert photo_tab.gesture("lasso", points=[[30, 20], [62, 20], [62, 52], [30, 52]]).status_code == 200
    photo_tab.idle()
    return photo_tab


@pytest.fixture
def static() -> Path:
    import app.server

    return app.server.STATIC
