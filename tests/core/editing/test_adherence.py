"""Whether a picture shows what was asked for, told from its pixels."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FlatEngine, SameColour
from scenes import CAMERA, card_before_wall, textured_photo

from core.editing.adherence import Adherence, adherence, motion_share
from core.editing.apply import apply, apply_all, new_project
from core.editing.memo import Memo
from core.editing.render import render
from core.engines.registry import make_engine
from core.errors import Cancelled
from core.maths.optical_flow import dense_inverse_search
from core.maths.rigid import pose
from core.types.camera import Camera
from core.types.edits import AddObject, HideObject, PlaceObject, SetCamera
from core.types.flow import FlowField
from core.types.frame import Frame
from core.types.photo import Photo
from core.types.project import Project
from core.types.protocols import CancelToken, Engine
from core.types.scene import Placement

RED = (200, 30, 30)
ASIDE = PlaceObject("card", Placement((0.6, 0.0, 0.0)))


@pytest.fixture
def red_card() -> Project:
    """A card of one colour, so that the fake back-end knows it."""
    scene = card_before_wall()
    pixels = textured_photo().srgb.copy()
    pixels[scene.mask.coverage > 0] = RED
    return apply(new_project(Photo("card", pixels, pixels), scene.estimate), AddObject("card", scene.mask, "Card"))


def rendered(project: Project, engine: Engine | None = None) -> Frame:
    (frame,) = render(project, engine or make_engine("warp"), Memo(), stream=False)
    return frame


def judged(project: Project, frame: Frame) -> Adherence:
    return adherence(project, frame, SameColour(), Memo(), CancelToken())


def test_an_edit_that_was_done_adheres(red_card: Project) -> None:
    project = apply(red_card, ASIDE)
    found = judged(project, rendered(project))
    assert found.found == pytest.approx(1, abs=0.1)
    assert found.gone == pytest.approx(1, abs=0.1)
    assert found.moved == pytest.approx(1, abs=0.02)
    assert found.score == pytest.approx(1, abs=0.1)


def test_an_edit_that_was_not_done_does_not(red_card: Project) -> None:
    project = apply(red_card, ASIDE)
    undone = replace(rendered(project), pixels=red_card.photo.pixels)
    found = judged(project, undone)
    assert found.found is not None
    assert found.found < 0.3
    assert found.gone == pytest.approx(0)
    assert found.moved is not None
    assert found.moved < 0.7


def test_a_hidden_object_must_be_gone_and_nothing_else_is_asked(red_card: Project) -> None:
    project = apply(red_card, HideObject("card"))
    found = judged(project, rendered(project))
    assert (found.found, found.moved) == (None, None)
    assert found.gone == pytest.approx(1, abs=0.1)
    # A patch of the object's own shape is as good as the object still standing there.
    ghost = judged(project, rendered(project, FlatEngine()))
    assert ghost.gone is not None
    assert ghost.gone < 0.5


def test_a_camera_move_asks_for_motion_alone(red_card: Project) -> None:
    untouched = new_project(red_card.photo, card_before_wall().estimate)
    camera = Camera(CAMERA, pose(np.eye(3), np.array([-0.1, 0.02, 0.0])))
    project = apply(untouched, SetCamera(camera))
    found = judged(project, rendered(project))
    assert (found.found, found.gone) == (None, None)
    assert found.score == found.moved
    assert found.moved is not None
    assert found.moved > 0.95
    other = apply_all(untouched, [SetCamera(Camera(CAMERA, pose(np.eye(3), np.array([0.2, 0.0, 0.0]))))])
    wrong = judged(other, replace(rendered(other), pixels=rendered(project).pixels))
    assert wrong.moved is not None
    assert wrong.moved < 0.6


def test_an_object_that_the_back_end_does_not_know_tells_nothing() -> None:
    scene = card_before_wall()  # textured all over: one click finds one pixel
    project = apply_all(new_project(scene.photo, scene.estimate), [AddObject("card", scene.mask, "Card"), ASIDE])
    found = judged(project, rendered(project))
    assert (found.found, found.gone) == (None, None)
    assert found.score == found.moved


def test_without_an_edit_there_is_no_score(red_card: Project) -> None:
    assert judged(red_card, rendered(red_card)).score is None


def test_large_moves_are_judged_by_what_is_left_of_them() -> None:
    source = textured_photo(160, 120).srgb
    result = np.roll(source, (30, 40), axis=(0, 1))
    rows, columns = source.shape[:2]
    flow = np.broadcast_to(np.array([40, 30], np.float32), (rows, columns, 2)).copy()
    visible = np.zeros((rows, columns), bool)
    visible[: rows - 30, : columns - 40] = True
    asked = FlowField(flow, visible, ~visible)
    assert motion_share(source, result, asked, dense_inverse_search) == pytest.approx(1, abs=0.02)
    off = FlowField(flow - 6, visible, ~visible)
    found = motion_share(source, result, off, dense_inverse_search)
    assert found is not None
    assert found < 0.5


def test_it_can_be_stopped(red_card: Project) -> None:
    project, cancel = apply(red_card, ASIDE), CancelToken()
    frame = rendered(project)
    cancel.cancel()
    with pytest.raises(Cancelled):
        adherence(project, frame, SameColour(), Memo(), cancel)
