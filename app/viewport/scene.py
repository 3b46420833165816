"""The 3D view of one editing session: photo layers, gizmos, cameras, behind one viser server."""

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, UInt8

from app.viewport.browser import Backdrop, eye_of
from app.viewport.geometry import (
    GizmoPose,
    GizmoSpace,
    Snap,
    constrained_to_ground,
    gizmo_axes,
    snapped,
)
from app.viewport.listener import DragPhase, ViewportListener
from app.viewport.mailbox import Mailbox
from app.viewport.object_node import ObjectLayer, ObjectNode, add_splats
from app.viewport.splats import LayerCloud
from app.viewport.views import VERTICAL, Views
from core.errors import InvalidInput
from core.maths.rigid import Matrix3
from core.types.camera import Camera
from core.types.depth import Ground
from core.types.scene import Placement

if TYPE_CHECKING:
    import viser

    from app.viewport.switchboard import Switchboard

Send = Callable[[dict[str, Any]], None]


class Viewport:
    """One viser server without a port, shown through `app.viewport.routes`.

    Every method may be called from any thread. World axes and scene units everywhere.
    """

    def __init__(self, listener: ViewportListener) -> None:
        from app.viewport.quiet_viser import QuietViser

        self.listener = listener
        self.mailbox = Mailbox("viewport", listener.on_failure)
        self._lock = threading.RLock()
        self._pages: set[Send] = set()
        self._objects: dict[str, ObjectNode] = {}
        self._background: tuple[LayerCloud, viser.GaussianSplatHandle] | None = None
        self._points: viser.PointCloudHandle | None = None
        self.photo_camera: Camera | None = None
        self.ground: Ground | None = None
        self.space: GizmoSpace = "world"
        self.slide = False
        self.snap = Snap()
        self.selected: str | None = None
        self.dragging: str | None = None
        self._before = Placement()
        self._server = QuietViser()
        self._server.scene.set_up_direction("-y")
        self._server.scene.configure_default_lights(enabled=False)
        self._server.gui.configure_theme(dark_mode=True, show_logo=False, show_share_button=False)
        self._views = Views(self._server, self.mailbox, listener, self._lock, self._refresh_background)

    @property
    def switchboard(self) -> "Switchboard":
        """What puts browsers through to viser."""
        return self._server.switchboard

    def close(self) -> None:
        """Stop the server and the thread; the viewport cannot be used afterwards."""
        self.mailbox.close()
        self._server.stop()

    # What is shown -----------------------------------------------------------------------------

    def show_photo(self, image: UInt8[np.ndarray, "H W 3"], camera: Camera, depth: Float32[np.ndarray, "h w"]) -> None:
        """Start on a photo: forget the scene before it, stand at its camera and show exactly it.

        `depth` gives the scale of navigation (its median) and may have another size than the photo.
        """
        sample = depth[:: max(1, depth.shape[0] // 512), :: max(1, depth.shape[1] // 512)]
        usable = sample[np.isfinite(sample) & (sample > 0)]
        if usable.size == 0:
            raise InvalidInput("The photo has no usable depth; choose another depth source.")
        with self._lock:
            self._forget_scene()
            self.photo_camera = camera
            self._views.start(float(np.median(usable)), Backdrop(image), camera)
        self._tell_pages()

    def set_layers(
        self,
        background: LayerCloud,
        objects: Mapping[str, ObjectLayer],
        plate: UInt8[np.ndarray, "H W 3"],
        plate_depth: Float32[np.ndarray, "h w"],
    ) -> None:
        """What can move, and the completed background behind it, as seen by the output camera.

        Layers whose cloud is the same object as before are not sent again.
        """
        with self._lock, self._server.atomic():
            self._views.set_plate(Backdrop(plate, plate_depth))
            if self._background is None or self._background[0] is not background:
                if self._background is not None:
                    self._background[1].remove()
                handle = add_splats(self._server.scene, "/background", background, self._views.unit)
                self._background = background, handle
            for object_id in [i for i in self._objects if i not in objects]:
                self._objects.pop(object_id).remove()
            for object_id, layer in objects.items():
                self._set_object(object_id, layer)
            if self.selected not in self._objects:
                self.selected = None
            self._refresh_layers()
        self._tell_pages()

    def show_result(self, image: UInt8[np.ndarray, "H W 3"]) -> None:
        """Show the rendered picture of the output view wherever a camera stands there."""
        with self._lock:
            self._views.show_still(Backdrop(image))
            if self.dragging is None:
                self._views.use_plate(False)
                self._refresh_background()

    def show_points(self, points: Float32[np.ndarray, "N 3"], colours: UInt8[np.ndarray, "N 3"], size: float) -> None:
        """Show a point cloud in place of the layers; `size` is a point's width in scene units."""
        with self._lock:
            self._remove_points()
            self._points = self._server.scene.add_point_cloud(
                "/points",
                points=points * np.float32(self._views.unit),
                colors=colours,
                point_size=size * self._views.unit,
                point_shape="circle",
                precision="float32",
                point_shading="flat",
            )
            self._refresh_layers()
        self._tell_pages()

    def hide_points(self) -> None:
        """Back from the point cloud to the layers."""
        with self._lock:
            self._remove_points()
            self._refresh_layers()
        self._tell_pages()

    # Cameras -----------------------------------------------------------------------------------

    def set_output_camera(self, camera: Camera) -> None:
        """Where the edited picture is taken from: home, and the frustum one sees after leaving it."""
        with self._lock:
            self._views.set_output(camera)
        self._tell_pages()

    def go_home(self) -> None:
        """Bring every browser back to the output view."""
        with self._lock:
            self._views.go_home()

    def frame_selection(self) -> None:
        """Look at the selected object from where the camera is, close enough to fill half the view."""
        with self._lock:
            node = self._objects.get(self.selected or "")
            if node is None or not len(node.layer.cloud):
                return
            points = node.points()
            centre = np.median(points, axis=0)
            radius = float(np.percentile(np.linalg.norm(points - centre, axis=1), 95))
            self._views.frame(centre, radius)

    # Objects -----------------------------------------------------------------------------------

    def select(self, object_id: str | None) -> None:
        """Put the gizmo on one object, or on none. Raises InvalidInput for an unknown one."""
        with self._lock:
            if object_id is not None and object_id not in self._objects:
                raise InvalidInput(f"There is no object {object_id!r} in the 3D view; select one of its layers.")
            self.selected = object_id
            self._refresh_gizmos()
        self._tell_pages()

    def set_gizmo(self, space: GizmoSpace, slide: bool, snap: Snap) -> None:
        """How handles behave; `slide` keeps objects on the ground (axes of the ground, no lifting)."""
        with self._lock:
            self.space, self.slide, self.snap = space, slide, snap
            self._refresh_gizmos()

    def set_ground(self, ground: Ground | None) -> None:
        """The plane that objects slide on, and that the view keeps level."""
        with self._lock:
            self.ground = ground
            self._views.set_vertical(VERTICAL if ground is None else ground.up)
            self._refresh_gizmos()

    def place(self, object_id: str, placement: Placement) -> None:
        """Move an object from outside: typed numbers, undo, redo. Ignored while it is being dragged."""
        with self._lock:
            node = self._objects.get(object_id)
            if node is not None and self.dragging != object_id:
                node.place(placement, self.axes_of(placement))
                self._views.use_plate(True)
                self._refresh_background()
                self._tell_pages()

    def begin_drag(self, object_id: str) -> Placement:
        """A hand takes the object: the plate replaces the picture. Returns where it stood."""
        with self._lock:
            self.dragging = object_id
            self._before = self._objects[object_id].placement
            self._views.use_plate(True)
            self._refresh_background()
        self.listener.on_drag(object_id, self._before, "start")
        return self._before

    def drag_to(self, object_id: str, placement: Placement, phase: DragPhase, move_gizmo: bool) -> None:
        """Follow the hand; on "end" or "cancel" let go. `move_gizmo` False while viser moves it itself."""
        with self._lock:
            node = self._objects.get(object_id)
            if node is None or self.dragging != object_id:
                return
            node.placement = placement
            over = phase in ("end", "cancel")
            if move_gizmo or over:
                with self._server.atomic():
                    node.place(placement, self.axes_of(placement))
            if phase == "cancel":
                self._views.use_plate(False)
            if over:
                self.dragging = None
                self._refresh_layers()
        if over:
            self._tell_pages()
        self.listener.on_drag(object_id, placement, phase)

    def object_node(self, object_id: str) -> ObjectNode:
        return self._objects[object_id]

    def clouds(self) -> dict[str | None, tuple[LayerCloud, np.ndarray]]:
        """Every visible layer's cloud and where its points stand now; None names the background."""
        with self._lock:
            found: dict[str | None, tuple[LayerCloud, np.ndarray]] = {
                object_id: (node.layer.cloud, node.points())
                for object_id, node in self._objects.items()
                if not node.layer.hidden
            }
            if self._background is not None:
                found[None] = self._background[0], self._background[0].centres
            return found

    def axes_of(self, placement: Placement) -> Matrix3:
        """The gizmo's axes (columns) for an object at `placement`."""
        return gizmo_axes("ground" if self.slide else self.space, placement, self.ground)

    # Browsers ----------------------------------------------------------------------------------

    def attach_page(self, send: Send) -> Callable[[], None]:
        """Keep a page's script informed; returns what ends that."""
        self._pages.add(send)
        send(self._page_state())
        return lambda: self._pages.discard(send)

    def tell_pages(self, message: dict[str, Any]) -> None:
        for send in list(self._pages):
            send(message)

    @property
    def output(self) -> Camera | None:
        """The camera of the edited picture."""
        return self._views.output

    def browser_camera(self) -> Camera | None:
        """The camera of the browser that connected last, over its canvas pixels."""
        return self._views.camera()

    def at_home(self) -> bool:
        """Whether that browser stands at the output view."""
        return self._views.at_home()

    # Inside ------------------------------------------------------------------------------------

    def _set_object(self, object_id: str, layer: ObjectLayer) -> None:
        node = self._objects.get(object_id)
        if node is None or node.layer.cloud is not layer.cloud or node.layer.pivot != layer.pivot:
            if node is not None:
                node.remove()
            node = ObjectNode(self._server.scene, object_id, layer, self._views.unit)
            node.on_gizmo(lambda phase, pose: self._gizmo_event(object_id, phase, pose))
            self._objects[object_id] = node
        node.layer = layer
        if self.dragging != object_id:
            node.place(layer.placement, self.axes_of(layer.placement))

    def _gizmo_event(self, object_id: str, phase: str, pose: GizmoPose) -> None:
        if phase == "start":
            self.mailbox.post("gizmo start", lambda: self._take(object_id))
        else:
            drag: DragPhase = "end" if phase == "end" else "move"
            self.mailbox.post(f"gizmo {drag}", lambda: self._gizmo_dragged(object_id, pose, drag))

    def _take(self, object_id: str) -> None:
        if object_id in self._objects:
            self.begin_drag(object_id)

    def _gizmo_dragged(self, object_id: str, pose: GizmoPose, phase: DragPhase) -> None:
        with self._lock:
            node = self._objects.get(object_id)
            if node is None:
                return
            placement = node.read(pose)
            if self.slide and self.ground is not None:
                placement = constrained_to_ground(self._before, placement, self.ground)
            placement = snapped(self._before, placement, self.snap, self.axes_of(self._before))
        self.drag_to(object_id, placement, phase, move_gizmo=False)

    def _refresh_gizmos(self) -> None:
        for object_id, node in self._objects.items():
            if self.dragging != object_id:
                node.place(node.placement, self.axes_of(node.placement))
            shown = object_id == self.selected and self._points is None
            node.show_gizmo(shown, self.slide)

    def _refresh_layers(self) -> None:
        layers = self._points is None
        self._refresh_background()
        for node in self._objects.values():
            node.show(layers and not node.layer.hidden)
        self._refresh_gizmos()

    def _refresh_background(self) -> None:
        """The plate's picture stands for the background's Gaussians where a camera sees it."""
        if self._background is not None:
            covered = self._views.plate_shown and self.at_home()
            needed = self._points is None and not covered
            if self._background[1].visible != needed:
                self._background[1].visible = needed

    def _remove_points(self) -> None:
        if self._points is not None:
            self._points.remove()
            self._points = None

    def _forget_scene(self) -> None:
        self._remove_points()
        for node in self._objects.values():
            node.remove()
        self._objects.clear()
        if self._background is not None:
            self._background[1].remove()
        self._background = None
        self.selected, self.dragging = None, None

    def _page_state(self) -> dict[str, Any]:
        home = None
        if self.output is not None:
            pose = self.output.camera_from_world
            home = {
                "position": (eye_of(pose) * self._views.unit).tolist(),
                "forward": pose.rotation[2].tolist(),
                "up": (-pose.rotation[1]).tolist(),
            }
        return {
            "type": "state",
            "home": home,
            "picture": self._points is None and self._views.has_picture,
            "points": self._points is not None,
            "top": self._top(),
            "selected": self.selected,
        }

    def _top(self) -> list[float] | None:
        """Viewer position of the selected object's size handle; None where there is none to show."""
        node = self._objects.get(self.selected or "")
        if node is None or node.layer.hidden or self._points is not None:
            return None
        return (node.top(VERTICAL if self.ground is None else self.ground.up) * self._views.unit).tolist()

    def _tell_pages(self) -> None:
        self.tell_pages(self._page_state())
