"""The rigid-motion recipe: the recorded maps, and laws where the answer is known."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import InvalidInput
from core.lras.object_motion import (
    Projection,
    displacement,
    kabsch,
    lifted,
    motion_in_camera,
    object_centroid,
    rotation_world,
    world_axes,
)
from core.lras.verify_motion import check_object_motion
from core.maths.rigid import axis_rotation, invert, pose, transform
from core.types.camera import IDENTITY, Intrinsics

RNG = np.random.default_rng(11)
CAMERA = Intrinsics(100.0, 90.0, 32.0, 24.0, 64, 48)
WALL = np.full((48, 64), 2.0)
SQUARE = np.zeros((48, 64), bool)
SQUARE[20:30, 25:40] = True
FLOORED = [Projection.FLOORED, Projection.FLOORED_AND_CLIPPED]


@pytest.fixture(scope="module")
def recorded(shared_folder: Path) -> dict:
    path = shared_folder / "spec/golden/object_motion.pt"
    if not path.is_file():
        pytest.skip(f"no recorded maps at {path}")
    return torch.load(path, weights_only=True)


def test_recorded_maps_are_reproduced(recorded):
    checks = list(check_object_motion(recorded))
    assert [check for check in checks if not check.passed] == []
    assert {name.split()[0] for name in (check.name for check in checks)} >= {"case256", "case1024", "world", "kabsch"}


@pytest.mark.parametrize(
    ("group", "entry", "failing"),
    [("case256", "flow_rowcol_crop", "case256 flow"), ("case1024", "codes_xy", "case1024 bins")],
)
def test_another_recorded_value_is_noticed(recorded, group, entry, failing):
    changed = recorded[group][entry].clone()
    changed.view(-1)[0] += 1
    other = {**recorded, group: {**recorded[group], entry: changed}}
    assert [check.name for check in check_object_motion(other) if not check.passed] == [failing]


def pitched_floor(pitch: float) -> tuple[np.ndarray, np.ndarray]:
    """Depth of a floor 1.5 below a camera that looks down by `pitch` radians, and the floor's up direction."""
    up = np.array([0.0, -np.cos(pitch), -np.sin(pitch)])
    rows, columns = np.mgrid[:48, :64]
    rays = np.stack([(columns - CAMERA.cx) / CAMERA.fx, (rows - CAMERA.cy) / CAMERA.fy, np.ones((48, 64))], axis=-1)
    with np.errstate(divide="ignore"):
        return -1.5 / (rays @ up), up


def test_world_axes_stand_on_the_ground():
    depth, up = pitched_floor(0.4)
    camera_from_world = world_axes(np.array([[10, 40], [50, 44], [40, 26]]), depth, CAMERA)
    assert np.allclose(camera_from_world.rotation[:, 2], up)
    assert np.allclose(camera_from_world.rotation[:, 0], [1, 0, 0])
    assert camera_from_world.rotation[2, 1] > 0
    assert not camera_from_world.translation.any()


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([[10, 40], [20, 40], [30, 40]], "on a line"),
        ([[10, 40], [10, 40], [30, 40]], "on a line"),
        ([[10, 40], [64, 40], [30, 30]], "outside the 64x48 picture"),
        ([[10, 40], [50, 44], [40, 0]], "no depth at the point"),
    ],
)
def test_ground_that_gives_no_axes_is_refused(points, message):
    depth, _ = pitched_floor(0.1)
    with pytest.raises(InvalidInput, match=message):
        world_axes(np.array(points), depth, CAMERA)


def test_a_wall_seen_squarely_is_no_ground():
    with pytest.raises(InvalidInput, match="squarely"):
        world_axes(np.array([[10, 40], [50, 44], [40, 20]]), WALL, CAMERA)


def test_world_turns_are_about_the_named_axes():
    assert np.allclose(rotation_world(90, 0, 0) @ [1, 0, 0], [0, 1, 0])
    assert np.allclose(rotation_world(0, 90, 0) @ [0, 0, 1], [1, 0, 0])
    assert np.allclose(rotation_world(0, 0, 90) @ [0, 1, 0], [0, 0, 1])
    assert np.allclose(rotation_world(90, 0, 90) @ [0, 1, 0], [0, 0, 1])


def test_a_world_motion_turns_about_the_centroid_and_moves_along_the_ground():
    depth, up = pitched_floor(0.4)
    axes = world_axes(np.array([[10, 40], [50, 44], [40, 26]]), depth, CAMERA)
    pivot = object_centroid(depth, SQUARE, CAMERA)
    turn = motion_in_camera(pose(rotation_world(30, 0, 0), np.zeros(3)), axes, invert(axes), pivot)
    assert np.allclose(transform(turn.matrix, pivot), pivot)
    assert np.allclose(turn.rotation, axis_rotation(tuple(up), np.radians(30)))
    lift = motion_in_camera(pose(np.eye(3), (0, 0, 0.3)), axes, invert(axes), pivot)
    assert np.allclose(transform(lift.matrix, pivot), pivot + 0.3 * up)


def test_point_pairs_give_their_motion_back():
    motion = pose(axis_rotation((1, -2, 3), 2.5), (0.3, -0.1, 0.2))
    points = RNG.normal(size=(4, 3))
    assert np.allclose(kabsch(points, transform(motion.matrix, points)).matrix, motion.matrix)
    flat = points * (1, 1, 0)
    assert np.allclose(kabsch(flat, transform(motion.matrix, flat)).matrix, motion.matrix)


def test_mirrored_pairs_still_give_a_rotation():
    points = RNG.normal(size=(6, 3))
    assert np.isclose(np.linalg.det(kabsch(points, points * (-1, 1, 1)).rotation), 1)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.eye(3)[:2], "three or more"),
        (np.outer(np.arange(4.0), [1, 2, 3]), "on a line"),
        (np.ones((4, 3)), "on a line"),
        (np.full((3, 3), np.nan), "finite"),
    ],
)
def test_pairs_that_fix_no_motion_are_refused(points, message):
    with pytest.raises(InvalidInput, match=message):
        kabsch(points, points)


def test_a_sideways_move_is_exact_below_the_pixel():
    moved = displacement(WALL, SQUARE, pose(np.eye(3), (0.035, -0.01, 0)), CAMERA, Projection.EXACT)
    assert np.allclose(moved.flow[SQUARE], [100 * 0.035 / 2, -90 * 0.01 / 2])
    assert not moved.flow[~SQUARE].any()
    assert (moved.target == np.roll(SQUARE, 2, axis=1)).all()


@pytest.mark.parametrize("projection", FLOORED)
def test_the_released_rule_floors(projection):
    moved = displacement(WALL, SQUARE, pose(np.eye(3), (0.035, -0.01, 0)), CAMERA, projection)
    assert (moved.flow[SQUARE] == [1, -1]).all()


def test_motion_out_of_the_picture():
    motion = pose(np.eye(3), (1.01, 0, 0))
    ours, floored, clipped = (displacement(WALL, SQUARE, motion, CAMERA, kind) for kind in Projection)
    assert np.allclose(ours.flow[25, 25:40, 0], 50.5)
    assert not ours.target.any()
    assert (floored.flow[25, 25:40, 0] == 50).all()
    assert (clipped.flow[25, 25:40, 0] == 63 - np.arange(25, 40)).all()
    assert (clipped.target == floored.target).all()
    assert np.flatnonzero(clipped.target.any(axis=0)).tolist() == [63]


def test_pixels_without_a_place_are_nan():
    depth = WALL.copy()
    depth[22, 30], depth[23, 30] = np.nan, 0.0
    still = displacement(depth, SQUARE, IDENTITY, CAMERA, Projection.EXACT).flow
    assert np.isnan(still[22:24, 30]).all()
    assert np.isnan(still).sum() == 4
    behind = displacement(WALL, SQUARE, pose(np.eye(3), (0, 0, -3)), CAMERA, Projection.EXACT)
    assert np.isnan(behind.flow[SQUARE]).all()
    assert not behind.target.any()
    for projection in FLOORED:
        with pytest.raises(InvalidInput, match="needs depth at each"):
            displacement(depth, SQUARE, IDENTITY, CAMERA, projection)
        with pytest.raises(InvalidInput, match="camera's plane"):
            displacement(WALL, SQUARE, pose(np.eye(3), (0, 0, -2)), CAMERA, projection)


def test_an_object_without_pixels():
    empty = np.zeros_like(SQUARE)
    assert not displacement(WALL, empty, IDENTITY, CAMERA, Projection.EXACT).flow.any()
    with pytest.raises(InvalidInput, match="0 pixels"):
        object_centroid(WALL, empty, CAMERA)


def test_lifted_points_project_back():
    points = lifted(np.array([[0, 0], [63, 47]]), WALL, CAMERA)
    assert np.allclose(points[1], [31 * 2 / 100, 23 * 2 / 90, 2])
