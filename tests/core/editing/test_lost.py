"""Edits that leave next to nothing are told."""

import numpy as np
import pytest
from fakes import FlatEngine
from scenes import CAMERA, card_before_wall

from core.editing.apply import apply_all, new_project
from core.editing.lost import lost_in
from core.editing.memo import Memo
from core.editing.render import render
from core.maths.rigid import axis_rotation, pose
from core.types.camera import Camera
from core.types.edits import AddObject, Edit, HideObject, PlaceObject, SetCamera
from core.types.scene import Placement


def told(*edits: Edit) -> list[str]:
    scene, memo = card_before_wall(), Memo()
    project = apply_all(new_project(scene.photo, scene.estimate), [AddObject("card", scene.mask, "Card"), *edits])
    (frame,) = render(project, FlatEngine(), memo, stream=False)
    return lost_in(project, frame, memo)


def seen_from(*place: float) -> Edit:
    return SetCamera(Camera(CAMERA, pose(np.eye(3), -np.array(place, np.float64))))


@pytest.mark.parametrize("move", [(0, 0, -100), (0, 0, 1e5), (100, 0, 0), (0, 0, 3.0)])
def test_an_object_that_is_seen_no_more_is_named(move: tuple[float, float, float]) -> None:
    (sentence,) = told(PlaceObject("card", Placement(tuple(map(float, move)))))
    assert sentence.startswith("Card is out of view")


def test_a_tiny_object_is_named_too() -> None:
    assert told(PlaceObject("card", Placement(scale=1e-3)))[0].startswith("Card is out of view")


@pytest.mark.parametrize("place", [(0, 0, 100), (1000, 0, 0)])
def test_a_camera_beyond_the_scene_is_told(place: tuple[float, float, float]) -> None:
    assert any("comes from the photo" in sentence for sentence in told(seen_from(*place)))


@pytest.mark.parametrize("scale", [30.0, 1000.0])
def test_an_object_that_hides_all_else_is_named(scale: float) -> None:
    (sentence,) = told(PlaceObject("card", Placement(scale=scale)))
    assert sentence.startswith("Card fills the whole result")


@pytest.mark.parametrize(("degrees", "is_told"), [(180, True), (100, True), (60, False)])
def test_a_camera_that_looks_back_is_told(degrees: float, is_told: bool) -> None:
    turned = axis_rotation((0.0, 1.0, 0.0), np.radians(degrees))
    sentences = told(SetCamera(Camera(CAMERA, pose(turned, -turned @ (0, 0, 3) + (0, 0, 3)))))
    assert any("from behind" in sentence for sentence in sentences) == is_told


@pytest.mark.parametrize(
    "edit",
    [
        PlaceObject("card", Placement((0.3, 0.0, 0.5))),
        PlaceObject("card", Placement((0.9, 0.0, 0.0), scale=0.3)),
        HideObject("card"),
        seen_from(0.2, 0.0, 0.5),
    ],
)
def test_edits_whose_result_shows_are_not(edit: Edit) -> None:
    assert told(edit) == []
