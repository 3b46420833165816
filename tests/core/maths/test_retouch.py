"""The depth brush: nearer, farther, flat and smooth, and nothing else."""

import numpy as np
import pytest

from core.errors import InvalidInput
from core.maths.retouch import retouched

ROWS, COLUMNS = 48, 64


@pytest.fixture
def inverse(rng):
    return (0.5 + 0.2 * rng.random((ROWS, COLUMNS))).astype(np.float32)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def known():
    known = np.ones((ROWS, COLUMNS), bool)
    known[20:24, 30:34] = False
    return known


def disc(radius=12.0):
    y, x = np.mgrid[:ROWS, :COLUMNS]
    return np.clip(radius - np.hypot(x - 32, y - 22), 0, 1).astype(np.float32)


@pytest.mark.parametrize("touch", ["push", "pull", "flatten", "smooth"])
def test_only_known_pixels_under_the_stroke_change(inverse, known, touch):
    changed = retouched(inverse, known, disc(), touch, 1.0, 12.0)
    outside = (disc() == 0) | ~known
    np.testing.assert_array_equal(changed[outside], inverse[outside])
    assert np.abs(changed - inverse)[~outside].max() > 0.01
    assert (changed[known] > 0).all()


def test_push_and_pull_undo_each_other_and_go_the_right_way(inverse, known):
    pushed = retouched(inverse, known, disc(), "push", 0.7, 12.0)
    inside = (disc() > 0) & known
    assert (pushed[inside] < inverse[inside]).all()
    np.testing.assert_allclose(retouched(pushed, known, disc(), "pull", 0.7, 12.0), inverse, rtol=1e-5)


def test_flatten_finds_the_plane_under_a_thing_that_sticks_out(known, rng):
    y, x = np.mgrid[:ROWS, :COLUMNS].astype(np.float32)
    plane = 0.2 + 0.002 * x + 0.004 * y
    bumpy = plane + 0.002 * rng.standard_normal(plane.shape).astype(np.float32)
    bumpy[18:22, 24:29] += 0.5
    flat = retouched(bumpy, known, disc(), "flatten", 1.0, 12.0)
    inside = (disc() == 1) & known
    assert np.abs(flat - plane)[inside].max() < 0.006


def test_smooth_keeps_a_plane_and_calms_noise(inverse, known):
    smooth = retouched(inverse, known, disc(), "smooth", 1.0, 12.0)
    inside = (disc() == 1) & known
    assert smooth[inside].std() < 0.4 * inverse[inside].std()
    x = np.mgrid[:ROWS, :COLUMNS][1].astype(np.float32)
    plane = 0.3 + 0.003 * x
    np.testing.assert_allclose(retouched(plane, known | True, disc(), "smooth", 1.0, 12.0), plane, rtol=1e-4)


@pytest.mark.parametrize("strength", [0.0, -0.5, 1.5, np.nan])
def test_a_strength_out_of_range_is_refused(inverse, known, strength):
    with pytest.raises(InvalidInput, match="strength"):
        retouched(inverse, known, disc(), "push", strength, 12.0)


def test_a_stroke_over_nothing_known_is_refused(inverse, known):
    with pytest.raises(InvalidInput, match="no known depth"):
        retouched(inverse, known & False, disc(), "push", 0.5, 12.0)
