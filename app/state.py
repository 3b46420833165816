"""Frozen snapshots of a session, for whoever shows it."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from app.jobs import JobState
from app.keeping import NotKept
from core.editing.adherence import Adherence
from core.editing.apply import scene_up
from core.editing.orbit import Orbit, orbit_of_camera
from core.maths.camera import focal_35mm, fov_deg
from core.maths.rigid import euler_deg_from_rotation, ground_axes, rotation_from_quaternion
from core.types.depth import Layout
from core.types.project import EngineChoice, PaintOrder, Project
from core.types.scene import Placement, Scene, SceneObject, Vec3

EventKind = Literal["changed", "frame", "progress", "error", "notice", "held"]

LARGEST_SEED = 2**31 - 1
_VARIATIONS = 4


@dataclass(frozen=True)
class Numbers:
    """A placement as its panel shows it; `ground` is the move as (right, up, away) over the ground."""

    translation: Vec3
    ground: Vec3
    rotation_deg: Vec3
    scale: float


@dataclass(frozen=True)
class Event:
    """Something a listener should look at; `revision` is the one it belongs to.

    "error" and "notice" have a message: what failed, or what should be known of something that was done.
    "held" tells where a hand has the selected object just now; the project knows it when the hand lets go.
    """

    kind: EventKind
    revision: int
    message: str = ""
    held: Numbers | None = None


@dataclass(frozen=True)
class ObjectState(Numbers):
    """One row of the objects list."""

    id: str
    label: str
    hidden: bool
    selected: bool
    at_rest: bool
    is_copy: bool
    has_shadow: bool


@dataclass(frozen=True)
class CameraState:
    """The output camera beside the photo's own."""

    orbit: Orbit
    at_home: bool


@dataclass(frozen=True)
class SessionState:
    """All a page shows beside pictures. Sizes in pixels, angles in degrees, times in seconds.

    `considered` are the depth and the mask back-end that the models panel tells about; `models` is what it started.
    `opening` is the photo or project that is waited for, its `error` why the last one could not be opened.
    `proposals` is how many objects were found in the photo, None before anybody looked for them. `variation_seeds` are
    those whose pictures are offered beside the shown one. `adherence` is None before anybody asked for it.
    `not_kept` is None while all work is on disk.
    """

    revision: int
    photo_name: str | None = None
    width: int = 0
    height: int = 0
    depth_title: str = ""
    depth_scale: str = ""
    mask_title: str = ""
    mask_backend: str = ""
    considered: tuple[str, str] = ("", "")
    engine: EngineChoice = "auto"
    engine_title: str = ""
    seed: int = 0
    order: PaintOrder = "auto"
    layout: Layout | None = None
    fov_deg: float = 0.0
    focal_35mm: float = 0.0
    objects: tuple[ObjectState, ...] = ()
    selected: str | None = None
    camera: CameraState = CameraState(Orbit(), True)
    steps: tuple[str, ...] = ()
    step: int = 0
    edited: bool = False
    can_undo: bool = False
    can_redo: bool = False
    job: JobState = field(default_factory=JobState)
    export: JobState = field(default_factory=JobState)
    models: JobState = field(default_factory=JobState)
    opening: JobState = field(default_factory=JobState)
    proposals: int | None = None
    variation_seeds: tuple[int, ...] = ()
    share_invented: float | None = None
    adherence: Adherence | None = None
    expected_seconds: float | None = None
    unit: str = "units"
    not_kept: NotKept | None = None


def variation_seeds(shown: int) -> tuple[int, ...]:
    """The shown seed and the next ones."""
    return tuple((shown + step) % LARGEST_SEED for step in range(_VARIATIONS))


def numbers_of(scene: Scene, placement: Placement) -> Numbers:
    """A placement in the numbers that a person types."""
    right, up, away = ground_axes(scene_up(scene)) @ np.array(placement.translation)
    return Numbers(
        translation=placement.translation,
        ground=(float(right), float(up), float(away)),
        rotation_deg=euler_deg_from_rotation(rotation_from_quaternion(placement.rotation)),
        scale=placement.scale,
    )


def object_state(project: Project, item: SceneObject, selected: str | None) -> ObjectState:
    """An object's row and numbers."""
    return ObjectState(
        **vars(numbers_of(project.scene, item.placement)),
        id=item.id,
        label=item.label,
        hidden=item.hidden,
        selected=item.id == selected,
        at_rest=item.is_untouched,
        is_copy=item.copy_of is not None,
        has_shadow=item.shadow is not None,
    )


def project_state(project: Project, selected: str | None) -> dict[str, object]:
    """The part of a SessionState that follows from the project alone."""
    from core.editing.motion import camera_at_home, is_edited

    photo, scene = project.photo, project.scene
    return {
        "photo_name": photo.name,
        "width": photo.width,
        "height": photo.height,
        "depth_title": project.depth.source,
        "depth_scale": project.depth.scale,
        "edited": is_edited(project),
        "engine": project.settings.engine,
        "seed": project.settings.seed,
        "order": project.settings.order,
        "variation_seeds": variation_seeds(project.settings.seed),
        "layout": project.layout,
        "fov_deg": fov_deg(scene.source_intrinsics),
        "focal_35mm": focal_35mm(scene.source_intrinsics),
        "objects": tuple(object_state(project, item, selected) for item in scene.objects),
        "selected": selected,
        "camera": CameraState(orbit_of_camera(project, scene.camera.camera_from_world), camera_at_home(scene)),
        "unit": "m" if project.depth.scale == "metric" else "units",
    }
