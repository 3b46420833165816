"""Soft object masks and the prompts that make them."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8

from core.types.ids import ContentAddressed, content_id, read_only


@dataclass(frozen=True, eq=False)
class Mask(ContentAddressed):
    """Coverage 0..255 per pixel of the photo (255 = fully the object, soft at edges)."""

    coverage: UInt8[np.ndarray, "H W"]
    source: str = "user"
    score: float = 1.0
    id: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "coverage", read_only(self.coverage))
        if not self.id:
            object.__setattr__(self, "id", content_id(self.coverage))


@dataclass(frozen=True)
class Click:
    """A point in photo pixels; `positive` adds what is there, else takes it away."""

    x: float
    y: float
    positive: bool = True


@dataclass(frozen=True)
class Box:
    """Corners in photo pixels, x0 <= x1 and y0 <= y1, both ends inside."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class Prompt:
    """What the user said about one object; `previous` is the mask to refine."""

    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    previous: Mask | None = None
