"""Shadows in a session: taken along by one step, left, painted, and told when there is none."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from shadowed import Shadowed, shadowed_card
from test_session_finding import PATIENCE, DrawnServices

from app.pictures import picture
from app.session import Session
from core.errors import InvalidInput
from core.files.mask import encode_mask
from core.files.photo import open_photo
from core.files.png import encode_png
from core.types.photo import Photo

SCENE = shadowed_card()


class MeasuredServices(DrawnServices):
    """Every photo has the scene's depth."""

    def geometry(self, photo, depth, intrinsics, backend=None):
        return SCENE.estimate


def opened(scene: Shadowed, photo: Photo | None = None) -> Session:
    session = Session("one", MeasuredServices())
    pixels = scene.photo.pixels if photo is None else photo.pixels
    session.open_photo(encode_png(pixels), "card.png")
    session.use_mask_file(encode_mask(scene.card))
    return session


@pytest.fixture
def session() -> Iterator[Session]:
    """The card is cut out and selected."""
    running = opened(SCENE)
    yield running
    assert running.wait_idle(PATIENCE)
    running.close()


def selected(session: Session) -> str:
    assert session.state.selected is not None
    return session.state.selected


def test_a_cut_object_has_no_shadow_until_it_is_taken(session: Session) -> None:
    (item,) = session.state.objects
    assert not item.has_shadow
    session.take_shadow(item.id)
    assert session.state.objects[0].has_shadow
    assert session.state.steps[-1] == "Object 1: shadow taken along"
    session.leave_shadow(item.id)
    assert not session.state.objects[0].has_shadow
    session.leave_shadow(item.id)
    assert session.state.steps[-1] == "Object 1: shadow left"
    assert len(session.state.steps) == 4
    session.undo()
    assert session.state.objects[0].has_shadow


def test_removing_the_object_removes_the_shadow_it_took_along(session: Session) -> None:
    session.take_shadow(selected(session))
    session.remove(selected(session))
    assert session.wait_idle(PATIENCE)
    assert session.frame is not None
    core = (SCENE.ratio[..., 1] < 0.5) & ~session.frame.invented
    error = np.abs(session.frame.pixels.astype(float) - SCENE.lit)[core].mean()
    assert error < 0.2 * np.abs(SCENE.photo.pixels.astype(float) - SCENE.lit)[core].mean()


def test_where_there_is_no_shadow_a_notice_says_so_and_nothing_changes() -> None:
    lit = SCENE.lit.copy()
    lit[SCENE.card.coverage > 0] = SCENE.photo.pixels[SCENE.card.coverage > 0]
    session = opened(SCENE, open_photo(encode_png(lit), "lit.png"))
    steps, heard = session.state.steps, []
    session.subscribe(heard.append)
    session.take_shadow(selected(session))
    (notice,) = [event.message for event in heard if event.kind == "notice"]
    assert notice.startswith("No shadow of Object 1 can be told")
    assert session.state.steps == steps
    assert session.wait_idle(PATIENCE)
    session.close()


def test_a_shadow_is_painted_and_erased(session: Session) -> None:
    with pytest.raises(InvalidInput, match="no shadow to erase"):
        session.brush_shadow([(100, 90)], 8, add=False)
    session.brush_shadow([(100, 90), (130, 90)], 8, add=True)
    item = session.selected_object
    assert item is not None
    assert item.shadow is not None
    assert item.shadow.coverage[90, 115] == 255
    assert item.mask.coverage[90, 100] == SCENE.card.coverage[90, 100]
    session.brush_shadow([(100, 90)], 8, add=False)
    after = session.selected_object
    assert after is not None
    assert after.shadow is not None
    assert after.shadow.coverage[90, 100] == 0
    assert after.shadow.coverage[90, 125] == 255
    assert session.state.steps[-2:] == ("Object 1: shadow painted",) * 2
    session.select(None)
    with pytest.raises(InvalidInput, match="Select an object"):
        session.brush_shadow([(100, 90)], 8, add=True)


def test_the_mask_shows_the_shadow_in_another_colour(session: Session) -> None:
    session.take_shadow(selected(session))
    shown = picture(session, "mask", 320)
    assert shown is not None
    rgba = cv2.cvtColor(cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
    card, shadow = SCENE.card.coverage > 0, (SCENE.ratio[..., 1] < 0.31) & (SCENE.card.coverage == 0)
    assert (rgba[card][:, :3] == 255).all()
    assert (rgba[shadow][:, 2] > rgba[shadow][:, 0]).all()
    assert rgba[shadow][:, 3].min() > 40
    near = cv2.dilate((SCENE.ratio[..., 1] < 1).astype(np.uint8), np.ones((21, 21))) > 0
    assert not rgba[~(near | card)][:, 3].any()
