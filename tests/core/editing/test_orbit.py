"""Orbits and poses are the same thing in two languages."""

import numpy as np
import pytest
from scenes import card_before_wall, slanted_floor

from core.editing.apply import new_project
from core.editing.orbit import Orbit, camera_from_orbit, orbit_of_camera, scene_centre
from core.maths.rigid import invert, transform


@pytest.fixture(params=[card_before_wall, slanted_floor])
def project(request):
    scene = request.param()
    return new_project(scene.photo, scene.estimate)


def test_orbit_round_trip(project):
    orbit = Orbit(yaw_deg=17.0, pitch_deg=-9.0, roll_deg=4.0, dolly=0.3, truck=(0.2, -0.1))
    again = orbit_of_camera(project, camera_from_orbit(project, orbit))
    assert np.allclose(
        [again.yaw_deg, again.pitch_deg, again.roll_deg, again.dolly, *again.truck],
        [17.0, -9.0, 4.0, 0.3, 0.2, -0.1],
        atol=1e-9,
    )


def test_the_null_orbit_is_exactly_home(project):
    assert np.array_equal(camera_from_orbit(project, Orbit()).matrix, np.eye(4))


@pytest.mark.parametrize("orbit", [Orbit(yaw_deg=20), Orbit(pitch_deg=15), Orbit(yaw_deg=-5, pitch_deg=8)])
def test_turning_keeps_the_centre_in_the_middle_at_its_distance(project, orbit):
    centre = np.array(scene_centre(project))
    assert np.allclose(transform(camera_from_orbit(project, orbit).matrix, centre), centre)


def test_positive_angles_go_right_and_up():
    scene = card_before_wall()
    project = new_project(scene.photo, scene.estimate)
    right = invert(camera_from_orbit(project, Orbit(yaw_deg=10))).translation
    up = invert(camera_from_orbit(project, Orbit(pitch_deg=10))).translation
    assert right[0] > 0
    assert abs(right[1]) < 1e-12
    assert up[1] < 0
    assert abs(up[0]) < 1e-12
