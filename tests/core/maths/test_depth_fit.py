"""Estimated depth takes the scale of a few measured pixels."""

import numpy as np
import pytest

from core.errors import InvalidInput
from core.maths.depth_fit import fitted_to, line_fit
from core.types.depth import DepthMap

ROWS, COLUMNS = 60, 80


@pytest.fixture
def truth():
    y, x = np.mgrid[:ROWS, :COLUMNS]
    return (1.0 / (0.1 + 0.004 * y + 0.001 * x)).astype(np.float32)


def depth(values, valid=None, scale="relative", upright=False):
    valid = np.ones(values.shape, bool) if valid is None else valid
    return DepthMap(values.astype(np.float32), valid, scale, "made", upright)


def sparse(truth, count=60, wrong=0):
    rng = np.random.default_rng(1)
    valid, values = np.zeros(truth.shape, bool), truth.copy()
    chosen = rng.choice(truth.size, count, replace=False)
    valid.flat[chosen] = True
    values.flat[chosen[:wrong]] *= 4
    return depth(values, valid, "metric")


def test_factor_and_offset_of_inverse_depth_are_found(truth):
    made = depth(1.0 / (0.4 / truth + 0.07))
    found = fitted_to(made, sparse(truth))
    np.testing.assert_allclose(found.values, truth, rtol=1e-3)
    assert (found.scale, found.source) == ("metric", "made, fitted to made")


def test_a_fifth_of_wrong_pixels_does_not_matter(truth):
    found = fitted_to(depth(1.0 / (0.4 / truth + 0.07)), sparse(truth, wrong=12))
    np.testing.assert_allclose(found.values, truth, rtol=0.01)


def test_measured_depth_of_another_size_will_do(truth):
    found = fitted_to(depth(3.0 * truth[::2, ::2]), sparse(truth, count=2000))
    np.testing.assert_allclose(found.values, truth[::2, ::2], rtol=0.04)


@pytest.mark.parametrize(("upright", "turned"), [(True, False), (False, True)])
def test_a_layout_and_contradicted_depth_take_a_factor_only(truth, upright, turned):
    made = depth(
        1.0 / (0.02 + 1.0 / truth.max() + 1.0 / truth.min() - 1.0 / truth) if turned else 2.0 * truth + 1,
        upright=upright,
    )
    found = fitted_to(made, sparse(truth))
    ratio = found.values / made.values
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-5)
    assert found.upright_objects == upright


def test_what_would_lie_behind_infinity_is_far(truth):
    made = depth(1.0 / (1.0 / truth + 0.5))
    near = truth.copy()
    valid = np.zeros(truth.shape, bool)
    valid[40:44, 20:60] = True
    made_values = made.values.copy()
    made_values[0, 0] = 1e4
    found = fitted_to(depth(made_values), depth(near, valid, "metric"))
    assert found.values[0, 0] == pytest.approx(4 * truth[40:44, 20:60].max(), rel=1e-4)


def test_too_few_pixels_are_refused(truth):
    with pytest.raises(InvalidInput, match="at least 12"):
        fitted_to(depth(truth), sparse(truth, count=5))


def test_a_line_through_what_does_not_vary_is_level():
    assert line_fit(np.ones(4), np.array([1.0, 2.0, 3.0, 4.0])) == (0.0, 2.5)
