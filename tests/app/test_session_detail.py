"""The picture at its full size: the photo at once, an edit when it is made, and given up with the next edit."""

from collections.abc import Iterator

import numpy as np
import pytest
from serving import wait_until
from test_faults import MoodyServices
from test_session_finding import PATIENCE

from app.pictures import detail as encoded
from app.session import Session
from core.editing.memo import Memo
from core.errors import InvalidInput
from core.files.png import encode_png

WIDTH, HEIGHT = 1400, 1000
CARD = np.s_[300:700, 500:900]
WINDOW = 480, 280, 60, 40


@pytest.fixture
def services() -> MoodyServices:
    return MoodyServices()


@pytest.fixture
def session(services: MoodyServices) -> Iterator[Session]:
    """A card on a finely striped wall: stripes of one pixel are lost at any smaller size."""
    pixels = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    pixels[:, ::2] = 120
    pixels[CARD] = (200, 70, 50)
    opened = Session("one", services)
    opened.open_photo(encode_png(pixels), "wall.png")
    opened.click(700, 500)
    assert opened.wait_idle(PATIENCE)
    yield opened
    opened.close()


def moved(session: Session) -> None:
    session.slide(session.project.scene.objects[0].id, 0.1, 0.0)
    assert session.wait_idle(PATIENCE)


def being_made(session: Session, services: MoodyServices) -> None:
    """The full size of an edit is asked for, and its engine waits."""
    moved(session)
    services.painter.begun.clear()
    services.painter.waits = True
    services.memo = Memo()
    assert session.detail(*WINDOW) is None
    assert services.painter.begun.wait(PATIENCE)


def test_the_unedited_photo_is_there_at_once(session: Session) -> None:
    x, y, width, height = WINDOW
    found = session.detail(*WINDOW)
    assert found is not None
    assert np.array_equal(found, session.project.photo.srgb[y : y + height, x : x + width])
    assert not session.state.models.running


def test_an_edits_own_pixels_come_when_they_are_made(session: Session) -> None:
    moved(session)
    frames: list[str] = []
    session.subscribe(lambda event: frames.append(event.kind))
    assert session.detail(*WINDOW) is None
    wait_until(lambda: "frame" in frames)
    found = session.detail(0, 0, 100, 50)
    assert found is not None
    assert np.array_equal(found, session.project.photo.srgb[:50, :100])
    content = encoded(session, (0, 0, 100, 50), 1280)
    assert content is not None
    assert content.startswith(b"\xff\xd8")


def test_the_next_edit_stops_what_is_being_made(session: Session, services: MoodyServices) -> None:
    being_made(session, services)
    session.undo()
    wait_until(lambda: not session.state.models.running)
    services.painter.waits = False
    assert session.wait_idle(PATIENCE)


def test_who_stopped_it_is_not_asked_again(session: Session, services: MoodyServices) -> None:
    being_made(session, services)
    session.cancel()
    wait_until(lambda: not session.state.models.running)
    services.painter.waits = False
    assert session.detail(*WINDOW) is None
    assert not session.state.models.running


@pytest.mark.parametrize("window", [(-1, 0, 10, 10), (0, 0, 0, 10), (0, 0, WIDTH + 1, 10), (0, HEIGHT - 5, 10, 10)])
def test_windows_outside_are_refused(session: Session, window: tuple[int, int, int, int]) -> None:
    with pytest.raises(InvalidInput, match="outside"):
        session.detail(*window)


def test_a_resumed_project_is_known_to_be_edited(session: Session) -> None:
    assert not session.state.edited
    moved(session)
    assert session.state.edited
    from core.files.project import save_project

    again = Session("two", session.services)
    again.load_project(save_project(session.project))
    assert again.state.step == 0
    assert again.state.edited
    assert again.wait_idle(PATIENCE)
    again.close()
