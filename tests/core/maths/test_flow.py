"""Induced flow against analytic scenes; laws of moving there and back."""

import numpy as np
import pytest
from scenes import CAMERA, HEIGHT, WIDTH, card_before_wall, slanted_floor

from core.maths.camera import pixel_rays, project
from core.maths.flow import (
    flow_links,
    flow_of_grid,
    landing_bounds,
    moved_grid,
    put_flow,
    resized_flow,
    visible_in_target,
)
from core.maths.flow_colour import colour_wheel, flow_colours
from core.maths.raster import rasterise_grid, surface_links
from core.maths.rigid import axis_rotation, invert, pose, transform

MOTION = pose(axis_rotation((0.2, 1, 0.1), 0.12), (0.3, -0.1, 0.2))


def inverse_of(scene) -> np.ndarray:
    return (1.0 / scene.estimate.depth.values).astype(np.float32)


def test_flow_is_the_projection_of_the_moved_points():
    scene = slanted_floor()
    points = pixel_rays(CAMERA) * scene.estimate.depth.values[..., None]
    expected = project(CAMERA, transform(MOTION.matrix, points))
    u, v, moved = moved_grid(inverse_of(scene), CAMERA, CAMERA, MOTION.matrix)
    assert np.allclose(np.stack([u, v], -1), expected, atol=2e-3, equal_nan=True)
    assert np.allclose(1 / moved, transform(MOTION.matrix, points)[..., 2], rtol=1e-4)


def test_flow_of_a_motion_and_of_its_inverse_cancel():
    inverse = inverse_of(slanted_floor())
    grid = moved_grid(inverse, CAMERA, CAMERA, MOTION.matrix)
    forth = flow_of_grid(grid)
    where = rasterise_grid(*grid, surface_links(inverse, np.ones_like(inverse, bool)), WIDTH, HEIGHT)
    back = flow_of_grid(moved_grid(where.inverse_depth, CAMERA, CAMERA, invert(MOTION).matrix))
    x = np.nan_to_num(where.x).round().astype(int).clip(0, WIDTH - 1)
    y = np.nan_to_num(where.y).round().astype(int).clip(0, HEIGHT - 1)
    cancelled = np.abs(back + forth[y, x])[where.covered]
    assert np.median(cancelled) < 0.05
    assert np.quantile(cancelled, 0.99) < 0.5  # of a pixel: forth is taken at the nearest pixel centre


def test_identity_motion_is_exactly_no_flow():
    assert not flow_of_grid(moved_grid(inverse_of(slanted_floor()), CAMERA, CAMERA, np.eye(4))).any()


def test_points_behind_the_camera_have_no_flow():
    u, _, moved = moved_grid(inverse_of(card_before_wall()), CAMERA, CAMERA, pose(np.eye(3), (0, 0, -3)).matrix)
    card = card_before_wall().mask.coverage > 0
    assert np.isnan(u[card]).all()
    assert not moved[card].any()
    assert np.isfinite(u[~card]).all()


def test_visibility_matches_the_analytic_occlusion():
    scene = card_before_wall(2.0, 4.0)
    inverse = inverse_of(scene)
    grid = moved_grid(inverse, CAMERA, CAMERA, pose(np.eye(3), (-0.5, 0, 0)).matrix)  # camera half a unit to the right
    where = rasterise_grid(*grid, surface_links(inverse, np.ones_like(inverse, bool)), WIDTH, HEIGHT)
    visible = visible_in_target(grid, where.inverse_depth)
    # The card moves by -20 px, the wall by -10: in the card's rows the wall's columns 26..35 end up behind it.
    rows = slice(26, 46)
    assert not visible[rows, 27:35].any()
    assert visible[rows, 36:60].all()
    assert visible[rows, 12:25].all()
    assert not visible[rows, :9].any()  # off the frame
    assert not where.covered[rows, 41:49].any()  # uncovered behind the card's other side
    assert where.covered[rows, 51:84].all()


def test_resizing_scales_values_and_keeps_motion_edges():
    flow = np.zeros((10, 20, 2), np.float32)
    flow[:, 10:] = (4, -2)
    large = resized_flow(flow, 40, 30)
    assert set(np.unique(large[..., 0])) == {0.0, 8.0}
    assert set(np.unique(large[..., 1])) == {0.0, -6.0}


def test_flow_links_cut_where_motion_jumps():
    flow = np.zeros((6, 20, 2), np.float32)
    flow[:, 10:, 0] = 5
    links = flow_links(flow)
    assert not (links[:, 9] & 1).any()
    assert (links[:, :9] & 1).all()
    smooth = np.stack([np.tile(np.linspace(0, 60, 20, dtype=np.float32), (6, 1)), np.zeros((6, 20), np.float32)], -1)
    assert (flow_links(smooth)[:, :-1] & 1).all()


def test_flow_colours_name_directions():
    flow = np.zeros((1, 3, 2), np.float32)
    flow[0, 1] = (5, 0)
    flow[0, 2] = np.nan
    still, right, unknown = flow_colours(flow)[0]
    assert still.tolist() == [255, 255, 255]
    assert right[0] == 255
    assert right[1] < 10
    assert unknown.tolist() == [0, 0, 0]
    assert colour_wheel(33)[0, 0].tolist() == [255, 255, 255]


def test_landing_bounds_are_the_extremes_of_what_lands() -> None:
    u, v = np.random.default_rng(0).uniform(-50, 50, (2, 600, 500)).astype(np.float32)
    landed = np.random.default_rng(1).random(u.shape) < 0.4
    grid = (np.where(landed, u, np.nan), np.where(landed, v, np.nan), landed.astype(np.float32))
    expected = (u[landed].min(), v[landed].min(), u[landed].max(), v[landed].max())
    assert landing_bounds(grid) == pytest.approx(expected)
    assert landing_bounds((u, v, np.zeros_like(u))) is None


def test_putting_flow_writes_what_the_whole_field_has_where_it_is_owned() -> None:
    grid = moved_grid(inverse_of(slanted_floor()), CAMERA, CAMERA, MOTION.matrix)
    nearest = rasterise_grid(*grid, surface_links(grid[2], grid[2] > 0), WIDTH, HEIGHT).inverse_depth
    owned = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.5
    flow, visible = np.zeros((HEIGHT, WIDTH, 2), np.float32), np.zeros((HEIGHT, WIDTH), bool)
    put_flow(grid, (0, 0), nearest, owned, flow, visible)
    assert np.array_equal(flow, np.where(owned[..., None], flow_of_grid(grid), 0), equal_nan=True)
    assert np.array_equal(visible, owned & visible_in_target(grid, nearest))
