"""Photo layers as Gaussians."""

import numpy as np
import pytest

from app.viewport.splats import OPACITY, layer_cloud, nearest_splat, with_underlay
from core.maths.camera import project
from core.types.camera import Intrinsics

LENS = Intrinsics(80.0, 80.0, 31.5, 23.5, 64, 48)


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)


def step_depth() -> np.ndarray:
    depth = np.full((48, 64), 4.0, np.float32)
    depth[:, :20] = 2.0
    return depth


def test_every_masked_pixel_becomes_a_gaussian_of_its_own_colour():
    mask = np.zeros((48, 64), bool)
    mask[10:20, 30:50] = True
    rgb = picture()
    cloud = layer_cloud(rgb, step_depth(), LENS, mask * np.uint8(255))
    y, x = np.nonzero(mask)
    assert project(LENS, cloud.centres) == pytest.approx(np.stack([x, y], axis=1), abs=1e-4)
    assert (cloud.colours == rgb[mask]).all()


def test_a_soft_edge_becomes_opacity_at_any_budget():
    coverage = np.zeros((48, 64), np.uint8)
    coverage[10:40, 10:50], coverage[12:38, 12:48] = 100, 255
    fine = layer_cloud(picture(), step_depth(), LENS, coverage)
    assert set(np.round(fine.opacities / OPACITY * 255)) == {100.0, 255.0}
    coarse = layer_cloud(picture(), step_depth(), LENS, coverage, budget=200)
    assert coarse.opacities.min() < 0.8 < coarse.opacities.max()


def test_gaussians_are_flat_and_never_bridge_a_depth_jump():
    cloud = layer_cloud(picture(), step_depth(), LENS)
    values, vectors = np.linalg.eigh(cloud.covariances.astype(np.float64))
    footprint = cloud.centres[:, 2] / LENS.fx
    assert values[:, 0] == pytest.approx(np.zeros(len(cloud)), abs=1e-8)
    assert (np.sqrt(values[:, 2]) < 0.7 * footprint).all()
    assert np.abs(vectors[:, 2, 0]).min() > 0.99


def test_a_pixel_between_two_surfaces_is_left_out():
    depth = step_depth()
    depth[:, 20] = 3.0
    cloud = layer_cloud(picture(), depth, LENS)
    assert set(np.unique(cloud.centres[:, 2])) == {2.0, 4.0}


def test_steep_surface_is_covered_without_gaps():
    ys = np.arange(48, dtype=np.float32)
    depth = np.repeat((1.0 / (0.05 + 0.004 * ys))[:, None], 64, axis=1).astype(np.float32)
    cloud = layer_cloud(picture(), depth, LENS)
    gap = np.abs(np.diff(cloud.centres.reshape(48, 64, 3), axis=0))[..., 2]
    reach = np.sqrt(cloud.covariances[:, 2, 2]).reshape(48, 64)
    assert (reach[1:-1] > 0.45 * np.minimum(gap[1:], gap[:-1])).all()


def test_budget_is_met_and_depth_is_never_averaged():
    cloud = layer_cloud(picture(), step_depth(), LENS, budget=400)
    assert 300 <= len(cloud) <= 500
    assert set(np.unique(cloud.centres[:, 2])) == {2.0, 4.0}


def test_no_usable_pixel_gives_an_empty_cloud():
    depth = step_depth()
    depth[:] = np.nan
    assert len(layer_cloud(picture(), depth, LENS)) == 0


def test_underlay_lies_behind_the_far_side_of_a_jump_only():
    rgb, depth = picture(), step_depth()
    cloud = layer_cloud(rgb, depth, LENS)
    more = with_underlay(cloud, rgb, depth, LENS)
    added = more.centres[len(cloud) :]
    assert len(added) > 0
    assert added[:, 2].min() > 3.0
    flat = np.full((48, 64), 3.0, np.float32)
    level = layer_cloud(rgb, flat, LENS)
    assert with_underlay(level, rgb, flat, LENS) is level


def test_nearest_splat_takes_the_one_in_front():
    points = np.array([[0, 0, 4.0], [0, 0, 2.0], [1, 0, 1.0]], np.float32)
    assert nearest_splat(points, LENS, 31.5, 23.5, 2.0) == (1, 2.0)
    assert nearest_splat(points, LENS, 5.0, 5.0, 2.0) is None
