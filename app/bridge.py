"""Between a session and its 3D view: gestures become edits, edits become layers, frames become the backdrop."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.frames import PREVIEW_SIDE
from app.notices import sentence_of
from app.session import Session
from app.state import Event
from app.store import SessionStore
from app.viewport.geometry import GizmoSpace, Snap
from app.viewport.listener import DragPhase, Modifiers
from app.viewport.object_node import ObjectLayer
from app.viewport.scene import Viewport
from app.viewport.splats import (
    BACKGROUND_BUDGET,
    COARSE_SHARE,
    OBJECT_BUDGET,
    LayerCloud,
    layer_cloud,
    with_underlay,
)
from core.editing.layers import (
    SourceView,
    object_layer,
    object_window_intrinsics,
    source_view,
    working_size,
)
from core.editing.motion import camera_at_home
from core.editing.plate import Plate, source_plate, without_objects
from core.editing.render import render
from core.editing.takeaway import CloudOptions, frame_view, point_cloud
from core.errors import Cancelled, EditorError, InvalidInput
from core.files.profile import srgb_of
from core.maths.camera import resized
from core.types.camera import Camera, Pose
from core.types.project import Project
from core.types.protocols import CancelToken
from core.types.scene import Placement, SceneObject

log = logging.getLogger(__name__)


class Bridge:
    """Keeps one viewport in step with one session; implements `ViewportListener`."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.viewport = Viewport(self)
        self.view_camera: Pose | None = None
        self._wake = threading.Event()
        self._closed = False
        self._cancel = CancelToken()
        self._photo_key: object = None
        self._share = 1.0
        self._unsubscribe = session.subscribe(self._heard)
        self._thread = threading.Thread(target=self._work, name="3D layers", daemon=True)
        self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """Stop following and end the 3D view."""
        self._unsubscribe()
        self._closed = True
        self._cancel.cancel()
        self._wake.set()
        self._thread.join(timeout=5)
        self.viewport.close()

    def take_view(self) -> None:
        """Make the camera of the 3D view the output camera, unless it stands there already."""
        if self.view_camera is not None and not self.viewport.at_home():
            self.session.set_camera(self.view_camera)

    def set_gizmo(self, space: GizmoSpace, slide: bool, snap: Snap) -> None:
        """How the handles behave: axes, ground slide, and what placements snap to."""
        self.viewport.set_gizmo(space, slide, snap)

    def set_coarse(self, coarse: bool) -> None:
        """Make do with few Gaussians, for a browser that has no graphics card."""
        share = COARSE_SHARE if coarse else 1.0
        if share != self._share:
            self._share = share
            self._cancel.cancel()
            self._wake.set()

    def show_points(self, size: float, clean: bool) -> None:
        """Show the edited frame as a point cloud; `size` is a point's width as a share of a pixel's, in 1..10."""
        frame, project = self.session.frame, self.session.project
        if frame is None:
            raise InvalidInput("The picture is still being made; try the point cloud again in a moment.")
        project_at_size = replace(project, scene=replace(project.scene, camera=_preview_camera(project)))
        cloud = point_cloud(frame_view(frame, project_at_size), CloudOptions(clean=clean))
        pixel = float(np.median(frame.depth[frame.depth_valid])) / _preview_camera(project).intrinsics.fx
        self.viewport.show_points(cloud.points, cloud.colours, size * pixel)

    def hide_points(self) -> None:
        """Back from the point cloud to the picture's layers."""
        self.viewport.hide_points()

    # ---- from the 3D view

    def on_drag(self, object_id: str, placement: Placement, phase: DragPhase) -> None:
        """Commit at the end of a drag; the numbers beside the view follow all the way."""
        self._try(lambda: self.session.hold(object_id, placement))
        if phase == "end":
            self._try(lambda: self.session.place(object_id, placement))

    def on_click(self, x: float, y: float, object_id: str | None, modifiers: Modifiers) -> None:
        """Left selects or adds, right or Alt takes away."""
        subtract = modifiers.alt or modifiers.secondary
        if object_id is not None and not subtract and self.session.state.selected != object_id:
            self._try(lambda: self.session.select(object_id))
        else:
            photo, shown = self.session.project.photo, working_size(self.session.project, PREVIEW_SIDE)
            scale = photo.width / shown[0]
            column, row = (x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5
            self._try(lambda: self.session.click(column, row, positive=not subtract))

    def on_camera(self, camera_from_world: Pose, settled: bool) -> None:
        """Remember where the view rests, for `take_view`."""
        if settled:
            self.view_camera = camera_from_world

    def on_key(self, action: str) -> None:
        """Keys pressed inside the 3D view that change the project."""
        session, selected = self.session, self.session.state.selected
        of_selection: dict[str, Callable[[str], None]] = {
            "remove": session.remove,
            "duplicate": session.duplicate,
            "hide": lambda object_id: session.hide(object_id, True),
        }
        of_session: dict[str, Callable[[], None]] = {
            "undo": session.undo,
            "redo": session.redo,
            "deselect": lambda: session.select(None),
        }
        if action in of_session:
            self._try(of_session[action])
        elif action in of_selection and selected is not None:
            self._try(lambda: of_selection[action](selected))

    def on_failure(self, failure: Exception) -> None:
        """A failure inside the viewport becomes a notice."""
        self.session.report(sentence_of(failure))

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except EditorError as refusal:
            self.session.report(str(refusal))

    # ---- from the session

    def _heard(self, event: Event) -> None:
        if event.kind == "changed":
            self._cancel.cancel()
            self._wake.set()
        elif event.kind == "frame":
            self._show_frame()

    def _work(self) -> None:
        while True:
            self._wake.wait()
            if self._closed:
                return
            self._wake.clear()
            self._cancel = CancelToken()
            try:
                if self.session.history is not None:
                    self._show(self.session.project, self._cancel)
            except Cancelled:
                continue
            except Exception as failure:  # noqa: BLE001 - the thread's boundary: every failure becomes a notice
                self.session.report(sentence_of(failure))

    def _show(self, project: Project, cancel: CancelToken) -> None:
        self._show_photo(project)
        viewport, scene = self.viewport, project.scene
        viewport.set_ground(scene.ground)
        if viewport.output != _preview_camera(project):
            viewport.set_output_camera(_preview_camera(project))
            viewport.go_home()
        self._show_frame()
        clouds = Clouds(project, self.session, self._share)
        bare, services = without_objects(project), self.session.services
        engine, at_home = services.engine(project.settings.engine), camera_at_home(scene)
        plates = source_plate(bare, engine, services.memo, PREVIEW_SIDE, cancel)
        if at_home:
            for plate in plates:
                self._show_layers(clouds, *clouds.background(plate), cancel)
        else:
            # All of the stream first: while it runs, nobody else is given the plate that `_behind` needs.
            *_, plate = plates
            background, *_ = clouds.background(plate)
            self._show_layers(clouds, background, *self._behind(bare, cancel), cancel)
        self._show_frame()

    def _show_layers(
        self, clouds: "Clouds", background: LayerCloud, shown: np.ndarray, depth: np.ndarray, cancel: CancelToken
    ) -> None:
        objects = {item.id: clouds.object_layer(item) for item in clouds.project.scene.objects}
        cancel.check()
        self.viewport.set_layers(background, objects, shown, depth)
        self.viewport.select(self.session.state.selected)

    def _behind(self, bare: Project, cancel: CancelToken) -> tuple[np.ndarray, np.ndarray]:
        """Picture and depth of the empty scene as the output camera sees it."""
        services = self.session.services
        engine = services.engine(bare.settings.engine)
        (frame,) = render(bare, engine, services.memo, PREVIEW_SIDE, cancel, stream=False)
        far = float(frame.depth.max(initial=1.0))
        depth = np.where(frame.depth_valid, frame.depth, np.float32(far))
        return srgb_of(frame.pixels, bare.photo.icc_profile), depth

    def _show_frame(self) -> None:
        frame = self.session.frame
        if frame is not None and frame.stage != "preview":
            self.viewport.show_result(srgb_of(frame.pixels, self.session.project.photo.icc_profile))

    def _show_photo(self, project: Project) -> None:
        key = (project.photo.id, project.depth.id, project.scene.source_intrinsics)
        if key == self._photo_key:
            return
        size = working_size(project, PREVIEW_SIDE)
        view = source_view(project, size, self.session.services.memo)
        picture = srgb_of(view.pixels, project.photo.icc_profile)
        camera = Camera(view.intrinsics)
        self.viewport.show_photo(picture, camera, (1.0 / view.inverse_depth).astype(np.float32))
        self._photo_key = key


@dataclass(frozen=True)
class Clouds:
    """A project's layers as Gaussians; each is made once and kept in the memo, so that it is sent once.

    `share` of the usual number of Gaussians is made.
    """

    project: Project
    session: Session
    share: float

    def background(self, plate: Plate) -> tuple[LayerCloud, np.ndarray, np.ndarray]:
        """The plate's cloud, its picture and its depth."""
        view = self._view()
        picture = srgb_of(plate.pixels, self.project.photo.icc_profile)
        depth = (1.0 / plate.inverse_depth).astype(np.float32)
        if not plate.is_final:
            return self._background_cloud(picture, depth), picture, depth
        key = ("background cloud", id(plate), view.size, self.share)
        kept = self.session.services.memo.get(key, lambda: (plate, self._background_cloud(picture, depth)))
        return kept[1], picture, depth

    def object_layer(self, item: SceneObject) -> ObjectLayer:
        """An object's cloud and where it stands."""
        project, memo = self.project, self.session.services.memo
        geometry = (project.depth.id, project.scene.ground, project.scene.source_intrinsics)
        key = ("object cloud", project.photo.id, item.mask.id, *geometry, self.share)
        return ObjectLayer(memo.get(key, lambda: self._object_cloud(item)), item.pivot, item.placement, item.hidden)

    def _object_cloud(self, item: SceneObject) -> LayerCloud:
        view = self._view()
        layer = object_layer(self.project, view, item, self.session.services.memo)
        colours = srgb_of(layer.colours, self.project.photo.icc_profile)
        depth = np.zeros_like(layer.inverse_depth)
        np.divide(1.0, layer.inverse_depth, out=depth, where=layer.inverse_depth > 0)
        window = object_window_intrinsics(view, layer)
        return layer_cloud(colours, depth, window, layer.coverage, round(self.share * OBJECT_BUDGET))

    def _background_cloud(self, picture: np.ndarray, depth: np.ndarray) -> LayerCloud:
        intrinsics = self._view().intrinsics
        cloud = layer_cloud(picture, depth, intrinsics, budget=round(self.share * BACKGROUND_BUDGET))
        return with_underlay(cloud, picture, depth, intrinsics)

    def _view(self) -> SourceView:
        return source_view(self.project, working_size(self.project, PREVIEW_SIDE), self.session.services.memo)


class Bridges:
    """The 3D view of every session that has asked for one."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._bridges: dict[str, Bridge] = {}
        store.on_close(self.close)

    def get(self, key: str) -> Bridge | None:
        """The bridge of a session, made on first use; None for an unknown session."""
        try:
            session = self._store.get(key)
        except KeyError:
            return None
        with self._lock:
            if key not in self._bridges:
                self._bridges[key] = Bridge(session)
            bridge = self._bridges[key]
        # A session that ends gives up before it tells us: either we see it here, or we are told of it later.
        if session.closing.cancelled:
            self.close(key)
        return bridge

    def viewport(self, key: str) -> Viewport | None:
        """What `app.viewport.routes.viewport_routes` looks up."""
        bridge = self.get(key)
        return None if bridge is None else bridge.viewport

    def close(self, key: str) -> None:
        """End a session's 3D view."""
        with self._lock:
            bridge = self._bridges.pop(key, None)
        if bridge is not None:
            bridge.close()

    def close_all(self) -> None:
        """End every 3D view."""
        for key in list(self._bridges):
            self.close(key)


def _preview_camera(project: Project) -> Camera:
    camera = project.scene.camera
    return Camera(resized(camera.intrinsics, *working_size(project, PREVIEW_SIDE)), camera.camera_from_world)
