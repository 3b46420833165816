"""Solids and points: what lies inside what, on exactly known shapes."""

import numpy as np
import pytest

from core.evaluation.standing import any_inside, surface_points
from core.maths.raycast import BALL, BOX, CYLINDER


def placed(half: tuple[float, float, float], centre: tuple[float, float, float]) -> np.ndarray:
    matrix = np.diag([*half, 1.0])
    matrix[:3, 3] = centre
    return matrix[None]


@pytest.mark.parametrize(
    ("kind", "inside", "outside"),
    [
        (BOX, (2.9, 0.45, 4.9), (2.9, 0.55, 4.9)),
        (BALL, (2.0, 0.45, 4.0), (2.9, 0.3, 4.0)),
        (CYLINDER, (2.0, 0.45, 4.9), (2.9, 0.0, 4.9)),
    ],
)
def test_a_point_inside_is_found(
    kind: int, inside: tuple[float, float, float], outside: tuple[float, float, float]
) -> None:
    matrices, kinds = placed((1.0, 0.5, 1.0), (2.0, 0.0, 4.0)), np.array([kind], np.int32)
    assert any_inside(np.array([outside, inside]), matrices, kinds)
    assert not any_inside(np.array([outside]), matrices, kinds)


@pytest.mark.parametrize("kind", [BOX, BALL, CYLINDER])
def test_surface_points_reach_all_sides_and_leave_none(kind: int) -> None:
    points = surface_points(placed((1.0, 0.5, 2.0), (0.0, 3.0, 0.0)), np.array([kind], np.int32))
    np.testing.assert_allclose(points.max(axis=0), (1.0, 3.5, 2.0))
    np.testing.assert_allclose(points.min(axis=0), (-1.0, 2.5, -2.0))
    grown = placed((1.01, 0.505, 2.02), (0.0, 3.0, 0.0))
    for point in points:
        assert any_inside(point[None], grown, np.array([kind], np.int32))
