"""Laws of the 3D view's screen and gizmo maths."""

import numpy as np
import pytest

from app.viewport.geometry import (
    PICTURE_SHARE,
    Snap,
    axis_angle,
    constrained_to_ground,
    gizmo_axes,
    gizmo_from_object,
    gizmo_pose,
    letterbox,
    orbit_axis,
    placement_of_gizmo,
    screen_intrinsics,
    snapped,
)
from core.maths.camera import project, unproject
from core.maths.rigid import axis_rotation, quaternion_from_rotation, rotation_from_quaternion
from core.types.camera import Intrinsics
from core.types.depth import Ground
from core.types.scene import Placement

TILTED = Ground((0.0, -0.8, -0.6), 1.0)
TURNED = Placement((0.3, -0.2, 1.0), quaternion_from_rotation(axis_rotation((1, 2, 3), 0.7)), 1.5)
PIVOT = (0.5, 0.25, 4.0)


@pytest.mark.parametrize("aspect", [0.5, 1.0, 1.5, 2.4])
@pytest.mark.parametrize(
    "lens",
    [
        Intrinsics(500, 500, 319.5, 239.5, 640, 480),
        Intrinsics(995, 995, 311.2, 254.9, 741, 500),
        Intrinsics(400, 500, 100.0, 400.0, 640, 480),
    ],
)
def test_photo_pixel_lands_inside_letterbox_where_canvas_camera_sees_it(lens, aspect):
    width, height = 600.0 * aspect, 600.0
    box = letterbox(lens, width / height)
    canvas = screen_intrinsics(box.fov_y, width, height)
    for x, y in [(-0.5, -0.5), (lens.width - 0.5, lens.height - 0.5), (17.0, 300.0)]:
        seen = project(canvas, unproject(lens, np.array([x, y]), np.array(3.0)))
        across, down = (x + 0.5) / lens.width, (y + 0.5) / lens.height
        expected = (
            (box.left + across * (box.right - box.left)) * width - 0.5,
            (box.top + down * (box.bottom - box.top)) * height - 0.5,
        )
        assert seen == pytest.approx(expected, abs=1e-6)
    assert min(box.left, box.top, 1 - box.right, 1 - box.bottom) == pytest.approx((1 - PICTURE_SHARE) / 2)


@pytest.mark.parametrize("space", ["world", "local", "ground"])
def test_reading_an_untouched_gizmo_returns_the_placement(space):
    axes = gizmo_axes(space, TURNED, TILTED)
    assert axes.T @ axes == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    back = placement_of_gizmo(gizmo_pose(TURNED, PIVOT, axes), gizmo_from_object(TURNED, axes), PIVOT, TURNED.scale)
    assert back.translation == pytest.approx(TURNED.translation)
    assert rotation_from_quaternion(back.rotation) == pytest.approx(rotation_from_quaternion(TURNED.rotation))
    assert back.scale == TURNED.scale


def test_ground_axes_point_right_away_and_up():
    axes = gizmo_axes("ground", Placement(), TILTED)
    assert axes[:, 2] == pytest.approx(TILTED.up)
    assert axes[0, 0] > 0.9
    assert axes[2, 1] > 0.5


def test_snapping_rounds_moves_along_the_axes_and_turns_about_their_axis():
    axes = gizmo_axes("ground", Placement(), TILTED)
    moved = axes @ np.array([0.26, -0.11, 0.04])
    after = Placement(
        (moved[0], moved[1], moved[2]), quaternion_from_rotation(axis_rotation(TILTED.up, np.radians(37)))
    )
    result = snapped(Placement(), after, Snap(distance=0.1, angle_deg=15.0), axes)
    assert axes.T @ result.translation == pytest.approx([0.3, -0.1, 0.0], abs=1e-12)
    axis, angle = axis_angle(rotation_from_quaternion(result.rotation))
    assert np.degrees(angle) == pytest.approx(30.0)
    assert axis == pytest.approx(TILTED.up)
    assert snapped(Placement(), after, Snap(), axes) == after


def test_sliding_keeps_the_object_on_the_ground():
    result = constrained_to_ground(Placement(), TURNED, TILTED)
    assert np.dot(result.translation, TILTED.up) == pytest.approx(0.0, abs=1e-12)
    assert rotation_from_quaternion(result.rotation) @ TILTED.up == pytest.approx(TILTED.up)
    assert constrained_to_ground(Placement(), result, TILTED).translation == pytest.approx(result.translation)


def test_an_orbit_turns_about_the_vertical_where_the_camera_stands_level():
    assert orbit_axis(np.eye(3), TILTED.up) == pytest.approx(TILTED.up)


def test_an_orbit_axis_never_rolls_the_camera_that_it_starts_from():
    rolled = axis_rotation((0, 0, 1), 0.3) @ axis_rotation((1, 0, 0), 0.4)
    axis = orbit_axis(rolled, TILTED.up)
    right = np.cross(rolled[2], axis)
    assert np.linalg.norm(axis) == pytest.approx(1.0)
    assert right / np.linalg.norm(right) == pytest.approx(rolled[0])


@pytest.mark.parametrize("rotation", [axis_rotation((1, 0, 0), np.pi / 2), axis_rotation((0, 0, 1), np.pi)])
def test_a_camera_without_horizon_orbits_about_its_own_up(rotation):
    assert orbit_axis(rotation, (0.0, -1.0, 0.0)) == pytest.approx(-rotation[1])
