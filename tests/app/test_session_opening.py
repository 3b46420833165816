"""What a session waits for while a photo comes in: seen by everybody, stopped at once, the newest wins."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Tab
from studio_photo import square_photo

from app import session_opening
from app.session import Session
from core.errors import Cancelled, InvalidInput
from core.types.photo import Photo

PATIENCE = 30.0


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """A photo named "slow.png" takes until the second event; the first says that it has begun."""
    begun, go_on = threading.Event(), threading.Event()
    really: Callable[..., Photo] = session_opening.open_photo

    def opened(source: bytes, name: str) -> Photo:
        if name == "slow.png":
            begun.set()
            assert go_on.wait(PATIENCE)
        return really(source, name)

    monkeypatch.setattr(session_opening, "open_photo", opened)
    yield begun, go_on
    go_on.set()


def test_the_state_says_what_is_waited_for_and_gestures_say_it_too(session: Session, slow) -> None:
    begun, go_on = slow
    with ThreadPoolExecutor(1) as page:
        opening = page.submit(session.open_photo, square_photo(), "slow.png")
        assert begun.wait(PATIENCE)
        assert session.state.opening.running
        assert session.state.opening.stage == "Opening slow.png"
        with pytest.raises(InvalidInput, match=r"Opening slow\.png; wait"):
            session.undo()
        go_on.set()
        opening.result(PATIENCE)
    assert not session.state.opening.running
    assert session.state.photo_name == "slow.png"


def test_cancel_gives_an_opening_up_at_once(session: Session, slow) -> None:
    begun, _ = slow
    with ThreadPoolExecutor(1) as page:
        opening = page.submit(session.open_photo, square_photo(), "slow.png")
        assert begun.wait(PATIENCE)
        session.cancel()
        with pytest.raises(Cancelled):
            opening.result(PATIENCE)
    assert session.state.photo_name is None
    assert session.state.opening.error is None


def test_of_two_openings_the_newest_wins(session: Session, slow) -> None:
    begun, go_on = slow
    with ThreadPoolExecutor(2) as page:
        first = page.submit(session.open_photo, square_photo(), "slow.png")
        assert begun.wait(PATIENCE)
        second = page.submit(session.open_photo, square_photo(), "new.png")
        with pytest.raises(Cancelled):
            first.result(PATIENCE)
        go_on.set()
        second.result(PATIENCE)
    assert session.state.photo_name == "new.png"


def test_why_the_last_one_could_not_be_opened_stays_for_pages_that_come_later(session: Session) -> None:
    with pytest.raises(InvalidInput):
        session.open_photo(b"no picture", "bad.png")
    assert session.state.opening.error is not None
    assert "bad.png" in session.state.opening.error
    session.open_photo(square_photo(), "good.png")
    assert session.state.opening.error is None


def test_a_file_on_its_way_is_shown_with_its_share(tab: Tab) -> None:
    shares: list[float] = []

    def look(_: object) -> None:
        opening = tab.session.state.opening
        if opening.stage == "Receiving square.png":
            shares.append(opening.done)

    tab.session.subscribe(look)
    assert tab.upload("photo", square_photo(), name="square.png").status_code == 200
    assert shares


def test_what_was_stopped_is_answered_without_an_error_for_people(tab: Tab, slow) -> None:
    begun, _ = slow
    with ThreadPoolExecutor(1) as page:
        answer = page.submit(tab.upload, "photo", square_photo(), name="slow.png")
        assert begun.wait(PATIENCE)
        assert tab.gesture("cancel").status_code == 200
        assert answer.result(PATIENCE).status_code == 409
