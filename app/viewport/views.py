"""Everything about looking: the browsers' cameras, home, and which picture stands behind the scene."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from app.viewport.browser import FAR, NEAR, Backdrop, Browser, eye_of
from app.viewport.geometry import letterbox, orbit_axis
from app.viewport.listener import ViewportListener
from app.viewport.mailbox import Mailbox
from core.maths.rigid import quaternion_from_rotation
from core.types.camera import Camera, Pose
from core.types.scene import Vec3

if TYPE_CHECKING:
    import viser

TYPICAL_DEPTH = 20.0
"""Viewer units at the scene's median depth: keeps half-precision covariances and the near plane sound."""
SETTLE_SECONDS = 0.25
HOMEWARD_SECONDS = 10.0
"""A browser that draws in software takes this long over the few frames of an orbit's momentum."""
FRUSTUM_FROM = 0.2
"""The frustum shows once one is this share of the scene's distance away; nearer it would frame the view."""
FRUSTUM_COLOUR = (94, 160, 255)
VERTICAL: Vec3 = (0.0, -1.0, 0.0)
"""Up where no ground is known."""


class Views:
    """The browsers of one viser server. `unit` is viewer units per scene unit.

    `lock` is the viewport's own; `moved` is called, holding it, after a camera moved.
    """

    def __init__(
        self,
        server: "viser.ViserServer",
        mailbox: Mailbox,
        listener: ViewportListener,
        lock: threading.RLock,
        moved: Callable[[], None],
    ) -> None:
        self.output: Camera | None = None
        self._vertical: Vec3 = VERTICAL
        self.unit = 1.0
        self._homeward_until = 0.0
        self._distance = TYPICAL_DEPTH
        self._server, self._mailbox, self._listener, self._lock = server, mailbox, listener, lock
        self._moved = moved
        self._browsers: dict[int, Browser] = {}
        self._frustum: viser.CameraFrustumHandle | None = None
        self._still: Backdrop | None = None
        self._plate: Backdrop | None = None
        self.plate_shown = False
        server.on_client_connect(self._connected)
        server.on_client_disconnect(self._disconnected)

    @property
    def has_picture(self) -> bool:
        return self._still is not None

    def start(self, distance: float, still: Backdrop, output: Camera) -> None:
        """Begin on another scene: `distance` scene units to its middle, `still` at its output view."""
        self._distance = distance
        self.unit = TYPICAL_DEPTH / distance
        self._still, self._plate, self.plate_shown = still, None, False
        self.set_output(output)
        self.go_home()

    def set_output(self, camera: Camera) -> None:
        """Where home is; also where a browser that connects later starts."""
        self.output = camera
        start, pose, lens = self._server.initial_camera, camera.camera_from_world, camera.intrinsics
        eye = eye_of(pose)
        start.near, start.far = NEAR, FAR
        start.up = orbit_axis(pose.rotation, self._vertical)
        start.position = eye * self.unit
        start.look_at = (eye + self._distance * pose.rotation[2]) * self.unit
        start.fov = letterbox(lens, lens.width / lens.height).fov_y
        self._frustum = self._server.scene.add_camera_frustum(
            "/output camera",
            fov=float(2 * np.arctan(lens.height / (2 * lens.fy))),
            aspect=lens.width * lens.fy / (lens.height * lens.fx),
            scale=0.04 * TYPICAL_DEPTH,
            thickness=1.5,
            thickness_units="screen",
            color=FRUSTUM_COLOUR,
            position=eye * self.unit,
            wxyz=quaternion_from_rotation(pose.rotation.T),
            visible=False,
        )
        self._mailbox.post("backdrop", self._refresh_backdrop)

    def show_still(self, still: Backdrop) -> None:
        """Another picture for the output view."""
        self._still = still
        self._mailbox.post("backdrop", self._refresh_backdrop)

    def set_plate(self, plate: Backdrop) -> None:
        """The completed background that stands in while objects are moved."""
        self._plate = plate
        if self.plate_shown:
            self._mailbox.post("backdrop", self._refresh_backdrop)

    def use_plate(self, shown: bool) -> None:
        """Show the plate (objects as Gaussians before it) or the still picture."""
        if shown != self.plate_shown:
            self.plate_shown = shown
            self._mailbox.post("backdrop", self._refresh_backdrop)

    def go_home(self) -> None:
        """Bring every browser back to the output view, and keep it there while an orbit's momentum dies away."""
        self._homeward_until = time.monotonic() + HOMEWARD_SECONDS
        for browser in self._browsers.values():
            if self.output is not None:
                self._bring_home(browser, self.output)
        self._mailbox.post("frustum", self._refresh_frustum, SETTLE_SECONDS)

    def set_vertical(self, up: Vec3) -> None:
        """Which way the ground's up is: the axis that orbits keep the horizon by."""
        if up == self._vertical:
            return
        self._vertical = up
        if self.output is None:
            return
        self._server.initial_camera.up = orbit_axis(self.output.camera_from_world.rotation, up)
        for browser in self._browsers.values():
            if browser.is_home(self.output, self.unit):
                self._bring_home(browser, self.output)

    def frame(self, centre: np.ndarray, radius: float) -> None:
        """Look at a ball from the same side, from as near as lets it fill half the view."""
        for browser in self._browsers.values():
            forward = browser.camera(self.unit).camera_from_world.rotation[2]
            reach = radius / np.tan(browser.client.camera.fov / 4.0)
            with browser.client.atomic():
                browser.client.camera.position = (centre - reach * forward) * self.unit
                browser.client.camera.look_at = centre * self.unit

    def camera(self) -> Camera | None:
        """The camera of the browser that connected last, over its canvas pixels, in scene units."""
        with self._lock:
            browser = next(reversed(self._browsers.values()), None)
            return None if browser is None else browser.camera(self.unit)

    def at_home(self) -> bool:
        """Whether that browser stands at the output view."""
        with self._lock:
            browser = next(reversed(self._browsers.values()), None)
            return browser is not None and self.output is not None and browser.is_home(self.output, self.unit)

    async def _connected(self, client: "viser.ClientHandle") -> None:
        # viser calls this after the first camera message, so the canvas size is known.
        browser = Browser(client)
        with self._lock:
            self._browsers[client.client_id] = browser

        async def moved(_: "viser.CameraHandle") -> None:
            self._mailbox.post(f"camera {client.client_id}", lambda: self._camera_moved(browser))

        client.camera.on_update(moved)
        self._mailbox.post(f"arrival {client.client_id}", lambda: self._camera_moved(browser, arriving=True))

    async def _disconnected(self, client: "viser.ClientHandle") -> None:
        with self._lock:
            self._browsers.pop(client.client_id, None)

    def _camera_moved(self, browser: Browser, arriving: bool = False) -> None:
        with self._lock:
            if browser.client.client_id not in self._browsers or self.output is None or 0 in browser.size:
                return
            if browser.resized() or arriving:
                if arriving or browser.is_home(self.output, self.unit):
                    self._bring_home(browser, self.output)
                browser.show(self._backdrop(), self.output, self.unit)
            if time.monotonic() < self._homeward_until and not browser.is_home(self.output, self.unit):
                self._bring_home(browser, self.output)
            self._refresh_frustum()
            self._moved()
            pose = browser.camera(self.unit).camera_from_world
        self._listener.on_camera(pose, False)
        self._mailbox.post("settled", lambda: self._settled(pose), SETTLE_SECONDS)

    def _settled(self, pose: Pose) -> None:
        self._homeward_until = 0.0
        self._listener.on_camera(pose, True)

    def _bring_home(self, browser: Browser, output: Camera) -> None:
        axis = orbit_axis(output.camera_from_world.rotation, self._vertical)
        browser.go_home(output, axis, self.unit, self._distance)

    def _backdrop(self) -> Backdrop | None:
        return self._plate if self.plate_shown and self._plate is not None else self._still

    def _refresh_backdrop(self) -> None:
        with self._lock:
            for browser in self._browsers.values():
                if self.output is not None and 0 not in browser.size:
                    browser.show(self._backdrop(), self.output, self.unit)

    def _refresh_frustum(self) -> None:
        with self._lock:
            camera = self.camera()
            if self._frustum is not None and self.output is not None and camera is not None:
                apart = np.linalg.norm(eye_of(camera.camera_from_world) - eye_of(self.output.camera_from_world))
                self._frustum.visible = bool(apart > FRUSTUM_FROM * self._distance)
