"""The one thing that is saved; every edit makes a new one."""

from dataclasses import dataclass
from typing import Literal

from core.types.depth import DepthMap, Layout
from core.types.flow import FlowField
from core.types.mask import Mask
from core.types.photo import Photo
from core.types.scene import Scene

SCHEMA_VERSION = 5

EngineChoice = Literal["auto", "warp", "lras-small", "lras"]
PaintOrder = Literal["auto", "inwards", "scattered"]


@dataclass(frozen=True)
class Settings:
    """How the result is made: which engine, the seed of anything random, and where an LRAS network paints first.

    `order`: from a hole's border inwards, or all over it; "auto" is what suits the network.
    """

    engine: EngineChoice = "auto"
    seed: int = 0
    order: PaintOrder = "auto"


@dataclass(frozen=True)
class Reroll:
    """Invent anew, from another seed, what of the edited picture's invented parts lies in `region` (its size)."""

    region: Mask
    seed: int


@dataclass(frozen=True)
class Project:
    """A photo, what is known about its geometry, and what should become of it; `rerolls` in the order asked for."""

    photo: Photo
    depth: DepthMap
    scene: Scene
    layout: Layout | None = None
    flow_override: FlowField | None = None
    settings: Settings = Settings()
    rerolls: tuple[Reroll, ...] = ()
