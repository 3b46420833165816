"""The browsers that look at one viewport: their cameras, and the picture behind the scene."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, UInt8

from app.viewport.geometry import Letterbox, letterbox, screen_intrinsics
from app.viewport.picture import depth_on_canvas, on_canvas
from core.maths.rigid import pose, rotation_from_quaternion
from core.types.camera import Camera, Pose

if TYPE_CHECKING:
    import viser

NEAR, FAR = 0.05, 20_000.0
# Background depth is sent with 24 bits of 1e-5 units, so nothing beyond can hide a gizmo or a splat.
FARTHEST_BACKDROP = 160.0
# In front of everything but the near plane: a still picture covers the splats it was made from.
_STILL_DEPTH = np.full((2, 2), 2.0 * NEAR, np.float32)
# The plate stands a little behind the splats of an object that touches it.
PLATE_SETBACK = 1.005
_AT_HOME_DISTANCE = 2e-3
_AT_HOME_COSINE = 1.0 - 1e-6


@dataclass(frozen=True, eq=False)
class Backdrop:
    """A picture taken by `camera`; with `depth` (scene units) it hides what is behind it, without it all."""

    image: UInt8[np.ndarray, "H W 3"]
    depth: Float32[np.ndarray, "H W"] | None = None


class Browser:
    """One connected viser client. `unit` is viewer units per scene unit."""

    def __init__(self, client: "viser.ClientHandle") -> None:
        self.client = client
        self._size = (0, 0)

    @property
    def size(self) -> tuple[int, int]:
        """Canvas width and height in device pixels."""
        return self.client.camera.image_width, self.client.camera.image_height

    def resized(self) -> bool:
        """Whether the canvas has another size than at the last call."""
        before, self._size = self._size, self.size
        return before != self._size

    def box(self, output: Camera) -> Letterbox:
        width, height = self.size
        return letterbox(output.intrinsics, width / height)

    def camera(self, unit: float) -> Camera:
        """The browser's camera over its canvas pixels, in scene units."""
        view = self.client.camera
        w, x, y, z = (float(v) for v in view.wxyz)
        rotation = rotation_from_quaternion((w, x, y, z)).T
        camera_from_world = pose(rotation, -rotation @ (np.asarray(view.position) / unit))
        return Camera(screen_intrinsics(view.fov, *self.size), camera_from_world)

    def is_home(self, output: Camera, unit: float) -> bool:
        """Whether the camera stands at the output view."""
        here, home = self.camera(unit).camera_from_world, output.camera_from_world
        apart = np.linalg.norm(eye_of(here) - eye_of(home)) * unit
        aligned = min(float(a @ b) for a, b in zip(here.rotation, home.rotation, strict=True))
        return bool(apart < _AT_HOME_DISTANCE and aligned > _AT_HOME_COSINE)

    def go_home(self, output: Camera, up: np.ndarray, unit: float, distance: float) -> None:
        """Stand at the output view, looking at `distance` scene units ahead; orbits turn about `up`."""
        eye, forward = eye_of(output.camera_from_world), output.camera_from_world.rotation[2]
        view = self.client.camera
        with self.client.atomic():
            view.near, view.far = NEAR, FAR
            view.up_direction = up
            view.position = eye * unit
            view.look_at = (eye + distance * forward) * unit
            view.fov = self.box(output).fov_y

    def show(self, backdrop: Backdrop | None, output: Camera, unit: float) -> None:
        """Put the backdrop behind the scene, fitted to this canvas; None takes it away."""
        if backdrop is None:
            self.client.scene.set_background_image(None)
            return
        width, height = self.size
        box = self.box(output)
        image = on_canvas(backdrop.image, box, width, height)
        if backdrop.depth is None:
            self.client.scene.set_background_image(image, format="png", depth=_STILL_DEPTH)
            return
        far = FARTHEST_BACKDROP
        depth = np.where(backdrop.depth > 0, backdrop.depth * np.float32(unit * PLATE_SETBACK), far)
        # Beside the picture nothing shows: an object leaves the frame there.
        canvas_depth = depth_on_canvas(np.minimum(depth, far).astype(np.float32), box, width, height, around=2.0 * NEAR)
        self.client.scene.set_background_image(image, format="jpeg", jpeg_quality=92, depth=canvas_depth)


def eye_of(camera_from_world: Pose) -> np.ndarray:
    """The camera's centre in world axes."""
    return -camera_from_world.rotation.T @ camera_from_world.translation
