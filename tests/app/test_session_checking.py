"""Checking an edit in a session: asked once, remembered, refused without an edit, and the best variation taken."""

from collections.abc import Iterator

import numpy as np
import pytest
from fakes import FlatEngine
from serving import wait_until
from test_session_finding import PATIENCE, DrawnServices

from app.session import Session
from core.errors import InvalidInput
from core.files.png import encode_png
from core.types.protocols import CancelToken, EngineRequest

WIDTH, HEIGHT = 120, 80
CARD = np.s_[20:60, 30:90]
GOOD_SEED = 2


class SeededEngine(FlatEngine):
    """Leaves a blot of the object's own shape, but for one seed, with which it paints the wall."""

    def render(self, request: EngineRequest, cancel: CancelToken):
        self.colour = (90, 90, 90) if request.seed == GOOD_SEED else (255, 0, 255)
        yield from super().render(request, cancel)


class SeededServices(DrawnServices):
    _painter = SeededEngine()

    def engine(self, choice: str) -> SeededEngine:
        return self._painter


@pytest.fixture
def session() -> Iterator[Session]:
    """A card on a wall, cut out."""
    pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    pixels[CARD] = (200, 70, 50)
    opened = Session("one", SeededServices())
    opened.open_photo(encode_png(pixels), "wall.png")
    opened.click(60, 40)
    assert opened.wait_idle(PATIENCE)
    yield opened
    opened.close()


def errors(session: Session) -> list[str]:
    """The sentences that will be told from now on."""
    told: list[str] = []
    session.subscribe(lambda event: told.append(event.message) if event.kind == "error" else None)
    return told


def removed(session: Session) -> Session:
    session.remove(session.project.scene.objects[0].id)
    assert session.wait_idle(PATIENCE)
    return session


def test_a_check_tells_what_the_picture_shows_and_is_remembered(session: Session) -> None:
    assert session.state.adherence is None
    removed(session).check()
    wait_until(lambda: session.state.adherence is not None)
    ghost = session.state.adherence
    assert ghost is not None
    assert ghost.gone is not None
    assert ghost.gone < 0.5
    assert (ghost.found, ghost.moved) == (None, None)
    session.use_variation(GOOD_SEED)
    assert session.state.adherence is None
    assert session.wait_idle(PATIENCE)
    session.check()
    wait_until(lambda: session.state.adherence is not None)
    assert session.state.adherence is not None
    # A click on the wall finds all of it, a quarter of which the card had hidden.
    assert session.state.adherence.gone == pytest.approx(0.75)
    session.undo()
    assert session.state.adherence == ghost


def test_the_best_variation_is_taken_as_one_step(session: Session) -> None:
    removed(session)
    steps = len(session.state.steps)
    session.take_best()
    wait_until(lambda: session.state.seed == GOOD_SEED)
    assert len(session.state.steps) == steps + 1
    assert session.wait_idle(PATIENCE)
    session.take_best()  # the next four hold the good one too: there is nothing to change
    wait_until(lambda: not session.state.models.running)
    assert session.state.seed == GOOD_SEED
    assert len(session.state.steps) == steps + 1


def test_without_an_edit_there_is_nothing_to_check(session: Session) -> None:
    told = errors(session)
    session.check()
    wait_until(lambda: bool(told))
    assert "Nothing was edited" in told[0]
    assert session.state.adherence is None or session.state.adherence.score is None


def test_an_unfinished_picture_is_not_judged() -> None:
    with pytest.raises(InvalidInput, match="Open a photo"):
        Session("none", SeededServices()).check()


def test_checking_can_be_stopped(session: Session) -> None:
    removed(session).take_best()
    session.cancel()
    wait_until(lambda: not session.state.models.running)
    assert session.state.seed == 0
