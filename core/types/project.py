"""The one thing that is saved; every edit makes a new one."""

from dataclasses import dataclass
from typing import Literal

from core.types.depth import DepthMap, Layout
from core.types.flow import FlowField
from core.types.mask import Mask
from core.types.photo import Photo
from core.types.scene import Scene

SCHEMA_VERSION = 3

EngineChoice = Literal["auto", "warp", "lras-small", "lras"]


@dataclass(frozen=True)
class Settings:
    """How the result is made: which engine, and the seed of anything random."""

    engine: EngineChoice = "auto"
    seed: int = 0


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
