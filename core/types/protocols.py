"""The three things that can be swapped: depth back-ends, mask back-ends, engines.

All are values: stateless towards sessions, no device arguments, no optional result keys.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32

from core.errors import Cancelled
from core.types.camera import Intrinsics
from core.types.depth import DepthEstimate
from core.types.flow import FlowField
from core.types.mask import Mask, Prompt
from core.types.photo import Photo, Pixels
from core.types.project import PaintOrder


class CancelToken:
    """Set once by whoever waits; checked by whoever works."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raises Cancelled once `cancel` was called."""
        if self._event.is_set():
            raise Cancelled("Stopped.")


@dataclass(frozen=True)
class BackendInfo:
    """What the interface says about a depth or mask back-end."""

    name: str
    title: str
    licence: str


@dataclass(frozen=True)
class Embedding:
    """A back-end's one-time work on one photo; opaque, handed back with every prompt."""

    backend: str
    photo_id: str
    payload: Any
    size_bytes: int


@dataclass(frozen=True)
class EngineInfo:
    """What the interface says about an engine; `native_size` None means any size.

    With `takes_flow` its requests hold the flow of the background that it paints; others do without.
    """

    name: str
    title: str
    licence: str
    native_size: int | None = None
    streams: bool = False
    takes_flow: bool = False


@dataclass(frozen=True)
class EngineRequest:
    """A picture with holes, and where its known pixels came from.

    `draft` is the geometric warp at output size; its `unknown` pixels hold nothing of meaning.
    `foreground` marks known pixels that must never bleed into a hole (moved objects).
    `depth` is the edited frame's z, 0 where unknown. `flow` leads from the source to the draft: the very field by which
    the draft was warped, for engines that take it. `hider` is z of what was taken away and had hidden the unknown
    pixels, 0 where nothing is known of it: what does not stand before it may go on behind it.
    `order` is where to paint first, for engines that paint piece by piece.
    `previews` False: only the final update will be looked at.
    Same request and seed: same final pixels.
    """

    source: Photo
    draft: Pixels
    unknown: Bool[np.ndarray, "H W"]
    foreground: Bool[np.ndarray, "H W"]
    depth: Float32[np.ndarray, "H W"]
    flow: FlowField | None
    seed: int = 0
    previews: bool = True
    hider: Float32[np.ndarray, "H W"] | None = None
    order: PaintOrder = "auto"


@dataclass(frozen=True)
class EngineUpdate:
    """`image` equals `draft` bit for bit where `unknown` is False; `depth` is filled likewise.

    `confidence` is 1 for known pixels and lower where the engine is unsure; `done` goes to 1. An engine never changes
    the arrays of an update that it has given away: other threads look at them.
    """

    image: Pixels
    depth: Float32[np.ndarray, "H W"]
    confidence: Float32[np.ndarray, "H W"]
    done: float
    is_final: bool


@runtime_checkable
class DepthBackend(Protocol):
    @property
    def info(self) -> BackendInfo: ...

    def estimate(self, photo: Photo, intrinsics: Intrinsics, cancel: CancelToken) -> DepthEstimate:
        """Depth at any size with the photo's aspect ratio."""
        ...


@runtime_checkable
class SegmentationBackend(Protocol):
    @property
    def info(self) -> BackendInfo: ...

    def prepare(self, photo: Photo) -> Embedding:
        """Slow, once per photo, kept by the caller."""
        ...

    def segment(self, embedding: Embedding, prompt: Prompt) -> list[Mask]:
        """Fast, per click; candidates at the photo's size, best first. Raises InvalidInput on a prompt outside."""
        ...


@runtime_checkable
class Engine(Protocol):
    @property
    def info(self) -> EngineInfo: ...

    def render(self, request: EngineRequest, cancel: CancelToken) -> Iterator[EngineUpdate]:
        """Fill the unknown pixels; the last update is final. Raises Cancelled soon after `cancel`."""
        ...
