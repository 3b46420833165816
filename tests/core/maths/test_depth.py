"""Depth maps: resizing keeps steps, holes continue the far side, objects stay whole."""

import numpy as np
import pytest
from scenes import CAMERA, card_before_wall, slanted_floor

from core.errors import InvalidInput
from core.maths.depth import (
    continue_far_side,
    despeckled,
    flat_object_inverse_depth,
    inverse_depth,
    near_side,
    object_inverse_depth,
    object_pivot,
    points_from_inverse_depth,
    relative_from_affine,
    sharpen_steps,
)
from core.maths.membrane import membrane
from core.types.depth import DepthMap


def depth_map(values: np.ndarray, valid: np.ndarray | None = None, scale="metric") -> DepthMap:
    values = values.astype(np.float32)
    return DepthMap(values, np.ones(values.shape, bool) if valid is None else valid, scale, "test")


def step(width: int = 40, height: int = 30) -> np.ndarray:
    return np.where(np.arange(width) < width // 2, 2.0, 6.0)[None].repeat(height, axis=0)


def test_at_its_own_size_measured_depth_is_untouched():
    values = step()
    assert np.array_equal(inverse_depth(depth_map(values), 40, 30), (1 / values).astype(np.float32))


@pytest.mark.parametrize("scale", [2, 3, 5])
def test_enlarging_makes_no_depths_between_two_surfaces(scale):
    enlarged = inverse_depth(depth_map(step()), 40 * scale, 30 * scale)
    assert set(np.unique(np.round(1 / enlarged, 3))) == {2.0, 6.0}


def test_enlarging_a_plane_keeps_it_a_plane():
    scene = slanted_floor()
    values = scene.estimate.depth.values
    inverse = inverse_depth(scene.estimate.depth, values.shape[1] * 2, values.shape[0] * 2)
    second_difference = np.abs(np.diff(inverse[4:-4], n=2, axis=0)).max()
    assert second_difference < 0.05 * np.abs(np.diff(inverse[4:-4], axis=0)).max() + 1e-3


def test_unmeasured_pixels_continue_the_farther_side():
    values, valid = step(), np.ones((30, 40), bool)
    valid[10:20, 20:27] = False  # the shadow a sensor leaves beside a near edge
    inverse = inverse_depth(depth_map(values, valid), 40, 30)
    assert np.allclose(inverse[10:20, 20:27], 1 / 6, rtol=0.05)
    assert np.allclose(inverse[:, :20], 1 / 2)


def test_far_continuation_ignores_what_stands_before():
    scene = card_before_wall(2.0, 4.0)
    inverse = (1 / scene.estimate.depth.values).astype(np.float32)
    hole = np.zeros(inverse.shape, bool)
    hole[20:40, 55:75] = True  # over the card's edge
    filled = continue_far_side(inverse, hole, ~hole)
    assert np.quantile(np.abs(filled[hole] - 0.25), 0.95) < 0.01
    assert filled[hole].max() < 0.3
    assert np.array_equal(filled[~hole], inverse[~hole])


def test_near_side_is_what_stands_before_the_other_end_of_a_gap():
    scene = card_before_wall()
    inverse = (1 / scene.estimate.depth.values).astype(np.float32)
    known = np.ones(inverse.shape, bool)
    known[:, 60:64] = False
    near = near_side(inverse, known)
    assert near[26:46, 58:60].all()
    assert not near[scene.mask.coverage == 0].any()
    assert not near[:, :36].any()


def test_no_side_of_a_gap_in_a_plane_is_near():
    inverse = (1 / slanted_floor().estimate.depth.values).astype(np.float32)
    known = np.ones(inverse.shape, bool)
    known[20:50, 30:60] = False
    assert not near_side(inverse, known).any()


def test_flying_pixels_are_taken_away_and_corners_stay():
    inverse = (1 / card_before_wall().estimate.depth.values).astype(np.float32)
    spoilt = inverse.copy()
    spoilt[10, 10] = 0.5
    spoilt[60, 20:40] = 0.4
    spoilt[30, 50] = 0.25
    assert np.array_equal(despeckled(spoilt), inverse)
    assert np.array_equal(despeckled(inverse), inverse)


def test_sharpening_leaves_slopes_alone():
    slope = np.linspace(0.2, 0.4, 60, dtype=np.float32)[None].repeat(20, axis=0)
    assert np.array_equal(sharpen_steps(slope, 2), slope)


def test_an_object_keeps_its_own_depth_to_its_rim():
    scene = card_before_wall(2.0, 4.0)
    inverse = (1 / scene.estimate.depth.values).astype(np.float32)
    inverse[24:48, 36] = 0.25  # a measured edge that is one pixel off
    whole = object_inverse_depth(inverse, scene.mask.coverage)
    assert np.allclose(whole[24:48, 36:60], 0.5, atol=0.005)


def test_the_pivot_is_where_the_object_touches_the_ground():
    scene = card_before_wall(2.0, 4.0)
    inverse = object_inverse_depth((1 / scene.estimate.depth.values).astype(np.float32), scene.mask.coverage)
    x, y, z = object_pivot(inverse, scene.mask.coverage, CAMERA, (0.0, -1.0, 0.0))
    assert np.isclose(z, 2.0, atol=0.02)
    assert np.isclose(y, (46.5 - CAMERA.cy) / CAMERA.fy * 2.0, atol=0.05)
    assert np.isclose(x, (47.5 - CAMERA.cx) / CAMERA.fx * 2.0, atol=0.05)


def test_points_of_a_floor_lie_on_it():
    scene = slanted_floor(height=1.3)
    ground = scene.estimate.ground
    assert ground is not None
    points = points_from_inverse_depth((1 / scene.estimate.depth.values).astype(np.float32), CAMERA)
    assert np.allclose(points @ np.array(ground.up) + ground.height, 0, atol=1e-4)


@pytest.mark.parametrize(
    ("depth", "what"),
    [
        (depth_map(step(), scale="affine"), "scale and shift"),
        (depth_map(step(), np.zeros((30, 40), bool)), "no valid pixel"),
    ],
)
def test_unusable_depth_is_refused(depth, what):
    with pytest.raises(InvalidInput, match=what):
        inverse_depth(depth, 40, 30)


def test_the_membrane_continues_planes_and_keeps_known_pixels():
    y, x = np.mgrid[:60, :90].astype(np.float32)
    plane = (0.1 + 0.002 * x + 0.004 * y)[..., None].astype(np.float32)
    hole = np.hypot(x - 45, y - 30) < 15
    filled = membrane(np.where(hole[..., None], np.float32(9), plane), hole, ~hole)
    assert np.array_equal(filled[~hole], plane[~hole])
    assert np.abs(filled - plane)[hole].max() < 0.02 * (plane.max() - plane.min())


def test_portrait_depth_of_unknown_range_gets_an_assumed_one():
    values = np.linspace(1.0, 13.0, 1200, dtype=np.float32).reshape(30, 40)
    relative = relative_from_affine(depth_map(values, scale="affine"))
    assert relative.scale == "relative"
    assert "assumed" in relative.source
    assert np.quantile(relative.values, 0.02) == pytest.approx(1.0, rel=0.05)
    assert np.quantile(relative.values, 0.98) == pytest.approx(8.0, rel=0.2)
    assert (np.diff(relative.values.ravel()) <= 0).all()
    with pytest.raises(InvalidInput, match="flat"):
        relative_from_affine(depth_map(np.ones((3, 4)), scale="affine"))


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.1])
def test_confidence_without_meaning_is_refused(value: float) -> None:
    confidence = np.full((4, 4), value, np.float32)
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        DepthMap(np.ones((4, 4), np.float32), np.ones((4, 4), bool), "relative", "test", confidence=confidence)


def test_changed_depth_keeps_what_it_does_not_name_and_is_another_value() -> None:
    sure = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)
    depth = DepthMap(np.ones((4, 4), np.float32), sure > 0.2, "relative", "test", True, sure)
    nearer = depth.changed(depth.values / 2)
    assert nearer != depth
    assert (nearer.scale, nearer.source, nearer.upright_objects) == ("relative", "test", True)
    np.testing.assert_array_equal(nearer.confidence, sure)
    np.testing.assert_array_equal(nearer.valid, depth.valid)
    assert depth.changed(depth.values, "metric").scale == "metric"
    unsure = DepthMap(depth.values, depth.valid, "relative", "test", True)
    assert unsure != depth


def test_an_object_of_doubtful_depth_is_the_plane_that_fits_it() -> None:
    y, x = np.mgrid[:60, :80].astype(np.float32)
    slanted = 0.3 + 0.002 * x + 0.001 * y
    coverage = np.zeros((60, 80), np.uint8)
    coverage[10:50, 20:60] = 255
    bulging = slanted.copy()
    bulging[coverage == 0] = 0.05
    bulging[24:37, 34:47] += 0.06
    flat = flat_object_inverse_depth(bulging, coverage)
    np.testing.assert_allclose(flat[coverage > 0], slanted[coverage > 0], rtol=0.01)
    assert (flat > 0).all()
    assert object_inverse_depth(bulging, coverage)[30, 40] > slanted[30, 40] + 0.05


def test_an_object_of_two_pixels_keeps_its_depth() -> None:
    inverse = np.linspace(0.2, 0.8, 100, dtype=np.float32).reshape(10, 10)
    coverage = np.zeros((10, 10), np.uint8)
    coverage[4, 4:6] = 255
    np.testing.assert_array_equal(flat_object_inverse_depth(inverse, coverage), inverse)
