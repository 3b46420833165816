"""Forward warping: exact identity, no cracks, no rubber, nearest wins."""

import numpy as np
import pytest

from core.maths import raster
from core.maths.raster import InverseMap, rasterise_grid, surface_links

W, H = 40, 30
Y, X = np.mgrid[:H, :W].astype(np.float32)
FLAT = np.full((H, W), 0.5, np.float32)
ALL = np.ones((H, W), bool)


def warp(u: np.ndarray, v: np.ndarray, w: np.ndarray = FLAT, present: np.ndarray = ALL) -> InverseMap:
    return rasterise_grid(
        u.astype(np.float32), v.astype(np.float32), w.astype(np.float32), surface_links(w, present), W, H
    )


def test_identity_is_exact():
    where = warp(X, Y)
    assert where.covered.all()
    assert np.array_equal(where.x, X)
    assert np.array_equal(where.y, Y)


@pytest.mark.parametrize("shift", [(3.0, 0.0), (-2.25, 1.5), (0.3, -0.7)])
def test_shift_maps_back_exactly(shift):
    where = warp(X + shift[0], Y + shift[1])
    # Beyond the outermost centres a pixel repeats its own colour, so positions stay inside the picture.
    assert np.allclose(where.x[where.covered], (X - shift[0]).clip(0, W - 1)[where.covered], atol=3e-3)
    assert np.allclose(where.y[where.covered], (Y - shift[1]).clip(0, H - 1)[where.covered], atol=3e-3)


@pytest.mark.parametrize("scale", [0.5, 1.7, 3.2])
@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_a_scaled_and_turned_surface_has_no_cracks(scale, angle):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    u = cos * (X - W / 2) - sin * (Y - H / 2) + W / 2
    v = sin * (X - W / 2) + cos * (Y - H / 2) + H / 2
    where = warp(u, v)
    inner = np.hypot((X - W / 2), (Y - H / 2)) < 0.45 * scale * H
    assert where.covered[inner].all()


def test_a_depth_step_tears_cleanly_and_the_near_side_wins():
    near = X >= 20
    w = np.where(near, np.float32(1.0), np.float32(0.25))
    left = warp(np.where(near, X + 6, X), Y, w)
    gap = (X >= 20) & (X <= 25)
    assert not left.covered[gap].any()  # no rubber sheet
    assert left.covered[~gap].all()
    right = warp(np.where(near, X - 6, X), Y, w)
    covered_by_near = (X >= 14) & (X <= 33)
    assert np.allclose(right.inverse_depth[covered_by_near], 1.0)
    assert np.allclose(right.x[covered_by_near], (X + 6)[covered_by_near], atol=0.51)


def test_absent_pixels_draw_nothing():
    present = X < 20
    u = np.where(present, X, np.nan)
    where = warp(u, Y, np.where(present, FLAT, np.float32(0)), present)
    assert np.array_equal(where.covered, present)


def test_a_slope_is_not_a_step():
    w = 1.0 / (1.0 + 0.2 * Y)  # depth grows by much from row to row, yet steadily
    assert (surface_links(w.astype(np.float32), ALL)[1:-2, 1:-2] == 3).all()


def test_one_row_and_one_column_pictures():
    for shape in ((1, 7), (7, 1), (1, 1)):
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        w = np.ones(shape, np.float32)
        where = rasterise_grid(x, y, w, surface_links(w, np.ones(shape, bool)), shape[1], shape[0])
        assert np.array_equal(where.x, x)
        assert np.array_equal(where.y, y)


def test_large_grids_drawn_in_halves_are_the_same():
    rng = np.random.default_rng(5)
    w = (0.5 + 0.3 * (rng.random((60, 50)) > 0.7)).astype(np.float32)
    y, x = np.mgrid[:60, :50].astype(np.float32)
    u, v = x + 20 * w, y + 6 * w
    links = surface_links(w, np.ones(w.shape, bool))
    whole = rasterise_grid(u, v, w, links, 50, 60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raster, "_PARALLEL_FROM", 0)
        halves = rasterise_grid(u, v, w, links, 50, 60)
    for name in ("x", "y", "inverse_depth"):
        assert np.array_equal(getattr(whole, name), getattr(halves, name), equal_nan=True)


def test_an_origin_moves_the_window():
    w = np.where(X >= 20, np.float32(1.0), np.float32(0.25))
    u, v = (X + np.where(w == 1, 4.4, 0)).astype(np.float32), (Y + 0.1 * X).astype(np.float32)
    grid = (u, v, w, surface_links(w, ALL))
    whole = rasterise_grid(*grid, W, H)
    part = rasterise_grid(*grid, W - 9, H - 7, origin=(5, 3))
    for name in ("x", "y", "inverse_depth"):
        expected = getattr(whole, name)[3 : H - 4, 5 : W - 4]
        np.testing.assert_allclose(getattr(part, name), expected, atol=1e-4)
