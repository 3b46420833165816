"""Holes: where they may be, and what may be used beside them."""

import numpy as np
import pytest
from scenes import CAMERA, card_before_wall

from core.maths.bands import reciprocal
from core.maths.camera import cropped
from core.maths.rigid import pose
from core.training.crops import Square
from core.training.fill_holes import disocclusion_holes, made_silhouette, object_holes, rim_holes, trimmed

SIDE = 96


def objects() -> np.ndarray:
    there = np.zeros((SIDE, SIDE), bool)
    there[20:60, 10:40] = True
    return there


@pytest.mark.parametrize("seed", range(5))
def test_object_holes_keep_off_objects_which_may_not_be_used(seed: int) -> None:
    random = np.random.default_rng(seed)
    holes = object_holes(objects(), lambda: made_silhouette(random), random)
    assert holes is not None
    assert 0 < holes.unknown.mean() < 0.5
    assert not (holes.unknown & objects()).any()
    assert not (holes.usable & (objects() | holes.unknown)).any()
    assert holes.usable.any()


def test_without_room_there_is_no_object_hole() -> None:
    random = np.random.default_rng(0)
    assert object_holes(np.ones((SIDE, SIDE), bool), lambda: made_silhouette(random), random) is None


@pytest.mark.parametrize("seed", range(5))
def test_rim_holes_lie_along_the_frame(seed: int) -> None:
    holes = rim_holes(SIDE, np.random.default_rng(seed))
    edges = [edge.all() for edge in (*holes.unknown[[0, -1]], *holes.unknown[:, [0, -1]].T)]
    assert any(edges)
    assert holes.usable[SIDE // 2, SIDE // 2]
    np.testing.assert_array_equal(holes.usable, ~holes.unknown)


@pytest.mark.parametrize("seed", range(5))
def test_silhouettes_touch_their_box(seed: int) -> None:
    shape = made_silhouette(np.random.default_rng(seed))
    assert shape.shape == trimmed(np.pad(shape, 7)).shape
    assert shape[0].any()
    assert shape[:, -1].any()


def scene() -> Square:
    """A card at 2 before a wall at 4."""
    known = card_before_wall()
    depth = np.ascontiguousarray(known.estimate.depth.values[:, 12:84])
    return Square(known.photo.srgb[:, 12:84], reciprocal(depth), cropped(CAMERA, 12, 0, 72, 72))


def test_a_moved_camera_uncovers_the_wall_beside_the_card_which_may_not_be_used() -> None:
    real = scene()
    holes = disocclusion_holes(real, pose(np.eye(3), np.array([0.3, 0.0, 0.0])))
    assert holes is not None
    assert holes.depth is not None
    assert real.inverse_depth is not None
    card = real.inverse_depth > 0.4
    inner = holes.unknown.copy()
    inner[:, :12], inner[:, -12:] = False, False
    assert inner.any()
    assert not (inner & card).any()
    np.testing.assert_allclose(holes.depth[inner], 4.0, rtol=0.02)
    assert (card & _beside(inner)).any()
    assert not (holes.usable & card & _beside(inner)).any()


def test_a_still_camera_uncovers_nothing() -> None:
    assert disocclusion_holes(scene(), pose(np.eye(3), np.zeros(3))) is None


def _beside(unknown: np.ndarray) -> np.ndarray:
    """The pixels right and left of a hole."""
    return np.roll(unknown, 1, axis=1) | np.roll(unknown, -1, axis=1)
