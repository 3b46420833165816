"""Pairs: the flow leads from source to target, the photo is the target, and what is new is marked."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scenes import CAMERA, card_before_wall

from core.maths.optical_flow import dense_inverse_search
from core.maths.rigid import invert, pose
from core.training.config import PairSettings
from core.training.crops import Square, mirrored
from core.training.pairs import Pair, draw_motion, frame_pair, moved_camera_flow, object_pair, warp_pair, without_gaps
from core.types.camera import Intrinsics

SIDE = 72


def scene_square() -> Square:
    scene = card_before_wall()
    window = slice(None), slice(12, 12 + SIDE)
    camera = Intrinsics(CAMERA.fx, CAMERA.fy, CAMERA.cx - 12, CAMERA.cy, SIDE, SIDE)
    picture = np.ascontiguousarray(scene.photo.srgb[window])
    return Square(picture, np.ascontiguousarray(1 / scene.estimate.depth.values[window]), camera)


def landing_error(pair: Pair) -> float:
    """Mean difference between each source pixel and the target at the end of its flow, where that is known."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    found = cv2.remap(pair.target, x + np.nan_to_num(pair.flow[..., 0]), y + np.nan_to_num(pair.flow[..., 1]), 1)
    known = np.isfinite(pair.flow).all(axis=-1)
    return float(np.abs(found[known].astype(int) - pair.source[known]).mean())


def test_a_warped_pair_has_the_photo_as_target() -> None:
    real = scene_square()
    pair = warp_pair(real, pose(np.eye(3), (0.2, 0.0, 0.0)))
    assert np.array_equal(pair.target, real.picture)
    assert landing_error(pair) < 1.5
    assert np.abs(pair.source.astype(int) - pair.target).mean() > 5
    # The camera of the source stands so that the card (2 away) shifts by 80 * 0.2 / 2 pixels, the wall by half that.
    assert np.nanmedian(pair.flow[30:40, 40:50, 0]) == pytest.approx(-8, abs=0.1)
    assert np.nanmedian(pair.flow[5:15, 20:50, 0]) == pytest.approx(-4, abs=0.1)
    # Beside the card the target shows wall that the source's card hides: 4 columns of the card's height.
    assert 0.02 < pair.uncovered.mean() < 0.12
    assert pair.uncovered[36, 48:52].any()
    assert not pair.uncovered[5:20, 5:60].any()
    assert pair.camera_0_from_1[0, 3] == pytest.approx(0.2)


def test_an_outlined_object_is_what_moves() -> None:
    ids = np.zeros((SIDE, SIDE), np.uint8)
    ids[10:40, 20:50], ids[60:62, 60:62], ids[:, :10] = 3, 4, 255
    real = replace(scene_square(), objects=ids)
    for seed in range(8):
        pair = object_pair(real, np.random.default_rng(seed))
        landed = np.zeros((SIDE, SIDE), bool)
        y, x = np.nonzero(np.abs(pair.flow).max(axis=-1) > 0)
        end = np.rint(np.stack([y, x]) + pair.flow[y, x, ::-1].T).astype(int)
        landed[tuple(end[:, ((end >= 0) & (end < SIDE)).all(axis=0)])] = True
        assert landed.any()
        assert not landed[~cv2.dilate((ids == 3).astype(np.uint8), np.ones((3, 3))).astype(bool)].any()
    mirror = mirrored(real).objects
    assert mirror is not None
    assert np.array_equal(mirror, ids[:, ::-1])


def test_a_moved_object_uncovers_real_pixels() -> None:
    real = scene_square()
    for seed in range(8):
        pair = object_pair(real, np.random.default_rng(seed))
        assert np.array_equal(pair.target, real.picture)
        moving = np.abs(pair.flow).max(axis=-1) > 0
        assert not (pair.uncovered & ~moving).any()
        untouched = ~cv2.dilate(moving.astype(np.uint8), np.ones((9, 9))).astype(bool)
        changed = (pair.source != pair.target).any(axis=-1)
        assert changed.any()
        assert (changed & untouched).mean() < 0.4
        y, x = np.nonzero(moving)
        ends = np.stack([x, y], axis=-1) + pair.flow[y, x]
        inside = ((ends > 1) & (ends < SIDE - 2)).all(axis=-1)
        rows, columns = np.rint(ends[inside]).astype(int)[:, ::-1].T
        difference = np.abs(pair.target[rows, columns].astype(int) - pair.source[y[inside], x[inside]])
        assert np.median(difference) < 12


def test_frames_with_poses_move_by_their_depth() -> None:
    real = scene_square()
    second_from_first = pose(np.eye(3), (-0.1, 0.0, 0.0))
    pair = frame_pair(real, real, second_from_first, dense_inverse_search)
    assert pair is not None
    assert pair.flow[36, 36, 0] == pytest.approx(-4, abs=1e-3)
    assert np.allclose(pair.camera_0_from_1, invert(second_from_first).matrix)
    assert np.array_equal(pair.flow, moved_camera_flow(real, second_from_first))


def test_frames_without_poses_move_by_their_pictures() -> None:
    real = scene_square()
    shifted = Square(np.roll(real.picture, 3, axis=1), None, real.intrinsics)
    pair = frame_pair(real, shifted, None, dense_inverse_search)
    assert pair is not None
    assert np.nanmedian(pair.flow[..., 0]) == pytest.approx(3, abs=0.2)
    assert np.nanmedian(pair.flow[..., 1]) == pytest.approx(0, abs=0.2)
    assert pair.camera_0_from_1 is None


def test_frames_of_two_places_are_no_pair() -> None:
    real = scene_square()
    noise = np.random.default_rng(0).integers(0, 255, real.picture.shape).astype(np.uint8)
    assert frame_pair(real, Square(noise, None, real.intrinsics), None, dense_inverse_search) is None


def test_mirroring_twice_changes_nothing() -> None:
    real = scene_square()
    back = mirrored(mirrored(real))
    assert np.array_equal(back.picture, real.picture)
    assert np.array_equal(back.inverse_depth, real.inverse_depth)
    assert back.intrinsics == real.intrinsics
    motion = pose(np.eye(3), (0.1, 0.0, 0.0))
    flow = moved_camera_flow(mirrored(real), pose(np.eye(3), (-0.1, 0.0, 0.0)))
    assert np.allclose(flow[:, ::-1] * (-1, 1), moved_camera_flow(real, motion), atol=1e-4)


def test_gaps_take_the_nearest_flow() -> None:
    flow = np.full((4, 4, 2), np.nan, np.float32)
    assert (without_gaps(flow) == 0).all()
    flow[0, 0] = (1, 2)
    flow[3, 3] = (5, 6)
    filled = without_gaps(flow)
    assert filled[0, 1].tolist() == [1, 2]
    assert filled[3, 2].tolist() == [5, 6]


def test_motions_stay_within_their_limits() -> None:
    settings = PairSettings(longest_translation=0.3, largest_rotation_deg=10)
    random = np.random.default_rng(0)
    motions = [draw_motion(settings, random) for _ in range(200)]
    lengths = [np.linalg.norm(motion.translation) for motion in motions]
    angles = [np.degrees(np.arccos(np.clip((np.trace(motion.rotation) - 1) / 2, -1, 1))) for motion in motions]
    assert max(lengths) <= 0.3
    assert np.median(lengths) > 0.1
    assert 5 < max(angles) <= 10.001
    assert sum(angle < 1e-6 and motion.translation[2] == 0 for angle, motion in zip(angles, motions, strict=True)) > 60
