"""Laws of rotations, rigid transforms and similarities."""

import numpy as np
import pytest

from core.errors import InvalidInput
from core.maths.rigid import (
    about_point,
    along_ground,
    axis_rotation,
    compose,
    euler_deg_from_rotation,
    ground_axes,
    invert,
    placement_matrix,
    placement_of_motion,
    pose,
    quaternion_from_rotation,
    rotation_from_euler_deg,
    rotation_from_quaternion,
    transform,
    twist_about,
)
from core.types.camera import Pose
from core.types.scene import Placement

RNG = np.random.default_rng(3)


def random_pose() -> Pose:
    return pose(axis_rotation(tuple(RNG.normal(size=3)), RNG.uniform(-3, 3)), RNG.normal(size=3))


@pytest.mark.parametrize("_", range(8))
def test_composition_associates_and_inverse_undoes(_):
    a, b, c = random_pose(), random_pose(), random_pose()
    assert np.allclose(compose(compose(a, b), c).matrix, compose(a, compose(b, c)).matrix)
    assert np.allclose(compose(a, invert(a)).matrix, np.eye(4))
    points = RNG.normal(size=(5, 3))
    assert np.allclose(transform(compose(a, b).matrix, points), transform(a.matrix, transform(b.matrix, points)))


@pytest.mark.parametrize("angle", [0.0, 1e-9, 0.4, np.pi / 2, np.pi - 1e-9, np.pi])
@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, -2, 3)])
def test_quaternions_and_rotations_are_the_same(axis, angle):
    rotation = axis_rotation(axis, angle)
    quaternion = quaternion_from_rotation(rotation)
    assert np.isclose(np.linalg.norm(quaternion), 1)
    assert quaternion[0] >= 0
    assert np.allclose(rotation_from_quaternion(quaternion), rotation, atol=1e-12)


@pytest.mark.parametrize("angles", [(10, 20, 30), (-170, 80, 5), (0, 90, 40), (0, -90, -40), (180, 0, 0)])
def test_euler_angles_give_the_same_rotation_back(angles):
    rotation = rotation_from_euler_deg(*angles)
    assert np.allclose(rotation_from_euler_deg(*euler_deg_from_rotation(rotation)), rotation, atol=1e-7)


def test_euler_order_is_z_after_y_after_x():
    assert np.allclose(rotation_from_euler_deg(0, 0, 90) @ [1, 0, 0], [0, 1, 0])
    both = rotation_from_euler_deg(90, 0, 90)
    assert np.allclose(both @ [0, 1, 0], [0, 0, 1])


def test_turning_about_a_point_leaves_it():
    point = (1.0, -2.0, 3.0)
    assert np.allclose(transform(about_point(axis_rotation((1, 2, 3), 0.7), point).matrix, np.array(point)), point)


def test_placement_turns_and_scales_about_the_pivot_then_moves():
    placement = Placement((1.0, 0.0, 0.0), quaternion_from_rotation(axis_rotation((0, 1, 0), 0.5)), 2.0)
    pivot = (0.5, 1.0, 4.0)
    matrix = placement_matrix(placement, pivot)
    assert np.allclose(transform(matrix, np.array(pivot)), np.add(pivot, (1, 0, 0)))
    ends = transform(matrix, np.array([pivot, np.add(pivot, (0, 0.3, 0.4))]))
    assert np.isclose(np.linalg.norm(ends[1] - ends[0]), 1.0)
    assert np.array_equal(placement_matrix(Placement(), pivot), np.eye(4))


def test_a_rigid_motion_is_a_placement_about_any_pivot() -> None:
    motion = pose(axis_rotation((0.2, 1.0, -0.3), 0.7), (0.3, -0.1, 0.4))
    for pivot in ((0.0, 0.0, 0.0), (0.5, -1.0, 3.0)):
        placement = placement_of_motion(motion, pivot)
        assert placement.scale == 1.0
        np.testing.assert_allclose(placement_matrix(placement, pivot), motion.matrix, atol=1e-12)


@pytest.mark.parametrize("up", [(0, -1, 0), (0.1, -0.9, -0.4), (1, 0, 0)])
def test_ground_axes_are_orthonormal_and_look_away(up):
    up = tuple(np.array(up) / np.linalg.norm(up))
    axes = ground_axes(up)
    assert np.allclose(axes @ axes.T, np.eye(3))
    assert np.allclose(axes[1], up)


def test_level_ground_axes_are_the_cameras():
    assert np.allclose(ground_axes((0.0, -1.0, 0.0)), [[1, 0, 0], [0, -1, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    "matrix",
    [np.diag([1.0, 1, 2, 1]), np.diag([1.0, 1, -1, 1]), np.full((4, 4), np.nan), np.zeros((4, 4))],
    ids=["scale", "mirror", "nan", "singular"],
)
def test_a_pose_must_be_rigid(matrix):
    with pytest.raises(InvalidInput, match="pose"):
        Pose(matrix)


def test_along_the_ground_nothing_rises_and_only_the_twist_remains():
    up = tuple((-axis_rotation((1, 0, 0), 0.4)[:, 1]).tolist())
    tip, twist = axis_rotation(tuple(ground_axes(up)[0].tolist()), 0.5), axis_rotation(up, 0.8)
    placement = Placement((0.3, -0.7, 1.1), quaternion_from_rotation(twist @ tip), 1.4)
    flat = along_ground(placement, up)
    assert np.dot(flat.translation, up) == pytest.approx(0, abs=1e-12)
    lifted = np.subtract(placement.translation, flat.translation)
    assert np.allclose(lifted, np.dot(lifted, up) * np.array(up))
    assert np.allclose(rotation_from_quaternion(flat.rotation), twist)
    assert flat.scale == 1.4
    assert along_ground(Placement(), up) == Placement()


@pytest.mark.parametrize("angle", [-3.0, -0.2, 0.0, 1.3])
def test_the_twist_about_the_own_axis_is_the_angle(angle):
    axis = tuple((np.array([1.0, 2.0, -2.0]) / 3).tolist())
    assert twist_about(axis_rotation(axis, angle), axis) == pytest.approx(angle)
