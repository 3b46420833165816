"""One user's open photo: every gesture is a method, every change one undo step and one render."""

from dataclasses import replace

import numpy as np

from app.session_checking import CheckingGestures
from app.session_depth import DepthGestures
from app.session_detail import DetailGestures
from app.session_opening import OpeningGestures
from app.session_peeling import PeelingGestures
from app.session_shadow import ShadowGestures
from app.ui.text import say
from core.editing.apply import scene_up
from core.editing.orbit import Orbit, camera_from_orbit
from core.maths.rigid import ground_axes
from core.types import edits
from core.types.camera import IDENTITY, Camera, Pose
from core.types.ids import new_object_id
from core.types.project import EngineChoice, Settings
from core.types.protocols import CancelToken
from core.types.scene import Placement, Vec3


class Session(OpeningGestures, PeelingGestures, DepthGestures, CheckingGestures, DetailGestures, ShadowGestures):
    """Opening, selecting, placing, looking: all that a page, a 3D view or a test does with a photo."""

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
        self._look(replace(self.project.scene.camera, camera_from_world=camera_from_world), "View")

    def orbit(
        self, yaw_deg: float, pitch_deg: float, dolly: float = 0.0, truck: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        """Take the picture from an orbit around the scene's centre."""
        orbit = Orbit(yaw_deg, pitch_deg, 0.0, dolly, truck)
        pose = camera_from_orbit(self.project, orbit)
        self._look(replace(self.project.scene.camera, camera_from_world=pose), _view_label(orbit))

    def home(self) -> None:
        """Back to the photo's own camera."""
        self._look(Camera(self.project.scene.source_intrinsics, IDENTITY), "Photo view")

    def set_settings(self, settings: Settings) -> None:
        """Choose engine and seed. What is done while the engine is loaded comes after this step."""
        with self._turn:
            if not self.services.has_engine(settings.engine):
                self._load_engine(settings.engine)
            self._commit(edits.SetSettings(settings), self._settings_label(settings))

    def _settings_label(self, settings: Settings) -> str:
        """What the history calls a choice of settings: by what differs, the engine before the seed."""
        known = self.project.settings
        if settings.engine != known.engine:
            is_auto = settings.engine == "auto"
            title = say("engine.auto") if is_auto else self.services.engine_info(settings.engine).title
            return f"Engine: {title}"
        return f"Variation {settings.seed}" if settings.seed != known.seed else "Paint order"

    def _load_engine(self, choice: EngineChoice) -> None:
        """Raises BackendUnavailable, Cancelled."""
        cancel = CancelToken()
        with self.models.shown(say("status.loading", name=self.services.engine_info(choice).title), cancel):
            self.services.engine(choice)
        cancel.check()

    def _look(self, camera: Camera, label: str) -> None:
        if camera != self.project.scene.camera:
            self._commit(edits.SetCamera(camera), label)

    def _from_ground(self, right: float, up: float, away: float) -> Vec3:
        axes = ground_axes(scene_up(self.project.scene))
        x, y, z = np.array([right, up, away]) @ axes
        return float(x), float(y), float(z)


def _view_label(orbit: Orbit) -> str:
    """What a camera move is called in the history: its turns, or its steps when it has none."""
    turns = [f"{value:+.0f}° {word}" for value, word in ((orbit.yaw_deg, "orbit"), (orbit.pitch_deg, "tilt")) if value]
    return f"View {', '.join(turns)}" if turns else "View moved"
