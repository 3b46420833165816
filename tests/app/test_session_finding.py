"""Select everything in a session: looked for once, taken one by one, forgotten with the photo."""

from collections.abc import Iterator

import numpy as np
import pytest
from fakes import FlatEngine, SameColour
from serving import wait_until

from app.services import Services
from app.session import Session
from app.ui.proposals import proposals_in_view
from core.errors import InvalidInput
from core.files.png import encode_png
from core.types.protocols import Embedding

PATIENCE = 60.0


class Counting(SameColour):
    """Counts how often a photo is prepared for it."""

    def __init__(self) -> None:
        self.prepared = 0

    def prepare(self, photo) -> Embedding:
        self.prepared += 1
        return super().prepare(photo)


class DrawnServices(Services):
    """The real services but for the engine and the mask back-end."""

    def engine(self, choice):
        return self._engines.setdefault(choice, FlatEngine())

    def segmentation(self, name=None):
        return self._segmentation.setdefault("only", Counting())


def two_squares() -> bytes:
    pixels = np.full((240, 320, 3), 60, np.uint8)
    pixels[60:160, 40:140] = (220, 190, 150)
    pixels[90:190, 200:290] = (80, 160, 210)
    return encode_png(pixels)


@pytest.fixture
def session() -> Iterator[Session]:
    opened = Session("test", DrawnServices())
    opened.open_photo(two_squares(), "squares.png")
    yield opened
    assert opened.wait_idle(PATIENCE)
    opened.close()


def looked(session: Session) -> Session:
    session.find_objects()
    wait_until(lambda: session.state.proposals is not None)
    return session


def test_objects_are_proposed_without_a_step_and_taken_as_one(session: Session) -> None:
    assert session.state.proposals is None
    assert looked(session).state.proposals == 2
    assert len(session.state.steps) == 1
    shown = proposals_in_view(session)
    session.take_proposal(shown[0]["index"])
    assert session.state.steps[1:] == ("Object 1 cut out",)
    item = session.project.scene.objects[0]
    assert session.state.selected == item.id
    assert 8000 < (item.mask.coverage >= 128).sum() < 11000
    assert item.mask.source == SameColour.info.title


def test_what_was_taken_is_not_proposed_again_until_it_is_undone(session: Session) -> None:
    shown = proposals_in_view(looked(session))
    session.take_proposal(shown[0]["index"])
    assert [entry["index"] for entry in proposals_in_view(session)] == [shown[1]["index"]]
    session.undo()
    assert [entry["index"] for entry in proposals_in_view(session)] == [entry["index"] for entry in shown]


def test_outlines_are_in_photo_pixels(session: Session) -> None:
    corners = [np.array(entry["outline"][0]) for entry in proposals_in_view(looked(session))]
    left = min(corners, key=lambda points: points[:, 0].min())
    np.testing.assert_allclose([left.min(0), left.max(0)], [[40, 60], [139, 159]], atol=2)


def test_a_photo_is_looked_at_once(session: Session) -> None:
    backend = session.services.segmentation()
    assert isinstance(backend, Counting)
    looked(session).find_objects()
    session.find_objects()
    assert session.models.state.running is False
    assert backend.prepared <= 2  # for clicks, and for looking


def test_a_photo_that_was_closed_meanwhile_does_not_hold_up_the_next(session: Session) -> None:
    session.find_objects()
    session.open_photo(encode_png(np.full((50, 60, 3), 90, np.uint8)), "plain.png")
    session.find_objects()
    wait_until(lambda: session.state.proposals is not None)
    assert session.state.proposals == 0


def test_another_photo_has_its_own_objects(session: Session) -> None:
    looked(session)
    session.open_photo(encode_png(np.full((50, 60, 3), 90, np.uint8)), "plain.png")
    assert session.state.proposals is None
    with pytest.raises(InvalidInput, match="no proposal 0"):
        session.take_proposal(0)
