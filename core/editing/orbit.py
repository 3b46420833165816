"""Camera moves in a photographer's words, to and from a pose."""

from dataclasses import dataclass

import numpy as np

from core.editing.apply import scene_up
from core.maths.rigid import about_point, axis_rotation, compose, ground_axes, invert, pose
from core.types.camera import Pose
from core.types.project import Project
from core.types.scene import Vec3


@dataclass(frozen=True)
class Orbit:
    """A camera relative to the photo's: turned about the scene's centre, then moved along its own axes.

    `yaw_deg` > 0 goes to the right around the centre, `pitch_deg` > 0 goes up; `dolly` goes forward,
    `truck` right and down, in scene units; `roll_deg` turns the picture.
    """

    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    dolly: float = 0.0
    truck: tuple[float, float] = (0.0, 0.0)


def scene_centre(project: Project) -> Vec3:
    """The point at median depth on the optical axis, about which the camera orbits."""
    return 0.0, 0.0, float(np.median(project.depth.values[project.depth.valid]))


def camera_from_orbit(project: Project, orbit: Orbit) -> Pose:
    """The orbit's camera_from_world."""
    down = -np.asarray(scene_up(project.scene))
    frame = _upright_frame(project)
    turned = (
        axis_rotation(tuple(down), -np.radians(orbit.yaw_deg))
        @ axis_rotation(tuple(frame[0]), -np.radians(orbit.pitch_deg))
        @ axis_rotation(tuple(frame[2]), np.radians(orbit.roll_deg))
    )
    own_move = pose(np.eye(3), (orbit.truck[0], orbit.truck[1], orbit.dolly))
    return invert(compose(about_point(turned, scene_centre(project)), own_move))


def orbit_of_camera(project: Project, camera_from_world: Pose) -> Orbit:
    """The orbit that gives a pose; exact for every pose but straight up and down."""
    frame = _upright_frame(project)
    world_from_camera = invert(camera_from_world)
    turned = frame @ world_from_camera.rotation @ frame.T
    pitch = np.arcsin(np.clip(turned[1, 2], -1.0, 1.0))
    yaw = np.arctan2(-turned[0, 2], turned[2, 2])
    roll = np.arctan2(turned[1, 0], turned[1, 1])
    around = about_point(world_from_camera.rotation, scene_centre(project))
    x, y, z = compose(invert(around), world_from_camera).translation
    return Orbit(
        float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll)), float(z), (float(x), float(y))
    )


def _upright_frame(project: Project) -> np.ndarray:
    """Rows right, down, away: the camera's axes turned so that down is the ground's."""
    right, up, away = ground_axes(scene_up(project.scene))
    return np.stack([right, -up, away])
