"""Rotations, rigid transforms and similarities in three dimensions (numpy float64).

Quaternions are unit (w, x, y, z). Euler angles are degrees, applied R = Rz Ry Rx.
"""

import numpy as np
from jaxtyping import Float, Float64

from core.types.camera import Pose
from core.types.scene import Placement, Quaternion, Vec3

Matrix3 = Float64[np.ndarray, "3 3"]
Matrix4 = Float64[np.ndarray, "4 4"]


def axis_rotation(axis: Vec3, angle: float) -> Matrix3:
    """Rotation by `angle` radians about `axis` (any length), right-handed (Rodrigues)."""
    unit = np.asarray(axis, dtype=np.float64)
    unit = unit / np.linalg.norm(unit)
    cross = np.array([[0, -unit[2], unit[1]], [unit[2], 0, -unit[0]], [-unit[1], unit[0], 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def rotation_from_euler_deg(x: float, y: float, z: float) -> Matrix3:
    """R = Rz Ry Rx for angles in degrees about the fixed axes."""
    rx, ry, rz = np.radians((x, y, z))
    return axis_rotation((0, 0, 1), rz) @ axis_rotation((0, 1, 0), ry) @ axis_rotation((1, 0, 0), rx)


def euler_deg_from_rotation(rotation: Matrix3) -> Vec3:
    """Angles (x, y, z) in degrees with R = Rz Ry Rx; y within [-90, 90], x = 0 at gimbal lock."""
    y = np.arcsin(np.clip(-rotation[2, 0], -1.0, 1.0))
    if np.cos(y) > 1e-9:
        x = np.arctan2(rotation[2, 1], rotation[2, 2])
        z = np.arctan2(rotation[1, 0], rotation[0, 0])
    else:
        x = 0.0
        z = np.arctan2(-rotation[0, 1], rotation[1, 1])
    return float(np.degrees(x)), float(np.degrees(y)), float(np.degrees(z))


def quaternion_from_rotation(rotation: Matrix3) -> Quaternion:
    """Unit quaternion with w >= 0 (largest-component branch, for accuracy at half turns)."""
    r = rotation
    squares = np.array([
        1 + r[0, 0] + r[1, 1] + r[2, 2],
        1 + r[0, 0] - r[1, 1] - r[2, 2],
        1 - r[0, 0] + r[1, 1] - r[2, 2],
        1 - r[0, 0] - r[1, 1] + r[2, 2],
    ])  # fmt: skip
    columns = np.array([
        [squares[0], r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]],
        [r[2, 1] - r[1, 2], squares[1], r[1, 0] + r[0, 1], r[0, 2] + r[2, 0]],
        [r[0, 2] - r[2, 0], r[1, 0] + r[0, 1], squares[2], r[2, 1] + r[1, 2]],
        [r[1, 0] - r[0, 1], r[0, 2] + r[2, 0], r[2, 1] + r[1, 2], squares[3]],
    ])  # fmt: skip
    quaternion = columns[int(np.argmax(squares))]
    quaternion = quaternion / np.linalg.norm(quaternion)
    if quaternion[0] < 0:
        quaternion = -quaternion
    w, x, y, z = (float(v) for v in quaternion)
    return w, x, y, z


def rotation_vector_deg(rotation: Matrix3) -> Float64[np.ndarray, "3"]:
    """Axis times angle in degrees, 0..180 long."""
    w, *vector = quaternion_from_rotation(rotation)
    sine = np.linalg.norm(vector)
    if sine == 0:
        return np.zeros(3)
    return np.asarray(vector) / sine * np.degrees(2 * np.arctan2(sine, w))


def rotation_from_quaternion(quaternion: Quaternion) -> Matrix3:
    """The rotation matrix of a quaternion of any non-zero length."""
    w, x, y, z = np.asarray(quaternion, dtype=np.float64) / np.linalg.norm(quaternion)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


def pose(rotation: Matrix3, translation: Vec3 | Float64[np.ndarray, "3"]) -> Pose:
    """A Pose from its parts."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = translation
    return Pose(matrix)


def compose(a_from_b: Pose, b_from_c: Pose) -> Pose:
    """a_from_c."""
    return Pose(a_from_b.matrix @ b_from_c.matrix)


def invert(a_from_b: Pose) -> Pose:
    """b_from_a."""
    rotation = a_from_b.rotation.T
    return pose(rotation, -rotation @ a_from_b.translation)


def transform(matrix: Matrix4, points: Float[np.ndarray, "*batch 3"]) -> Float64[np.ndarray, "*batch 3"]:
    """Apply a 4x4 affine matrix to points."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def about_point(rotation: Matrix3, point: Vec3 | Float64[np.ndarray, "3"]) -> Pose:
    """The rigid motion that turns everything about `point`."""
    centre = np.asarray(point, dtype=np.float64)
    return pose(rotation, centre - rotation @ centre)


def placement_matrix(placement: Placement, pivot: Vec3) -> Matrix4:
    """Similarity that takes an object from rest to its placement, in world axes."""
    centre = np.asarray(pivot)
    matrix = np.eye(4)
    matrix[:3, :3] = placement.scale * rotation_from_quaternion(placement.rotation)
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre + placement.translation
    return matrix


def twist_about(rotation: Matrix3, axis: Vec3) -> float:
    """Radians that a rotation turns about a unit axis, when what it does about other axes is left out."""
    w, *vector = quaternion_from_rotation(rotation)
    return 2.0 * float(np.arctan2(np.dot(vector, axis), w))


def along_ground(placement: Placement, up: Vec3) -> Placement:
    """What of a placement leaves the ground where it is: moves along it, turns about `up` (unit), size."""
    normal = np.asarray(up)
    moved = np.asarray(placement.translation)
    x, y, z = (moved - (moved @ normal) * normal).tolist()
    twist = twist_about(rotation_from_quaternion(placement.rotation), up)
    return Placement((x, y, z), quaternion_from_rotation(axis_rotation(up, twist)), placement.scale)


def placement_of_motion(motion: Pose, pivot: Vec3) -> Placement:
    """The placement whose `placement_matrix` is that rigid motion of the object, in world axes."""
    centre = np.asarray(pivot)
    x, y, z = (motion.rotation @ centre - centre + motion.translation).tolist()
    return Placement((x, y, z), quaternion_from_rotation(motion.rotation))


def ground_axes(up: Vec3) -> Matrix3:
    """Rows: right, up and away, an orthonormal frame of the ground as the photo's camera sees it.

    `right` is the camera's x axis laid onto the ground, `away` points from the camera into the scene.
    """
    up_axis = np.asarray(up, dtype=np.float64)
    right = np.array([1.0, 0.0, 0.0]) - up_axis[0] * up_axis
    if np.linalg.norm(right) < 1e-6:
        right = np.array([0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    away = np.cross(up_axis, right)
    return np.stack([right, up_axis, away])
