"""Rendered solids against geometry known in closed form."""

import numpy as np
import pytest

from core.maths.raycast import BALL, BOX, CYLINDER, NOTHING, Light, Solids, render_solids, texture_levels
from core.types.camera import Intrinsics

CAMERA = Intrinsics(50.0, 50.0, 31.5, 23.5, 64, 48)
LIGHT = Light((0.0, -3.0, 0.0), 0.6, 0.4, (200.0, 200.0, 200.0), 1e6)
GRAY = texture_levels(np.full((1, 32, 32, 3), 128, np.uint8))
SKY = np.full((48, 64, 3), 250, np.float32)


def solids(*parts: tuple[int, tuple[float, float, float], tuple[float, float, float]]) -> Solids:
    matrices = np.stack([np.eye(4)] * len(parts))
    for matrix, (_, centre, half) in zip(matrices, parts, strict=True):
        matrix[:3, :3] = np.diag(half)
        matrix[:3, 3] = centre
    count = len(parts)
    return Solids(
        np.array([kind for kind, _, _ in parts], np.int32), matrices, np.zeros(count, np.int32),
        np.ones(count, np.float32), np.ones((count, 3), np.float32), np.zeros(count, np.float32),
    )  # fmt: skip


def rays() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:48, :64]
    return (x - CAMERA.cx) / CAMERA.fx, (y - CAMERA.cy) / CAMERA.fy


def test_a_box_seen_from_the_front_has_the_depth_of_its_face() -> None:
    drawn = render_solids(solids((BOX, (0, 0, 3.0), (0.5, 0.5, 0.5))), CAMERA, LIGHT, GRAY, SKY)
    dx, dy = rays()
    inside = (abs(2.5 * dx) < 0.5) & (abs(2.5 * dy) < 0.5)
    np.testing.assert_array_equal(drawn.solid == 0, inside)
    np.testing.assert_allclose(drawn.depth[inside], 2.5, rtol=1e-5)
    assert (drawn.depth[~inside] == 0).all()
    np.testing.assert_array_equal(drawn.picture[0, 0], [250, 250, 250])


def test_a_ball_has_the_depth_of_the_quadratic_equation() -> None:
    drawn = render_solids(solids((BALL, (0.2, -0.1, 4.0), (1.0, 1.0, 1.0))), CAMERA, LIGHT, GRAY, SKY)
    dx, dy = rays()
    a, b, c = dx**2 + dy**2 + 1, 0.2 * dx - 0.1 * dy + 4.0, 0.2**2 + 0.1**2 + 16.0 - 1.0
    inside = b * b - a * c > 1e-3
    wanted = (b - np.sqrt(np.maximum(b * b - a * c, 0))) / a
    np.testing.assert_allclose(drawn.depth[inside], wanted[inside], rtol=1e-4)


def test_a_cylinder_is_as_wide_as_its_radius_and_ends_at_its_height() -> None:
    drawn = render_solids(solids((CYLINDER, (0, 0, 5.0), (1.0, 1.5, 1.0))), CAMERA, LIGHT, GRAY, SKY)
    dx, dy = rays()
    tangent = 1 / np.sqrt(5.0**2 - 1)
    assert (drawn.solid[abs(dx) > tangent + 0.02] == NOTHING).all()
    middle = drawn.depth[24, 31]
    assert middle == pytest.approx(4.0, rel=1e-3)
    assert (drawn.solid[abs(dy) > 1.5 / 4.0 + 0.02] == NOTHING).all()


def test_a_room_is_seen_from_inside() -> None:
    drawn = render_solids(solids((BOX, (0, 0, 0), (2.0, 1.5, 4.0))), CAMERA, LIGHT, GRAY, SKY)
    dx, dy = rays()
    wanted = np.minimum(np.minimum(2.0 / np.maximum(abs(dx), 1e-9), 1.5 / np.maximum(abs(dy), 1e-9)), 4.0)
    np.testing.assert_allclose(drawn.depth, wanted, rtol=1e-4)


def test_the_nearer_solid_hides_the_farther_whatever_their_order() -> None:
    near, far = (BOX, (0, 0, 2.0), (0.3, 0.3, 0.1)), (BOX, (0, 0, 5.0), (5.0, 5.0, 0.1))
    first = render_solids(solids(near, far), CAMERA, LIGHT, GRAY, SKY)
    second = render_solids(solids(far, near), CAMERA, LIGHT, GRAY, SKY)
    np.testing.assert_array_equal(first.depth, second.depth)
    np.testing.assert_array_equal(first.solid, 1 - second.solid)
    assert first.solid[24, 32] == 0
    assert first.solid[2, 2] == 1


def test_a_lamp_casts_a_shadow_on_the_floor_below_a_ball() -> None:
    floor, ball = (BOX, (0, 1.1, 4.0), (6.0, 0.1, 6.0)), (BALL, (0, 0.2, 4.0), (0.3, 0.3, 0.3))
    light = Light((0.0, -30.0, 4.0), 0.8, 0.2, (0.0, 0.0, 0.0), 1e6)
    lit = render_solids(solids(floor, ball), CAMERA, light, GRAY, SKY)
    dark = lit.picture[lit.solid == 0].min()
    without = Light(light.position, 0.8, 0.2, light.haze, 1e6, shadows=False)
    bright = render_solids(solids(floor, ball), CAMERA, without, GRAY, SKY)
    assert dark < 0.5 * bright.picture[bright.solid == 0].min()
    below = round(CAMERA.cy + CAMERA.fy * 1.0 / 4.0), 32
    assert lit.picture[below].max() == dark
