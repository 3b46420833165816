"""Layers that show a given picture: laws on random colours."""

import numpy as np
import pytest

from core.maths.unmix import laid_over, least_alpha, unmixed

RNG = np.random.default_rng(5)
TARGET, UNDER = RNG.random((2, 4000, 3), dtype=np.float32)
NONE, FULL = np.zeros_like(TARGET), np.ones_like(TARGET)


def test_the_least_alpha_shows_the_target_and_a_smaller_one_cannot() -> None:
    alpha = least_alpha(TARGET, UNDER, NONE, FULL)
    over = unmixed(TARGET, UNDER, alpha)
    assert np.abs(alpha[:, None] * over + (1 - alpha[:, None]) * UNDER - TARGET).max() < 1e-5
    less = 0.9 * alpha
    over = unmixed(TARGET, UNDER, less)
    missed = np.abs(less[:, None] * over + (1 - less[:, None]) * UNDER - TARGET).max(1)
    assert (missed[alpha > 0.05] > 1e-3).all()


def test_colours_stay_within_the_range_that_is_asked_for() -> None:
    low, high = np.maximum(TARGET - 0.1, 0), np.minimum(TARGET + 0.2, 1)
    alpha = least_alpha(TARGET, UNDER, low, high)
    over = unmixed(TARGET, UNDER, alpha)
    assert (alpha <= 1 + 1e-6).all()
    assert ((over >= low - 1e-4) & (over <= high + 1e-4)).all()


def test_nothing_is_needed_where_the_target_shows_already() -> None:
    assert (least_alpha(TARGET, TARGET, NONE, FULL) == 0).all()
    assert np.array_equal(unmixed(TARGET, UNDER, np.zeros(len(TARGET), np.float32)), TARGET)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_laid_over_is_source_over_rounded(dtype: type) -> None:
    full = np.iinfo(dtype).max
    over, under = (np.rint(values * full).astype(dtype) for values in (TARGET, UNDER))
    alpha = np.rint(RNG.random(len(over)) * full).astype(dtype)
    expected = (over * (alpha[:, None] / full) + under * (1 - alpha[:, None] / full)).round()
    assert np.abs(laid_over(over, under, alpha) - expected).max() == 0
    assert np.array_equal(laid_over(over, under, np.full(len(over), full, dtype)), over)
