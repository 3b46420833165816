import numpy as np
import pytest

from core.errors import InvalidInput
from core.maths import mask


def disc(radius: float, width: int = 80, height: int = 60, x: float = 40, y: float = 30) -> np.ndarray:
    ys, xs = np.mgrid[:height, :width]
    return np.round(255 * np.clip(radius + 0.5 - np.hypot(xs - x, ys - y), 0, 1)).astype(np.uint8)


@pytest.mark.parametrize("radius", [1, 3, 8, 12])
def test_growing_a_disc_gives_the_wider_disc(radius):
    grown = mask.grow(disc(12), radius) >= 128
    assert (grown ^ (disc(12 + radius) >= 128)).sum() <= 0.06 * grown.sum()


@pytest.mark.parametrize("radius", [2, 5, 11])
def test_shrinking_undoes_growing(radius):
    there_and_back = mask.shrink(mask.grow(disc(14), radius), radius)
    assert ((there_and_back >= 128) ^ (disc(14) >= 128)).mean() < 0.01


def test_shrink_leaves_the_pictures_border_alone():
    full = np.full((20, 30), 255, np.uint8)
    assert (mask.shrink(full, 5) == 255).all()


def test_shrinking_everything_away_leaves_nothing():
    assert not mask.shrink(disc(4), 12).any()


def test_grow_and_shrink_by_nothing_change_nothing():
    assert (mask.grow(disc(9), 0) == disc(9)).all()
    assert (mask.shrink(disc(9), 0) == disc(9)).all()


def test_feather_keeps_the_area_and_softens_the_edge():
    soft = mask.feather(disc(12), 3)
    assert abs(soft.sum(dtype=float) / disc(12).sum(dtype=float) - 1) < 0.01
    assert ((soft > 20) & (soft < 235)).sum() > ((disc(12) > 20) & (disc(12) < 235)).sum()


def test_a_lasso_fills_its_inside():
    square = np.array([[10.0, 10.0], [30.0, 10.0], [30.0, 25.0], [10.0, 25.0]])
    filled = mask.polygon_mask(square, 50, 40)
    assert filled[17, 20] == 255
    assert filled[5, 20] == 0
    assert abs((filled >= 128).sum() - 21 * 16) <= 40


def test_a_lasso_far_outside_is_clipped():
    around = np.array([[-1e9, -1e9], [1e9, -1e9], [1e9, 1e9], [-1e9, 1e9]])
    assert (mask.polygon_mask(around, 12, 9) == 255).all()


def test_a_box_is_exact_and_clipped():
    assert (mask.box_mask(2, 3, 5, 4, 10, 8) > 0).sum() == 4 * 2
    assert (mask.box_mask(-5, -5, 50, 50, 10, 8) == 255).all()


def test_a_hard_stroke_has_its_width_and_ends_round():
    painted = mask.stroke(np.array([[20.0, 30.0], [60.0, 30.0]]), 6, 1.0, 80, 60)
    assert painted[30, 40] == painted[25, 40] == 255
    assert painted[38, 40] == 0
    assert painted[30, 15] == 255
    assert painted[35, 15] == 0


def test_a_soft_stroke_falls_off_steadily():
    painted = mask.stroke(np.array([[40.0, 30.0]]), 20, 0.2, 80, 60)[30, 40:61].astype(int)
    assert painted[0] == 255
    assert (np.diff(painted) <= 0).all()
    assert 80 < painted[12] < 180


def test_a_stroke_outside_paints_nothing():
    assert not mask.stroke(np.array([[500.0, 500.0]]), 5, 1.0, 80, 60).any()


def test_combining():
    left, right = mask.box_mask(0, 0, 5, 7, 10, 8), mask.box_mask(4, 0, 9, 7, 10, 8)
    assert (mask.combine(left, right, "add") == 255).all()
    assert (mask.combine(left, right, "subtract") > 0).sum() == 4 * 8
    assert (mask.combine(left, right, "intersect") > 0).sum() == 2 * 8
    assert (mask.invert(mask.invert(left)) == left).all()


def test_parts_come_largest_first():
    two = mask.combine(disc(10, x=20), disc(5, x=60), "add")
    found = mask.parts(two)
    assert len(found) == 2
    assert found[0].sum() > found[1].sum()
    assert found[0][30, 20]
    assert found[1][30, 60]


def test_clean_removes_specks_and_holes_but_never_the_object():
    dirty = mask.combine(disc(15), disc(1, x=5, y=5), "add")
    dirty = mask.combine(dirty, disc(1.5), "subtract")
    cleaned = mask.clean(dirty, 40)
    assert cleaned[5, 5] == 0
    assert cleaned[30, 40] == 255
    assert ((cleaned >= 128) == (disc(15) >= 128)).all()
    assert mask.clean(disc(1), 40).any()


def test_the_boundary_band_is_around_the_edge_only():
    band = mask.boundary_band(disc(15), 3)
    ys, xs = np.nonzero(band)
    off = np.abs(np.hypot(xs - 40, ys - 30) - 15)
    assert band.any()
    assert off.max() < 5


def test_bounding_box_and_centroid():
    assert mask.bounding_box(mask.box_mask(2, 3, 5, 4, 10, 8)) == (2, 3, 5, 4)
    assert mask.centroid(mask.box_mask(2, 3, 5, 4, 10, 8)) == pytest.approx((3.5, 3.5))
    assert mask.bounding_box(np.zeros((3, 3), np.uint8)) is None
    assert mask.centroid(np.zeros((3, 3), np.uint8)) is None


def test_the_outline_follows_the_edge_and_shows_holes():
    ring = mask.combine(disc(20), disc(8), "subtract")
    polygons = mask.outline(ring)
    assert len(polygons) == 2
    assert np.abs(np.hypot(*(polygons[0] - [40, 30]).T) - 20).max() < 1.5
    assert np.abs(np.hypot(*(polygons[1] - [40, 30]).T) - 8).max() < 2.0
    assert mask.outline(np.zeros((5, 5), np.uint8)) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda: mask.grow(disc(5), float("nan")),
        lambda: mask.shrink(disc(5), -1),
        lambda: mask.polygon_mask(np.zeros((2, 2)), 5, 5),
        lambda: mask.polygon_mask(np.full((3, 2), np.nan), 5, 5),
        lambda: mask.box_mask(20, 20, 30, 30, 10, 8),
        lambda: mask.stroke(np.zeros((0, 2)), 5, 1, 10, 8),
        lambda: mask.stroke(np.zeros((1, 2)), 0, 1, 10, 8),
        lambda: mask.combine(disc(5), disc(5, 81), "add"),
    ],
)
def test_bad_values_are_refused(call):
    with pytest.raises(InvalidInput):
        call()
