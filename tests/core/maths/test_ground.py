"""Finding the floor."""

import numpy as np
from scenes import CAMERA, HEIGHT, WIDTH, card_before_wall, slanted_floor

from core.maths.ground import fit_ground, plane_inverse_depth


def test_the_floor_is_found_through_noise_and_clutter():
    scene = slanted_floor(height=1.4, tilt=0.5)
    ground, depth = scene.estimate.ground, scene.estimate.depth
    rng = np.random.default_rng(2)
    values = depth.values * rng.normal(1.0, 0.004, depth.values.shape).astype(np.float32)
    values[20:60, 30:60] *= 0.7  # a box on the floor
    found = fit_ground(values, depth.valid, CAMERA)
    assert found is not None
    assert ground is not None
    assert np.degrees(np.arccos(np.clip(np.dot(found.up, ground.up), -1, 1))) < 1.0
    assert abs(found.height - ground.height) < 0.03


def test_a_wall_is_no_floor():
    depth = card_before_wall().estimate.depth
    assert fit_ground(depth.values, depth.valid, CAMERA) is None


def test_unmeasured_depth_has_no_floor():
    assert fit_ground(np.ones((HEIGHT, WIDTH), np.float32), np.zeros((HEIGHT, WIDTH), bool), CAMERA) is None


def test_a_plane_is_seen_from_above_only():
    scene = slanted_floor()
    ground = scene.estimate.ground
    assert ground is not None
    up = np.array(ground.up)
    inverse = plane_inverse_depth(CAMERA, up, -ground.height * up)
    assert np.allclose(inverse * scene.estimate.depth.values, 1, rtol=1e-5)
    assert not plane_inverse_depth(CAMERA, up, ground.height * up).any()
    level = plane_inverse_depth(CAMERA, np.array([0.0, -1.0, 0.0]), np.array([0.0, 1.5, 3.0]))
    assert not level[: HEIGHT // 2].any()
    assert (level[HEIGHT // 2 + 1 :] > 0).all()
