"""Regions invented anew: only they change, whatever else is drawn, and nobody else's pixels are touched."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from fakes import FlatEngine
from scenes import CAMERA, card_before_wall

from core.editing.apply import apply, apply_all, new_project
from core.editing.memo import Memo
from core.editing.render import render
from core.errors import InvalidInput
from core.maths.rigid import pose
from core.types import edits
from core.types.camera import Camera
from core.types.frame import Frame
from core.types.mask import Mask
from core.types.project import Project, Settings
from core.types.protocols import CancelToken, EngineRequest, EngineUpdate
from core.types.scene import Placement


class SeedColour(FlatEngine):
    """One flat colour a seed, and half sure of it."""

    def render(self, request: EngineRequest, cancel: CancelToken) -> Iterator[EngineUpdate]:
        self.colour = (10 + 20 * request.seed, 0, 255)
        for update in super().render(request, cancel):
            yield replace(update, confidence=np.where(request.unknown, np.float32(0.5), np.float32(1)))


SCENE = card_before_wall()
SHIFTED = Camera(CAMERA, pose(np.eye(3), (0.4, 0.0, 0.0)))


def half(first: bool = True) -> Mask:
    """The upper half of the picture, or the lower one."""
    coverage = np.zeros(SCENE.photo.srgb.shape[:2], np.uint8)
    rows = len(coverage) // 2
    coverage[slice(0, rows) if first else slice(rows, None)] = 255
    return Mask(coverage)


def removed(*more: edits.Edit) -> Project:
    project = new_project(SCENE.photo, SCENE.estimate)
    return apply_all(project, [edits.AddObject("card", SCENE.mask, "Card"), edits.HideObject("card"), *more])


def final(project: Project, engine: FlatEngine | None = None, memo: Memo | None = None) -> Frame:
    (frame,) = render(project, engine or SeedColour(), memo or Memo(), stream=False)
    return frame


@pytest.mark.parametrize("camera", [Camera(CAMERA), SHIFTED], ids=["home", "moved"])
def test_only_the_invented_part_of_the_region_changes(camera: Camera) -> None:
    before = final(removed(edits.SetCamera(camera)))
    region = half()
    after = final(removed(edits.SetCamera(camera), edits.RerollRegion(region, 3)))
    inside = before.invented & (region.coverage > 0)
    assert inside.any()
    assert (after.pixels[inside] == (70, 0, 255)).all()
    assert np.array_equal(after.pixels[~inside], before.pixels[~inside])
    assert np.array_equal(after.depth, before.depth)
    assert (after.confidence[after.invented] == 0.5).all()
    assert (after.confidence[~after.invented] == 1).all()


def test_regions_come_one_after_another_and_see_each_other() -> None:
    engine = SeedColour()
    frame = final(removed(edits.RerollRegion(half(), 3), edits.RerollRegion(half(False), 4)), engine)
    colours = {tuple(colour) for colour in frame.pixels[frame.invented]}
    assert colours == {(70, 0, 255), (90, 0, 255)}
    assert (engine.requests[-1].draft[half().coverage > 0] == frame.pixels[half().coverage > 0]).all()


def test_objects_are_drawn_over_what_was_invented_anew() -> None:
    moved = apply_all(
        new_project(SCENE.photo, SCENE.estimate),
        [edits.AddObject("card", SCENE.mask, "Card"), edits.PlaceObject("card", Placement((0.3, 0.1, 0.0)))],
    )
    memo, engine = Memo(), SeedColour()
    project = apply_all(moved, [edits.RerollRegion(half(), 3), edits.RerollRegion(half(False), 4)])
    frames = list(render(project, engine, memo))
    plain = final(moved)
    assert frames[-1].stage == "final"
    assert [frame.done for frame in frames] == sorted(frame.done for frame in frames)
    drawn = plain.moved & ~plain.invented
    assert drawn.any()
    assert np.array_equal(frames[-1].pixels[drawn], plain.pixels[drawn])
    assert (frames[-1].confidence[drawn] == 1).all()
    # No request saw the object where it stands now: it is no part of what is behind it.
    holes = [request.draft for request in engine.requests[1:]]
    assert all((draft[drawn] != plain.pixels[drawn]).any() for draft in holes)
    asked = len(engine.requests)
    again = final(project, engine, memo)
    assert len(engine.requests) == asked
    assert np.array_equal(again.pixels, frames[-1].pixels)


def test_a_region_without_inventions_changes_nothing() -> None:
    corner = Mask(np.pad(np.full((2, 2), 255, np.uint8), ((0, SCENE.photo.height - 2), (0, SCENE.photo.width - 2))))
    before, after = final(removed()), final(removed(edits.RerollRegion(corner, 9)))
    assert np.array_equal(before.pixels, after.pixels)
    assert after.stage == "final"


def test_other_settings_forget_regions_and_the_same_ones_do_not() -> None:
    project = removed(edits.RerollRegion(half(), 3))
    assert apply(project, edits.SetSettings(Settings(seed=1))).rerolls == ()
    assert apply(project, edits.SetSettings(Settings())).rerolls == project.rerolls


def test_a_region_must_fit_the_photo_and_hold_something() -> None:
    with pytest.raises(InvalidInput, match="photo's size"):
        removed(edits.RerollRegion(Mask(np.full((3, 3), 255, np.uint8)), 1))
    with pytest.raises(InvalidInput, match="empty"):
        removed(edits.RerollRegion(Mask(np.zeros_like(half().coverage)), 1))


def test_what_moved_and_what_is_sure() -> None:
    home, moved = final(removed()), final(removed(edits.SetCamera(SHIFTED)))
    assert not home.moved.any()
    assert not (moved.moved & moved.invented).any()
    assert moved.moved[~moved.invented].all()
    for frame in (home, moved):
        assert (frame.confidence[frame.invented] == 0.5).all()
        assert (frame.confidence[~frame.invented] == 1).all()
