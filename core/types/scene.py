"""Objects cut from a photo, where they stand now, and the camera that looks at them."""

from dataclasses import dataclass, replace

import numpy as np

from core.errors import InvalidInput
from core.types.camera import Camera, Intrinsics
from core.types.depth import Ground
from core.types.mask import Mask
from core.types.names import shown

Vec3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


@dataclass(frozen=True)
class Placement:
    """How far an object is from where the photo shows it: p' = scale * R (p - pivot) + pivot + translation.

    World axes, scene units; `rotation` is a unit quaternion (w, x, y, z).
    """

    translation: Vec3 = (0.0, 0.0, 0.0)
    rotation: Quaternion = (1.0, 0.0, 0.0, 0.0)
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not np.isfinite([*self.translation, *self.rotation, self.scale]).all():
            raise InvalidInput("An object's placement must be made of finite numbers.")
        if not 1e-3 <= self.scale <= 1e3:
            raise InvalidInput(f"An object's scale must lie between 0.001 and 1000, got {self.scale:g}.")
        if not np.isclose(np.linalg.norm(self.rotation), 1.0, atol=1e-6):
            raise InvalidInput(f"An object's rotation must be a unit quaternion (w, x, y, z), got {self.rotation}.")

    @property
    def is_rest(self) -> bool:
        return self == Placement()


@dataclass(frozen=True)
class SceneObject:
    """One selected thing of the photo.

    `pivot` is its contact point with the ground (or surface centre) in world axes, at rest.
    A duplicate shares the mask of `copy_of` and leaves the original where it is. `shadow` covers the shadow on the
    ground that goes with the object; None leaves shadows where they are.
    """

    id: str
    label: str
    mask: Mask
    pivot: Vec3
    placement: Placement = Placement()
    hidden: bool = False
    copy_of: str | None = None
    shadow: Mask | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", shown(self.label))

    @property
    def is_untouched(self) -> bool:
        return self.placement.is_rest and not self.hidden and self.copy_of is None


@dataclass(frozen=True)
class Scene:
    """What can be edited. World axes are the photo's camera axes at import."""

    source_intrinsics: Intrinsics
    camera: Camera
    ground: Ground | None = None
    objects: tuple[SceneObject, ...] = ()

    def object(self, object_id: str) -> SceneObject:
        """The object of that id. Raises InvalidInput when there is none."""
        for item in self.objects:
            if item.id == object_id:
                return item
        raise InvalidInput(f"There is no object {object_id!r} in this project; it may have been removed.")

    def with_object(self, changed: SceneObject) -> "Scene":
        """The scene with the object of the same id replaced."""
        self.object(changed.id)
        return replace(self, objects=tuple(changed if o.id == changed.id else o for o in self.objects))
