"""Distances on the photo, and a scene sized by one."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FlatEngine
from scenes import HEIGHT, WIDTH, card_before_wall, slanted_floor

from core.editing.apply import apply, apply_all, new_project
from core.editing.measure import distance, photo_point
from core.editing.memo import Memo
from core.editing.render import render
from core.errors import InvalidInput
from core.maths.camera import unproject
from core.types import edits
from core.types.camera import Camera, Pose
from core.types.depth import DepthMap
from core.types.scene import Placement

SCENE = card_before_wall()
START = new_project(SCENE.photo, SCENE.estimate)
A, B = (3.0, 4.0), (WIDTH - 6.0, HEIGHT - 9.0)


def moved():
    camera = np.eye(4)
    camera[:3, 3] = (0.05, 0.0, -0.1)
    return apply_all(
        START,
        [
            edits.AddObject("card", SCENE.mask, "Card"),
            edits.PlaceObject("card", Placement((0.4, 0.0, 0.2), scale=1.3)),
            edits.SetCamera(Camera(START.scene.source_intrinsics, Pose(camera))),
        ],
    )


def test_a_distance_is_the_one_between_the_points_in_space():
    depth = START.depth.values
    camera = START.scene.source_intrinsics
    first, second = (unproject(camera, np.array(p), np.array(depth[int(p[1]), int(p[0])])) for p in (A, B))
    assert distance(START, A, B) == pytest.approx(np.linalg.norm(first - second), rel=1e-6)
    assert distance(START, A, B) == pytest.approx(distance(START, B, A))


def test_a_known_distance_sizes_the_whole_scene_and_leaves_the_picture():
    before = moved()
    after = apply(before, edits.SetDistance(A, B, 12.5))
    factor = 12.5 / distance(before, A, B)
    assert distance(after, A, B) == pytest.approx(12.5, rel=1e-6)
    assert (after.depth.scale, after.layout) == ("metric", None)
    old, new = before.scene.objects[0], after.scene.objects[0]
    np.testing.assert_allclose(new.pivot, np.multiply(old.pivot, factor))
    np.testing.assert_allclose(new.placement.translation, np.multiply(old.placement.translation, factor))
    frames = [list(render(project, FlatEngine(), Memo(), stream=False))[-1] for project in (before, after)]
    different = np.abs(frames[0].pixels.astype(int) - frames[1].pixels.astype(int)).max(axis=-1) > 2
    assert different.mean() < 0.002
    np.testing.assert_allclose(frames[1].depth[~different], factor * frames[0].depth[~different], rtol=1e-3)


def test_saying_it_twice_changes_nothing_more():
    once = apply(START, edits.SetDistance(A, B, 3.0))
    twice = apply(once, edits.SetDistance(A, B, 3.0))
    np.testing.assert_allclose(twice.depth.values, once.depth.values, rtol=1e-6)


def test_the_ground_keeps_its_place_under_the_camera():
    floor = slanted_floor()
    start = new_project(floor.photo, floor.estimate)
    assert start.scene.ground is not None
    after = apply(start, edits.SetDistance(A, B, 2.0 * distance(start, A, B)))
    assert after.scene.ground is not None
    assert after.scene.ground.height == pytest.approx(2.0 * start.scene.ground.height)
    assert after.scene.ground.up == start.scene.ground.up


@pytest.mark.parametrize(
    ("start", "end", "metres", "words"),
    [
        (A, B, 0.0, "must lie between"),
        (A, B, float("nan"), "must lie between"),
        (A, A, 1.0, "one and the same"),
        ((-5.0, 0.0), B, 1.0, "outside the photo"),
        (A, (float(WIDTH), 1.0), 1.0, "outside the photo"),
    ],
)
def test_what_cannot_be_measured_is_refused(start, end, metres, words):
    with pytest.raises(InvalidInput, match=words):
        apply(START, edits.SetDistance(start, end, metres))


def test_a_point_without_depth_is_refused():
    valid = START.depth.valid.copy()
    valid[4, 3] = False
    holed = replace(START, depth=DepthMap(START.depth.values, valid, "relative", "test"))
    with pytest.raises(InvalidInput, match="No depth is known"):
        photo_point(holed, A)
