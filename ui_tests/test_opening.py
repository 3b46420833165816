"""What a page says while a photo is still opening, and of one that could not be opened, however late the page comes."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import served, wait_in_page
from drawn import DrawnServices
from playwright.sync_api import Page
from studio_photo import square_photo

from app import session_opening
from app.server import build_app
from app.store import SessionStore
from core.errors import InvalidInput

PATIENCE = 60.0


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(DrawnServices(), tmp_path)


@pytest.fixture
def address(store: SessionStore) -> Iterator[str]:
    with served(build_app(store)) as running:
        yield running


def test_the_page_says_what_it_waits_for_until_the_photo_is_there(
    page: Page, address: str, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, really = threading.Event(), session_opening.open_photo

    def slowly(source: bytes, name: str):
        assert go_on.wait(PATIENCE)
        return really(source, name)

    monkeypatch.setattr(session_opening, "open_photo", slowly)
    session = store.create()
    opening = threading.Thread(target=session.open_photo, args=(square_photo(), "big.heic"))
    opening.start()
    page.goto(f"{address}/?session={session.key}")
    waiting = page.get_by_test_id("waiting")
    wait_in_page(page, lambda: waiting.is_visible() and waiting.inner_text().strip() == "Opening big.heic")
    assert "Opening big.heic" in page.get_by_test_id("status").inner_text()
    assert not page.get_by_test_id("empty").is_visible()
    assert page.get_by_test_id("cancel").is_visible()
    go_on.set()
    wait_in_page(page, lambda: page.get_by_test_id("stage").get_attribute("data-state") == "ready")
    assert not waiting.is_visible()
    opening.join(PATIENCE)


def test_a_photo_that_could_not_be_opened_is_told_to_a_page_that_comes_later(
    page: Page, address: str, store: SessionStore
) -> None:
    session = store.create()
    with pytest.raises(InvalidInput):
        session.open_photo(square_photo()[:60], "broken.png")
    page.goto(f"{address}/?session={session.key}")
    status = page.get_by_test_id("status")
    wait_in_page(page, lambda: "broken.png" in status.inner_text())
    assert status.get_attribute("data-tone") == "error"
    assert page.get_by_test_id("empty").is_visible()
