"""G, R and S gestures."""

import numpy as np
import pytest

from app.viewport.geometry import Snap
from app.viewport.modal import Gesture, Grip, placement_of_gesture
from core.maths.camera import project
from core.maths.rigid import axis_rotation, placement_matrix, rotation_from_quaternion, transform
from core.types.camera import Camera, Intrinsics
from core.types.depth import Ground
from core.types.scene import Placement

LENS = Intrinsics(600.0, 600.0, 449.5, 319.5, 900, 640)
PIVOT = (0.2, 0.5, 4.0)
GROUND = Ground((0.0, -0.8, -0.6), 1.0)


def grip(ground: Ground | None = None) -> Grip:
    return Grip(Placement(), PIVOT, np.eye(3), ground, Camera(LENS))


def centre_on_screen(placement: Placement) -> np.ndarray:
    return project(LENS, transform(placement_matrix(placement, PIVOT), np.array(PIVOT)))


@pytest.mark.parametrize("ground", [None, GROUND])
def test_moved_object_follows_the_pointer(ground):
    gesture = Gesture("move", (400.0, 300.0), (460.0, 280.0))
    result = placement_of_gesture(gesture, grip(ground), Snap())
    assert centre_on_screen(result) - centre_on_screen(Placement()) == pytest.approx([60.0, -20.0], abs=1e-6)
    normal = np.array(GROUND.up) if ground else np.array([0, 0, 1.0])
    assert np.dot(result.translation, normal) == pytest.approx(0.0, abs=1e-9)


def test_axis_typed_fine_and_snap():
    typed = placement_of_gesture(Gesture("move", (0, 0), (50, 50), axis=2, typed=-1.5), grip(), Snap())
    assert typed.translation == pytest.approx((0, 0, -1.5))
    along = placement_of_gesture(Gesture("move", (0, 0), (60, 90), axis=0), grip(), Snap())
    assert along.translation == pytest.approx((60 * 4.0 / 600, 0, 0), rel=1e-6)
    fine = placement_of_gesture(Gesture("move", (0, 0), (60, 90), axis=0, fine=True), grip(), Snap())
    assert fine.translation[0] == pytest.approx(along.translation[0] / 10)
    snap = placement_of_gesture(Gesture("move", (0, 0), (60, 90), axis=0, snap=True), grip(), Snap(distance=0.25))
    assert snap.translation == pytest.approx((0.5, 0, 0))


def test_turn_by_typed_angle_and_with_the_pointer():
    typed = placement_of_gesture(Gesture("turn", (0, 0), (0, 0), axis=1, typed=30.0), grip(), Snap())
    assert rotation_from_quaternion(typed.rotation) == pytest.approx(axis_rotation((0, 1, 0), np.radians(30)))
    x, y = centre_on_screen(Placement())
    quarter = placement_of_gesture(Gesture("turn", (x + 100, y), (x, y + 100)), grip(), Snap())
    # The point right of the centre follows the pointer down the screen.
    right = transform(placement_matrix(quarter, PIVOT), np.add(PIVOT, (0.5, 0, 0)))
    assert project(LENS, right) - [x, y] == pytest.approx([0, 75], abs=1.0)


def test_size_follows_the_distance_from_the_centre_within_limits():
    x, y = centre_on_screen(Placement())
    double = placement_of_gesture(Gesture("size", (x + 50, y), (x + 100, y)), grip(), Snap())
    assert double.scale == pytest.approx(2.0)
    huge = placement_of_gesture(Gesture("size", (x + 50, y), (x, y), typed=1e9), grip(), Snap())
    assert huge.scale == 100.0
