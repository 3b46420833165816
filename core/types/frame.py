"""A rendered picture with everything the user may take away from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32

from core.types.flow import FlowField
from core.types.photo import Coverage, Pixels

Stage = Literal["preview", "partial", "final"]


@dataclass(frozen=True)
class Frame:
    """One rendered image. `pixels` have the photo's bit depth and colour profile.

    `depth` is the edited frame's z (0 where `depth_valid` is False); `invented` marks pixels
    that do not come from the photo, `moved` those that stand elsewhere in it, and `confidence` is 1 but where
    something was invented: there, how sure the engine is. Pixels that a shadow was lifted from or laid on are the
    photo's own in another light: neither invented nor moved. `seconds` names each stage's time.
    """

    pixels: Pixels
    alpha: Coverage | None
    depth: Float32[np.ndarray, "H W"]
    depth_valid: Bool[np.ndarray, "H W"]
    flow: FlowField
    invented: Bool[np.ndarray, "H W"]
    moved: Bool[np.ndarray, "H W"]
    confidence: Float32[np.ndarray, "H W"]
    stage: Stage
    engine: str
    seed: int
    done: float = 1.0
    seconds: Mapping[str, float] = field(default_factory=dict)
