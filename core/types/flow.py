"""The motion of an edit as one field."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32

from core.types.ids import ContentAddressed, content_id, read_only


@dataclass(frozen=True, eq=False)
class FlowField(ContentAddressed):
    """Displacement (dx, dy) in pixels from each source pixel to the edited frame.

    `flow` is NaN where a source pixel has no place in the edited frame (hidden object, behind
    the camera, no depth). `visible` says which source pixels are seen there (not occluded, not
    off the frame). `uncovered` is over the edited frame: pixels no source pixel explains.
    """

    flow: Float32[np.ndarray, "H W 2"]
    visible: Bool[np.ndarray, "H W"]
    uncovered: Bool[np.ndarray, "Ht Wt"]

    def __post_init__(self) -> None:
        for name in ("flow", "visible", "uncovered"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @cached_property
    def id(self) -> str:  # type: ignore[override] - made on first use: hashing every frame's field would be felt
        """The content id."""
        return content_id(self.flow, self.visible, self.uncovered)

    @property
    def share_uncovered(self) -> float:
        """Share of the edited frame that has to be invented, 0..1."""
        return float(self.uncovered.mean())
