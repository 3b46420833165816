"""One user's open photo: every gesture is a method, every change one undo step and one render."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from app import selection
from app.estimate import TimeEstimate
from app.jobs import JobState, RenderJobs
from app.services import Services
from app.state import Event, EventKind, SessionState, project_state
from core.editing.apply import apply, new_project, scene_up
from core.editing.history import History
from core.editing.orbit import Orbit, camera_from_orbit
from core.editing.render import render
from core.errors import InvalidInput
from core.files.depth import read_depth
from core.files.embedded_depth import embedded_depth
from core.files.mask import read_mask
from core.files.photo import open_photo
from core.files.project import load_project
from core.files.samples import open_sample
from core.maths.camera import intrinsics_from_fov
from core.maths.mask import outline
from core.maths.rigid import ground_axes
from core.types import edits
from core.types.camera import IDENTITY, Camera, Intrinsics, Pose
from core.types.depth import DepthEstimate, DepthMap, Layout
from core.types.frame import Frame
from core.types.ids import new_object_id
from core.types.mask import Box, Click, Mask
from core.types.photo import Photo
from core.types.project import Project, Settings
from core.types.protocols import CancelToken
from core.types.scene import Placement, SceneObject, Vec3

PREVIEW_SIDE = 960
_NO_PHOTO = "Open a photo first."

Listener = Callable[[Event], None]


class Session:
    """Thread-safe. Methods raise EditorError with a sentence for the user and then change nothing."""

    def __init__(self, key: str, services: Services) -> None:
        self.key = key
        self.services = services
        self._lock = threading.RLock()
        self._history: History | None = None
        self._revision = 0
        self._selected: str | None = None
        self._picks: dict[str, selection.Pick] = {}
        self._frames: dict[int, Frame] = {}
        self._listeners: list[Listener] = []
        self._estimate = TimeEstimate()
        self._jobs = RenderJobs(self._frame_arrived, self._job_changed)

    # ---- photo in

    def open_photo(self, source: bytes | Path, name: str) -> None:
        """Open a picture file; depth that came inside it is used."""
        photo = open_photo(source, name)
        self._begin(photo, embedded_depth(source))

    def open_sample(self, name: str) -> None:
        """Open one of the samples."""
        photo, depth, intrinsics = open_sample(name)
        self._begin(photo, depth, intrinsics)

    def load_project(self, source: bytes) -> None:
        """Continue a saved project."""
        self._replace_history(History.begin(load_project(source), "Opened project"))

    def use_depth_file(self, source: bytes, name: str, units_per_scene_unit: float | None) -> None:
        """Take depth from a file of any size with the photo's shape."""
        depth = read_depth(source, units_per_scene_unit, name=name)
        project = self.project
        if abs(depth.width / depth.height - project.photo.width / project.photo.height) > 0.02:
            raise InvalidInput(
                f"The depth file is {depth.width}x{depth.height}, another shape than the photo's "
                f"{project.photo.width}x{project.photo.height}; use the depth map of this photo."
            )
        self._commit(edits.SetDepth(depth, project.scene.source_intrinsics, None), f"Depth from {name}")

    def set_field_of_view(self, degrees: float) -> None:
        """Say how wide the photo's lens was (angle across the longer side)."""
        project = self.project
        intrinsics = intrinsics_from_fov(degrees, project.photo.width, project.photo.height)
        if project.layout is not None:
            estimate = self.services.estimate_depth(project.photo, intrinsics, project.layout)
        else:
            estimate = DepthEstimate(project.depth, intrinsics, project.scene.ground)
        self._commit(_depth_edit(estimate), f"Field of view {degrees:g}°")

    def set_layout(self, horizon: float, ground_end: float) -> None:
        """Move the handles of the layout guess (fractions of the photo's height)."""
        project = self.project
        estimate = self.services.estimate_depth(
            project.photo, project.scene.source_intrinsics, Layout(horizon, ground_end)
        )
        self._commit(_depth_edit(estimate), "Layout moved")

    # ---- selecting

    def click(self, x: float, y: float, positive: bool = True) -> None:
        """Select what is under a photo pixel, cut it out, or refine the selected object's mask."""
        project, item = self.project, self.selected_object
        if item is None and positive:
            under = self._object_at(x, y)
            if under is not None:
                self.select(under.id)
                return
        if item is not None and not item.is_untouched:
            raise InvalidInput(
                f"{item.label} has been moved; put it back to change its mask, or press Esc to select something else."
            )
        if item is None and not positive:
            raise InvalidInput("Nothing is selected to take away from; click an object first.")
        before = None if item is None else self._picks.get(item.id)
        mask = None if item is None else item.mask
        self._take_pick(selection.add_click(self.services, project.photo, before, mask, Click(x, y, positive)))

    def box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Cut out the thing inside a box, as a new object."""
        self._selected = None
        box = Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        self._take_pick(selection.add_box(self.services, self.project.photo, box))

    def lasso(self, points: list[tuple[float, float]], add: bool) -> None:
        """Add the inside of a polygon to the mask, or take it away."""
        self._set_mask(selection.lassoed(self.project.photo, self._own_mask(), points, add), "Lasso")

    def brush(self, points: list[tuple[float, float]], radius: float, add: bool) -> None:
        """Paint the mask, or erase it."""
        self._set_mask(selection.painted(self.project.photo, self._own_mask(), points, radius, add), "Brush")

    def grow_mask(self, pixels: float) -> None:
        """Grow the mask; negative values shrink it."""
        self._set_mask(selection.grown(self._needed_mask(), pixels), "Mask grown" if pixels >= 0 else "Mask shrunk")

    def feather_mask(self, pixels: float) -> None:
        """Soften the mask's edge."""
        self._set_mask(selection.feathered(self._needed_mask(), pixels), "Mask feathered")

    def use_mask_file(self, source: bytes) -> None:
        """Take the mask from a picture of the photo's size."""
        photo = self.project.photo
        self._set_mask(read_mask(source, photo.width, photo.height), "Mask from file")

    def next_candidate(self) -> None:
        """Take the next way to read the last click: part, object or more."""
        item = self.selected_object
        if item is None or item.id not in self._picks:
            raise InvalidInput("Click an object first; then its alternatives can be tried.")
        self._take_pick(self._picks[item.id].next_candidate())

    def select(self, object_id: str | None) -> None:
        """Make an object the one that gizmo and numbers act on; not an undo step."""
        if object_id is not None:
            self.project.scene.object(object_id)
        self._selected = object_id
        self._notify("changed")

    # ---- editing

    def place(self, object_id: str, placement: Placement, label: str | None = None) -> None:
        """Put an object somewhere, absolutely."""
        item = self.project.scene.object(object_id)
        if placement != item.placement:
            self._commit(edits.PlaceObject(object_id, placement), label or f"{item.label} moved")

    def slide(self, object_id: str, right: float, away: float) -> None:
        """Put an object on the ground plane, keeping its height above it."""
        item = self.project.scene.object(object_id)
        axes = ground_axes(scene_up(self.project.scene))
        up = float(axes[1] @ np.array(item.placement.translation))
        self.place(object_id, replace(item.placement, translation=self._from_ground(right, up, away)))

    def place_on_ground(self, object_id: str, right: float, up: float, away: float) -> None:
        """Put an object by its ground coordinates."""
        item = self.project.scene.object(object_id)
        self.place(object_id, replace(item.placement, translation=self._from_ground(right, up, away)))

    def hide(self, object_id: str, hidden: bool) -> None:
        """Take an object out of the picture, or bring it back."""
        item = self.project.scene.object(object_id)
        self._commit(edits.HideObject(object_id, hidden), f"{item.label} {'removed' if hidden else 'shown'}")

    def remove(self, object_id: str) -> None:
        """Take an object out of the picture; a copy disappears altogether."""
        item = self.project.scene.object(object_id)
        if item.copy_of is not None:
            self.release(object_id)
        else:
            self.hide(object_id, True)

    def duplicate(self, object_id: str) -> None:
        """Add a copy beside an object and select it."""
        item = self.project.scene.object(object_id)
        new_id = new_object_id()
        step = 0.1 * float(np.linalg.norm(item.pivot))
        moved = tuple(np.add(item.placement.translation, self._from_ground(step, 0.0, 0.0)).tolist())
        placement = replace(item.placement, translation=moved)
        self._commit(edits.DuplicateObject(object_id, new_id, placement), f"{item.label} duplicated", select=new_id)

    def release(self, object_id: str) -> None:
        """Forget an object: it is part of the background again."""
        item = self.project.scene.object(object_id)
        self._picks.pop(object_id, None)
        self._commit(edits.ReleaseObject(object_id), f"{item.label} released")

    def rename(self, object_id: str, label: str) -> None:
        """Give an object another name."""
        self._commit(edits.RenameObject(object_id, label), f"Renamed to {label.strip()}")

    def set_camera(self, camera_from_world: Pose) -> None:
        """Take the picture from another place."""
        self._commit(edits.SetCamera(replace(self.project.scene.camera, camera_from_world=camera_from_world)), "View")

    def orbit(
        self, yaw_deg: float, pitch_deg: float, dolly: float = 0.0, truck: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        """Take the picture from an orbit around the scene's centre."""
        pose = camera_from_orbit(self.project, Orbit(yaw_deg, pitch_deg, 0.0, dolly, truck))
        camera = replace(self.project.scene.camera, camera_from_world=pose)
        self._commit(edits.SetCamera(camera), f"View {yaw_deg:+.0f}° {pitch_deg:+.0f}°")

    def home(self) -> None:
        """Back to the photo's own camera."""
        intrinsics = self.project.scene.source_intrinsics
        self._commit(edits.SetCamera(Camera(intrinsics, IDENTITY)), "Photo view")

    def set_settings(self, settings: Settings) -> None:
        """Choose engine and seed."""
        self.services.engine(settings.engine)
        self._commit(edits.SetSettings(settings), "Settings")

    def undo(self) -> None:
        """One step back."""
        self._move_to(self._known_history.undo())

    def redo(self) -> None:
        """One step forward."""
        self._move_to(self._known_history.redo())

    def goto(self, index: int) -> None:
        """Show a step of the history."""
        self._move_to(self._known_history.at(index))

    # ---- results

    def cancel(self) -> None:
        """Stop rendering; the last frame stays."""
        self._jobs.cancel()

    def refresh(self) -> None:
        """Render the shown step again, after a cancel or a failure."""
        self._render()

    def full_frame(self, cancel: CancelToken | None = None) -> Frame:
        """The shown step at the photo's own size; kept, so that a second export is quick."""
        project = self.project
        kept = self.services.memo.find(("full frame", project))
        if kept is not None:
            return kept
        engine = self.services.engine(project.settings.engine)
        (frame,) = render(project, engine, self.services.memo, cancel=cancel, stream=False)
        self._estimate.learn(frame)
        self.services.memo.put(("full frame", project), frame)
        return frame

    @property
    def project(self) -> Project:
        """The shown step's project. Raises InvalidInput before a photo is open."""
        return self._known_history.project

    @property
    def history(self) -> History | None:
        return self._history

    @property
    def revision(self) -> int:
        return self._revision

    @property
    def selected_object(self) -> SceneObject | None:
        """The object that gizmo and numbers act on."""
        if self._selected is None:
            return None
        return self.project.scene.object(self._selected)

    @property
    def frame(self) -> Frame | None:
        """The newest frame of the shown revision."""
        return self._frames.get(self._revision)

    def frame_of_step(self, index: int) -> Frame | None:
        """The finished preview of a history step, while it is still remembered."""
        steps = self._known_history.steps
        if not 0 <= index < len(steps):
            raise InvalidInput(f"There is no step {index} in the history; it has {len(steps)}.")
        return self.services.memo.find(("frame", steps[index].project))

    @property
    def state(self) -> SessionState:
        """A snapshot for whoever shows it."""
        with self._lock:
            base = SessionState(revision=self._revision, mask_title=self.services.segmentation.info.title)
            if self._history is None:
                return base
            history, frame = self._history, self.frame
            engine = self.services.engine(history.project.settings.engine)
            return replace(
                base,
                **project_state(history.project, self._selected),
                engine_title=engine.info.title,
                steps=tuple(step.label for step in history.steps),
                step=history.index,
                can_undo=history.can_undo,
                can_redo=history.can_redo,
                job=self._jobs.state,
                share_invented=None if frame is None else float(frame.invented.mean()),
                expected_seconds=None if frame is None else self._estimate.full_size(frame, history.project.photo),
            )

    def outline(self) -> list[list[tuple[float, float]]]:
        """Polygons around the selected object's mask, in photo pixels."""
        item = self.selected_object
        if item is None:
            return []
        polygons = outline(item.mask.coverage)
        return [[(float(x), float(y)) for x, y in polygon] for polygon in polygons]

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear of changes; the returned function ends it. Listeners must not block."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def report(self, sentence: str) -> None:
        """Tell listeners of a failure that happened outside a method call."""
        self._notify("error", sentence)

    def wait_idle(self, timeout: float) -> bool:
        """Whether all rendering is done within `timeout` seconds."""
        return self._jobs.wait_idle(timeout)

    def close(self) -> None:
        """Stop all work."""
        self._jobs.close()
        self._listeners.clear()

    # ---- inside

    @property
    def _known_history(self) -> History:
        if self._history is None:
            raise InvalidInput(_NO_PHOTO)
        return self._history

    def _begin(self, photo: Photo, depth: DepthMap | None, intrinsics: Intrinsics | None = None) -> None:
        estimate = self.services.geometry(photo, depth, intrinsics)
        self._replace_history(History.begin(new_project(photo, estimate)))
        threading.Thread(target=self._prepare_clicks, args=(photo,), name="embedding", daemon=True).start()

    def _prepare_clicks(self, photo: Photo) -> None:
        self.services.embedding(photo)
        self._notify("progress")

    def _replace_history(self, history: History) -> None:
        with self._lock:
            self._history, self._selected = history, None
            self._picks.clear()
            self._revision += 1
        self._render()
        self._notify("changed")

    def _commit(self, edit: edits.Edit, label: str, select: str | None = None) -> None:
        with self._lock:
            history = self._known_history
            self._history = history.push(apply(history.project, edit), label)
            self._selected = select if select is not None else self._still_there(self._selected)
            self._revision += 1
        self._render()
        self._notify("changed")

    def _move_to(self, history: History) -> None:
        with self._lock:
            if history.index == self._known_history.index:
                return
            self._history = history
            self._selected = self._still_there(self._selected)
            self._revision += 1
        self._render()
        self._notify("changed")

    def _still_there(self, object_id: str | None) -> str | None:
        objects = self._known_history.project.scene.objects
        return object_id if any(o.id == object_id for o in objects) else None

    def _object_at(self, x: float, y: float) -> SceneObject | None:
        """The last object whose mask holds a photo pixel and that still stands there."""
        column, row = round(x), round(y)
        for item in reversed(self.project.scene.objects):
            rows, columns = item.mask.coverage.shape
            inside = 0 <= row < rows and 0 <= column < columns
            if inside and item.is_untouched and item.mask.coverage[row, column] >= 128:
                return item
        return None

    def _take_pick(self, chosen: selection.Pick) -> None:
        object_id = self._set_mask(chosen.mask, "Selected")
        self._picks[object_id] = chosen

    def _set_mask(self, mask: Mask, label: str) -> str:
        """Give the selected object a mask, or cut out a new object with it."""
        item = self.selected_object
        if item is not None:
            self._commit(edits.SetMask(item.id, mask), f"{label} {item.label}")
            return item.id
        object_id = new_object_id()
        taken = {o.label for o in self.project.scene.objects}
        name = next(f"Object {n}" for n in range(1, len(taken) + 2) if f"Object {n}" not in taken)
        self._commit(edits.AddObject(object_id, mask, name), f"{label} {name}", select=object_id)
        return object_id

    def _own_mask(self) -> Mask | None:
        item = self.selected_object
        return None if item is None else item.mask

    def _needed_mask(self) -> Mask:
        mask = self._own_mask()
        if mask is None:
            raise InvalidInput("Select an object first; then its mask can be changed.")
        return mask

    def _from_ground(self, right: float, up: float, away: float) -> Vec3:
        axes = ground_axes(scene_up(self.project.scene))
        x, y, z = np.array([right, up, away]) @ axes
        return float(x), float(y), float(z)

    def _render(self) -> None:
        with self._lock:
            project, revision = self.project, self._revision
        engine, memo = self.services.engine(project.settings.engine), self.services.memo

        def frames(cancel: CancelToken) -> Iterator[Frame]:
            kept = memo.find(("frame", project))
            if kept is not None:
                yield kept
                return
            for frame in render(project, engine, memo, PREVIEW_SIDE, cancel):
                if frame.stage == "final":
                    memo.put(("frame", project), frame)
                yield frame

        self._jobs.start(revision, "Updating the picture", frames)

    def _frame_arrived(self, revision: int, frame: Frame) -> None:
        with self._lock:
            if revision != self._revision:
                return
            self._frames = {revision: frame}
        self._notify("frame")

    def _job_changed(self, revision: int, state: JobState) -> None:
        if state.error is not None:
            self._notify("error", state.error)
        elif revision == self._revision:
            self._notify("progress")

    def _notify(self, kind: EventKind, message: str = "") -> None:
        with self._lock:
            event, listeners = Event(kind, self._revision, message), tuple(self._listeners)
        for listener in listeners:
            listener(event)


def _depth_edit(estimate: DepthEstimate) -> edits.SetDepth:
    return edits.SetDepth(estimate.depth, estimate.intrinsics, estimate.ground, estimate.layout)
