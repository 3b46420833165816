"""Depth maps that say what is known about their scale, and the ground under a scene."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32

from core.errors import InvalidInput
from core.types.camera import Intrinsics
from core.types.ids import ContentAddressed, content_id, read_only

DepthScale = Literal["metric", "relative", "affine"]


@dataclass(frozen=True, eq=False)
class DepthMap(ContentAddressed):
    """z along the optical axis (not ray length) per pixel, positive where `valid`.

    `scale`: "metric" (metres), "relative" (true up to one factor) or "affine" (`values` are
    inverse depth, true up to factor and offset; convert before use in a scene).
    `source` is the back-end's title, shown to the user.
    `upright_objects`: the map holds only the layout of the place; objects are not in it and
    stand upright on the ground where their mask touches it.
    `confidence` is 0..1, how sure the back-end is of each pixel; None where it does not say. `tolerance` is the share
    by which surfaces may be told too near: nothing but another object hides an object by less than that, and with
    any tolerance a cut-out object keeps the plane that fits it, not its relief.
    """

    values: Float32[np.ndarray, "H W"]
    valid: Bool[np.ndarray, "H W"]
    scale: DepthScale
    source: str
    upright_objects: bool = False
    confidence: Float32[np.ndarray, "H W"] | None = None
    tolerance: float = 0.0
    id: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.values.shape != self.valid.shape:
            raise InvalidInput(f"Depth {self.values.shape} and its validity {self.valid.shape} must have one size.")
        usable = self.values[self.valid]
        if usable.size and not (np.isfinite(usable).all() and usable.min() > 0):
            raise InvalidInput("Depth must be finite and positive where it is valid; mark other pixels invalid.")
        object.__setattr__(self, "values", read_only(self.values))
        object.__setattr__(self, "valid", read_only(self.valid))
        if not 0 <= self.tolerance < 1:
            raise InvalidInput(f"The tolerance of a depth map must lie between 0 and 1, got {self.tolerance:g}.")
        if self.confidence is not None:
            self._check_confidence(self.confidence)
            object.__setattr__(self, "confidence", read_only(self.confidence))
        if not self.id:
            parts = [self.values, self.valid, self.scale, self.source, self.upright_objects]
            parts += [] if self.confidence is None else [self.confidence]
            parts += [self.tolerance] if self.tolerance else []
            object.__setattr__(self, "id", content_id(*parts))

    def _check_confidence(self, confidence: Float32[np.ndarray, "H W"]) -> None:
        if confidence.shape != self.values.shape:
            raise InvalidInput(f"Depth {self.values.shape} and its confidence {confidence.shape} must have one size.")
        if not (np.isfinite(confidence).all() and confidence.min() >= 0 and confidence.max() <= 1):
            raise InvalidInput("Confidence must lie between 0 and 1 everywhere.")

    def changed(
        self, values: Float32[np.ndarray, "H W"], scale: DepthScale | None = None, source: str | None = None
    ) -> "DepthMap":
        """Other values, scale and source for the same pixels."""
        scale, source = scale or self.scale, source or self.source
        return replace(self, values=values, scale=scale, source=source, id="")

    @property
    def width(self) -> int:
        return self.values.shape[1]

    @property
    def height(self) -> int:
        return self.values.shape[0]


@dataclass(frozen=True)
class Ground:
    """The plane `up . p + height = 0` in world axes; `up` is a unit vector away from the ground.

    `height` is the distance of the photo's camera above the plane, in scene units.
    """

    up: tuple[float, float, float]
    height: float

    def __post_init__(self) -> None:
        if not np.isclose(np.linalg.norm(self.up), 1.0, atol=1e-6):
            raise InvalidInput(f"The ground's up direction must be a unit vector, got {self.up}.")
        if not self.height > 0:
            raise InvalidInput(f"The camera must be above the ground; its height is {self.height}.")


@dataclass(frozen=True)
class Layout:
    """The two handles of a layout guess, as fractions of the photo's height (0 top, 1 bottom).

    `horizon` is where the ground would meet the sky (may lie outside the picture);
    `ground_end` is where the visible ground stops and the backdrop rises, below the horizon.
    """

    horizon: float
    ground_end: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.horizon) and np.isfinite(self.ground_end)):
            raise InvalidInput("Layout handles must be finite numbers.")
        if self.ground_end <= self.horizon:
            raise InvalidInput(
                f"The ground must end below the horizon: horizon {self.horizon:.3f}, ground end {self.ground_end:.3f}."
            )


@dataclass(frozen=True)
class DepthEstimate:
    """What a depth back-end returns for one photo."""

    depth: DepthMap
    intrinsics: Intrinsics
    ground: Ground | None = None
    layout: Layout | None = None
