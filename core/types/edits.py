"""The closed set of edits: small, absolute targets, so that replaying one twice is safe."""

from dataclasses import dataclass

from core.types.camera import Camera, Intrinsics
from core.types.depth import DepthMap, Ground, Layout
from core.types.flow import FlowField
from core.types.mask import Mask
from core.types.project import Settings
from core.types.scene import Placement


@dataclass(frozen=True)
class AddObject:
    """Cut a new object out of the photo."""

    object_id: str
    mask: Mask
    label: str


@dataclass(frozen=True)
class SetMask:
    """Replace an object's mask."""

    object_id: str
    mask: Mask


@dataclass(frozen=True)
class SetShadow:
    """Let a shadow on the ground go with its object; None leaves it in the background."""

    object_id: str
    mask: Mask | None


@dataclass(frozen=True)
class PlaceObject:
    """Put an object where `placement` says, whatever it was before."""

    object_id: str
    placement: Placement


@dataclass(frozen=True)
class HideObject:
    """Take an object out of the picture, or bring it back (`hidden` False)."""

    object_id: str
    hidden: bool = True


@dataclass(frozen=True)
class DuplicateObject:
    """Add a copy of an object's pixels at another place."""

    object_id: str
    new_id: str
    placement: Placement


@dataclass(frozen=True)
class ReleaseObject:
    """Forget an object: it becomes part of the background again, where the photo shows it."""

    object_id: str


@dataclass(frozen=True)
class RenameObject:
    object_id: str
    label: str


@dataclass(frozen=True)
class SetCamera:
    """Take the picture from another camera; its intrinsics give the output's field of view."""

    camera: Camera


@dataclass(frozen=True)
class SetDepth:
    """Use another depth map, with the geometry that belongs to it."""

    depth: DepthMap
    intrinsics: Intrinsics
    ground: Ground | None
    layout: Layout | None = None


@dataclass(frozen=True)
class SetDistance:
    """Say how many metres lie between what two photo pixels (x, y) show; the whole scene takes its size from it."""

    start: tuple[float, float]
    end: tuple[float, float]
    metres: float


@dataclass(frozen=True)
class SetFlow:
    """Drive the edit by a given source-to-target field in place of computed motion; None goes back."""

    flow: FlowField | None


@dataclass(frozen=True)
class SetSettings:
    """Choose engine and seed; another one of them invents everything anew, regions of their own included."""

    settings: Settings


@dataclass(frozen=True)
class RerollRegion:
    """Invent a region of the edited picture anew from `seed`; everything outside it stays as it is."""

    region: Mask
    seed: int


Edit = (
    AddObject
    | SetMask
    | SetShadow
    | PlaceObject
    | HideObject
    | DuplicateObject
    | ReleaseObject
    | RenameObject
    | SetCamera
    | SetDepth
    | SetDistance
    | SetFlow
    | SetSettings
    | RerollRegion
)
