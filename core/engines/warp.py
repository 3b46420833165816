"""The engine that is always there: the geometric warp, its holes filled from the photo's own surroundings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from core.maths.bands import block_any, copied, paste
from core.maths.fill import Picture, smooth
from core.maths.holes import Hole, background_side, fill_depth, find_holes
from core.types.protocols import CancelToken, EngineInfo, EngineRequest, EngineUpdate

_PREVIEW_DONE = 0.2
# How deep inside a hole a pixel lies is measured on blocks of larger pictures.
_CONFIDENCE_SIDE = 1000


@runtime_checkable
class GuidedFill(Protocol):
    """A fill that can be told the depth, the seed, and be stopped by an exception from `check`."""

    def __call__(
        self,
        picture: Picture,
        unknown: np.ndarray,
        source_ok: np.ndarray,
        *,
        depth: np.ndarray | None,
        seed: int,
        check: Callable[[], None],
    ) -> Picture: ...


@dataclass(frozen=True)
class _Part:
    """One hole with what may be used to fill it."""

    hole: Hole
    allowed: np.ndarray


class WarpEngine:
    """Fills each hole of the draft within a window around it: smoothly first, then with `fill`."""

    def __init__(self, fill: GuidedFill) -> None:
        self._fill = fill

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(name="warp", title="Geometric warp", licence="MIT", native_size=None, streams=True)

    def render(self, request: EngineRequest, cancel: CancelToken) -> Iterator[EngineUpdate]:
        """A smooth preview, then one update per larger hole; the last is final. Raises Cancelled soon."""
        cancel.check()
        image, depth = copied(request.draft), copied(request.depth)
        cancel.check()
        parts = []
        for hole in find_holes(request.unknown):
            cancel.check()
            parts.append(_preview(request, hole, image, depth))
        confidence = _confidence(request.unknown)
        textured = [part for part in parts if not part.hole.is_thin]
        if textured and request.previews:
            yield EngineUpdate(copied(image), copied(depth), confidence, _PREVIEW_DONE, is_final=False)
        for index, part in enumerate(textured):
            self._texture(request, part, image, depth, index, cancel)
            done = _PREVIEW_DONE + (1 - _PREVIEW_DONE) * (index + 1) / len(textured)
            if index + 1 < len(textured) and request.previews:
                yield EngineUpdate(copied(image), copied(depth), confidence, done, is_final=False)
        yield EngineUpdate(image, depth, confidence, 1.0, is_final=True)

    def _texture(
        self,
        request: EngineRequest,
        part: _Part,
        image: np.ndarray,
        depth: np.ndarray,
        index: int,
        cancel: CancelToken,
    ) -> None:
        """Replace one hole's smooth fill by `fill`, in place."""
        window, own = part.hole.window, part.hole.pixels
        known_depth = depth[window] if (depth[window] > 0).all() else None
        filled = self._fill(
            request.draft[window], own, part.allowed, depth=known_depth, seed=request.seed + index, check=cancel.check
        )
        paste(image[window], filled, own)


def _preview(request: EngineRequest, hole: Hole, image: np.ndarray, depth: np.ndarray) -> _Part:
    """Fill one hole's depth, and its colour where that will be seen, smoothly from the background side, in place."""
    window, own = hole.window, hole.pixels
    draft, unknown, z = request.draft[window], request.unknown[window], request.depth[window]
    hider = None if request.hider is None else request.hider[window]
    allowed = background_side(z, unknown, request.foreground[window], hider)
    if request.previews or hole.is_thin:
        paste(image[window], smooth(draft, own, allowed), own)
    paste(depth[window], fill_depth(z, own, allowed), own)
    return _Part(hole, allowed)


def _confidence(unknown: np.ndarray) -> np.ndarray:
    """1 where known; in a hole from 0.8 at its border towards 0.1, halving every 2 % of the picture's longer side."""
    step = -(-max(unknown.shape) // _CONFIDENCE_SIDE)
    inside = cv2.distanceTransform(block_any(unknown, step).astype(np.uint8), cv2.DIST_L2, 3)
    # Without any known pixel OpenCV says the largest number there is.
    inside = step * np.minimum(inside, np.float32(max(unknown.shape)))
    halving = max(1.0, 0.02 * max(unknown.shape))
    blocks = np.maximum(0.1, 0.8 * 0.5 ** (inside / halving)).astype(np.float32)
    height, width = unknown.shape
    size = (step * blocks.shape[1], step * blocks.shape[0])
    confidence = copied(np.broadcast_to(np.float32(1), unknown.shape))
    paste(confidence, cv2.resize(blocks, size, interpolation=cv2.INTER_NEAREST)[:height, :width], unknown)
    return confidence
