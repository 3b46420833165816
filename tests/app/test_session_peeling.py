"""The peeled photo as an export of the studio: watched, kept, stopped, and of found objects where there are none."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from fakes import FlatEngine, SameColour
from layered_scenes import cards

from app.export import export
from app.services import Services
from app.session import Session
from core.errors import Cancelled, InvalidInput
from core.files.picture import encode_picture_png, picture_of
from core.files.png import encode_png
from core.types.protocols import CancelToken, EngineRequest

PATIENCE = 60.0


class HeldEngine(FlatEngine):
    """Waits, deaf to any stop, until `go_on` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.hold, self.go_on, self.reached = False, threading.Event(), threading.Event()

    def render(self, request: EngineRequest, cancel: CancelToken):
        if self.hold:
            self.reached.set()
            assert self.go_on.wait(PATIENCE)
        yield from super().render(request, cancel)


class HeldServices(Services):
    """The real services but for the engine and the mask back-end."""

    def engine(self, choice):
        return self._engines.setdefault("held", HeldEngine())

    def segmentation(self, name=None):
        return self._segmentation.setdefault("only", SameColour())


@pytest.fixture
def session() -> Iterator[Session]:
    opened = Session("test", HeldServices())
    photo = cards(softness=0).project.photo
    opened.open_photo(encode_picture_png(picture_of(photo)), "cards.png")
    yield opened
    engine_of(opened).go_on.set()
    assert opened.wait_idle(PATIENCE)
    opened.close()


def engine_of(session: Session) -> HeldEngine:
    engine = session.services.engine("auto")
    assert isinstance(engine, HeldEngine)
    return engine


def with_a_card(session: Session) -> Session:
    session.lasso([(120, 50), (189, 50), (189, 129), (120, 129)], add=True)
    assert session.wait_idle(PATIENCE)
    return session


def test_a_second_export_finds_the_peeled_photo_again(session: Session) -> None:
    with_a_card(session)
    name, first = export(session, "peeled", "ora")
    assert name == "cards-peeled.ora"
    asked = len(engine_of(session).requests)
    name, second = export(session, "peeled", "exr")
    assert name == "cards-peeled.exr"
    assert first[:2] == b"PK"
    assert second[:4] == b"\x76\x2f\x31\x01"
    assert len(engine_of(session).requests) == asked


def test_what_it_takes_is_expected_from_the_first_time_on(session: Session) -> None:
    assert session.peeling_seconds("peeled-ora") is None  # objects have to be looked for
    with_a_card(session)
    assert session.peeling_seconds("peeled-ora") is not None
    export(session, "peeled", "ora")
    kept = session.peeling_seconds("peeled-ora")
    assert kept == session.estimate.writing("peeled-ora", session.project.photo)
    session.lasso([(50, 70), (110, 70), (110, 149), (50, 149)], add=True)
    again = session.peeling_seconds("peeled-ora")
    assert again is not None
    assert kept is not None
    assert again > kept


def test_objects_are_looked_for_where_none_is_cut_out() -> None:
    session = Session("test", HeldServices())
    pixels = np.full((240, 320, 3), 60, np.uint8)
    pixels[60:160, 40:140], pixels[90:190, 200:290] = (220, 190, 150), (80, 160, 210)
    session.open_photo(encode_png(pixels), "squares.png")
    stages: set[tuple[str, bool]] = set()
    session.subscribe(lambda _event: stages.add((session.exports.state.stage, 0 < session.exports.state.done < 1)))
    _, content = export(session, "peeled", "exr")
    assert content.count(b"layer01_Object_1.R") == content.count(b"layer02_Object_2.R") == 1
    assert content.count(b"layer03_Background.R") == 1
    assert {("Looking for objects", True), ("Peeling the photo", True)} <= stages
    assert session.project.scene.objects == ()
    assert session.wait_idle(PATIENCE)
    session.close()


def test_a_photo_without_anything_that_stands_out_says_so(session: Session) -> None:
    session.open_photo(encode_png(np.full((50, 60, 3), 90, np.uint8)), "plain.png")
    with pytest.raises(InvalidInput, match="stands out"):
        export(session, "peeled", "ora")


def test_a_stop_is_heard_while_the_engine_is_deaf(session: Session) -> None:
    with_a_card(session)
    engine = engine_of(session)
    engine.hold = True
    ended: list[str] = []

    def ask() -> None:
        with pytest.raises(Cancelled):
            export(session, "peeled", "ora")
        ended.append("stopped")

    browser = threading.Thread(target=ask)
    browser.start()
    assert engine.reached.wait(PATIENCE)
    assert session.exports.state.running
    session.cancel()
    browser.join(PATIENCE)
    assert ended
    assert not engine.go_on.is_set()
    assert not session.exports.state.running
