import numpy as np
import pytest

from core.errors import InvalidInput
from core.maths.camera import intrinsics_from_fov, pixel_rays
from core.maths.layout import CAMERA_HEIGHT, layout_depth, upright_object_depth
from core.types.depth import Layout

CAMERA = intrinsics_from_fov(55, 160, 120)
STREET = Layout(0.4, 0.55)
TABLE = Layout(-0.9, 0.0)


def points(depth: np.ndarray) -> np.ndarray:
    return pixel_rays(CAMERA).astype(np.float64) * depth[..., None]


@pytest.mark.parametrize("layout", [STREET, TABLE, Layout(0.8, 0.9), Layout(-3.0, -2.0)])
def test_ground_pixels_lie_on_the_ground(layout):
    depth, ground = layout_depth(layout, CAMERA)
    rows = np.arange(120) >= layout.ground_end * 120
    height = points(depth)[rows] @ np.array(ground.up) + ground.height
    assert np.abs(height).max() < 1e-4
    assert ground.height == CAMERA_HEIGHT


@pytest.mark.parametrize("horizon", [-0.9, 0.0, 0.4, 1.2])
def test_the_plane_vanishes_at_the_horizon(horizon):
    _, ground = layout_depth(Layout(horizon, horizon + 0.2), CAMERA)
    row = horizon * 120 - 0.5
    ray = np.array([0.3, (row - CAMERA.cy) / CAMERA.fy, 1.0])
    assert ray @ np.array(ground.up) == pytest.approx(0, abs=1e-12)


def test_the_backdrop_is_upright_and_starts_where_the_ground_ends():
    depth, ground = layout_depth(STREET, CAMERA)
    above = points(depth)[: int(0.55 * 120)]
    away = np.array([0, ground.up[2], -ground.up[1]])
    distance = above @ away
    assert np.ptp(distance) < 1e-3 * distance.mean()
    assert (above @ np.array(ground.up) + ground.height).min() > -1e-3
    assert depth[65, 80] == pytest.approx(depth[66, 80], rel=0.05)


def test_nothing_is_behind_the_camera_or_endless():
    for layout in (STREET, TABLE, Layout(5.0, 6.0), Layout(-20.0, -19.0), Layout(0.5, 0.5001)):
        depth, _ = layout_depth(layout, CAMERA)
        assert np.isfinite(depth).all()
        assert depth.min() > 0


def standing(layout: Layout, box: tuple[int, int, int, int]):
    depth, ground = layout_depth(layout, CAMERA)
    mask = np.zeros((120, 160), bool)
    x0, y0, x1, y1 = box
    mask[y0 : y1 + 1, x0 : x1 + 1] = True
    return mask, depth, ground, upright_object_depth(mask, depth, ground, CAMERA)


def test_an_upright_object_stands_on_its_contact():
    mask, depth, ground, found = standing(STREET, (70, 40, 90, 100))
    assert found[100, 70] == pytest.approx(depth[100, 70], rel=0.02)
    heights = (points(found) @ np.array(ground.up) + ground.height)[mask]
    assert heights.min() > -0.05
    silhouette = found[45, 70], found[95, 70]
    assert silhouette[0] == pytest.approx(silhouette[1], rel=0.25)
    assert not found[~mask].any()


def test_relief_bulges_towards_the_camera_by_a_quarter_of_the_width():
    _, _, _, found = standing(STREET, (70, 40, 90, 100))
    width = 21 * found[70, 70] / CAMERA.fx
    bulge = found[70, 70] - found[70, 80]
    assert 0.15 * width < bulge < 0.3 * width
    assert np.abs(np.diff(found[70, 70:91])).max() < 0.5 * bulge


def test_a_table_top_object_is_not_stretched_away():
    mask, depth, _, found = standing(TABLE, (60, 20, 110, 90))
    inside = found[mask]
    assert inside.min() > 0.3 * depth.min()
    assert inside.max() < 2 * depth[90, 80]


def test_an_object_in_the_air_takes_the_backdrops_depth():
    mask, depth, _, found = standing(STREET, (70, 5, 90, 30))
    assert np.median(found[mask]) == pytest.approx(float(np.median(depth[mask])), rel=0.3)


def test_masks_at_the_edges_of_use():
    depth, ground = layout_depth(STREET, CAMERA)
    for mask in (np.ones((120, 160), bool), np.eye(120, 160, dtype=bool)):
        found = upright_object_depth(mask, depth, ground, CAMERA)
        assert found[mask].min() > 0
        assert np.isfinite(found).all()
    with pytest.raises(InvalidInput, match="empty"):
        upright_object_depth(np.zeros((120, 160), bool), depth, ground, CAMERA)
    with pytest.raises(InvalidInput, match="size"):
        upright_object_depth(np.ones((12, 16), bool), depth[:12, :16], ground, CAMERA)


def test_a_large_mask_is_shaped_like_its_small_copy():
    large = intrinsics_from_fov(55, 1600, 1200)
    ys, xs = np.mgrid[:1200, :1600]
    disc = np.hypot(xs - 800, ys - 700) < 350
    depth, ground = layout_depth(STREET, large)
    small_depth, _ = layout_depth(STREET, CAMERA)
    found = upright_object_depth(disc, depth, ground, large)[5::10, 5::10]
    small = upright_object_depth(disc[5::10, 5::10], small_depth, ground, CAMERA)
    both = (found > 0) & (small > 0)
    assert np.abs(found - small)[both].max() < 0.05 * small.max()
