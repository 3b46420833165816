"""The fill by the small network that comes with the studio: it weighs the copied guess against the smooth one."""

from collections.abc import Callable
from functools import cached_property
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32

from core.compute import computes
from core.maths.bands import block_any, copied, paste
from core.maths.fill import Picture, block_means, put_back, to_float
from core.maths.fill_guess import Guesses, guesses
from core.nets.files import load_fill_student
from core.nets.fill_student import FillAnswer, FillInputs, FillStudent

# The network sees at most so many pixels a side, and at least so many around the hole.
SIDE = 512
_MARGIN = 64
_TILE_PIXELS = 256


class NetworkFill:
    """A `GuidedFill`. The weights are read when the first hole is filled."""

    def __init__(self, weights: Path, side: int = SIDE) -> None:
        self._weights, self._side = weights, side

    def __call__(
        self,
        picture: Picture,
        unknown: Bool[np.ndarray, "H W"],
        source_ok: Bool[np.ndarray, "H W"],
        *,
        depth: Float32[np.ndarray, "H W"] | None,
        seed: int,
        check: Callable[[], None],
    ) -> Picture:
        """As `exemplar`; large holes are judged on reduced pictures, texture is copied at full size.

        Raises InvalidInput when the weights are missing or damaged.
        """
        if not unknown.any():
            return copied(picture)
        guessed = guesses(picture, unknown, source_ok, depth=depth, seed=seed, check=check)
        usable = source_ok & ~unknown
        if not usable.any():
            return guessed.smooth
        check()
        box = _around(unknown, self._side)
        part, result = Guesses(guessed.copied[box], guessed.smooth[box]), copied(picture)
        step = -(-max(part.copied.shape[:2]) // self._side)
        maps = self._asked(part, unknown[box], usable[box], step)
        asked, before, after = unknown[box], picture[box], result[box]
        for tile in product(_spans(asked.shape[0], step), _spans(asked.shape[1], step)):
            if not asked[tile].any():
                continue
            check()
            made = _applied(_enlarged(maps, tile, step), part.copied[tile], part.smooth[tile])
            paste(after[tile], put_back(before[tile], made, asked[tile]), asked[tile])
        return result

    @cached_property
    def _network(self) -> FillStudent:
        return load_fill_student(self._weights)

    @computes
    def _asked(
        self, part: Guesses, unknown: Bool[np.ndarray, "H W"], usable: Bool[np.ndarray, "H W"], step: int
    ) -> Float32[np.ndarray, "h w 8"]:
        """The network's answer about blocks of `step` x `step` pixels."""
        if step > 1:
            whole = np.ones(unknown.shape, bool)
            pictures = [block_means(guess, whole, step)[0] for guess in (part.copied, part.smooth)]
            unknown, usable = block_any(unknown, step), ~block_any(~usable, step)
        else:
            pictures = [to_float(guess) for guess in (part.copied, part.smooth)]
        masks = (torch.from_numpy(np.ascontiguousarray(mask)[None]) for mask in (unknown, usable))
        told = FillInputs(*map(_batch, pictures), *masks)
        with torch.inference_mode():
            return self._network(told).maps[0].permute(1, 2, 0).contiguous().numpy()


def _around(unknown: Bool[np.ndarray, "H W"], side: int) -> tuple[slice, slice]:
    """The hole's bounding box with a margin that is as wide for the network whatever the reduction."""
    spans = [np.flatnonzero(unknown.any(axis=axis)) for axis in (1, 0)]
    longest = max(int(span[-1] - span[0]) + 1 for span in spans)
    margin = _MARGIN * max(1, -(-longest // max(1, side - 2 * _MARGIN)))
    rows, columns = (
        slice(max(0, int(span[0]) - margin), min(length, int(span[-1]) + 1 + margin))
        for span, length in zip(spans, unknown.shape, strict=True)
    )
    return rows, columns


@computes
def _applied(maps: Float32[np.ndarray, "h w C"], *guessed: Picture) -> Float32[np.ndarray, "h w 3"]:
    answer = FillAnswer(_batch(maps)).applied(*(_batch(to_float(guess)) for guess in guessed))
    return answer[0].permute(1, 2, 0).contiguous().numpy()


def _batch(picture: Float32[np.ndarray, "h w C"]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))[None])


def _spans(length: int, step: int) -> list[slice]:
    """Parts of a side that are whole blocks: tiles of them without a hole cost nothing."""
    span = step * max(1, _TILE_PIXELS // step)
    return [slice(first, min(length, first + span)) for first in range(0, length, span)]


def _enlarged(maps: Float32[np.ndarray, "h w C"], tile: tuple[slice, slice], step: int) -> Float32[np.ndarray, "H W C"]:
    """That tile of the maps enlarged `step` times: interpolated as if the whole were."""
    if step == 1:
        return maps[tile]
    rows, columns = tile
    top, left = (span.start // step for span in tile)
    above, before = min(1, top), min(1, left)
    bottom, right = (-(-span.stop // step) for span in tile)
    around = np.ascontiguousarray(maps[top - above : bottom + 1, left - before : right + 1])
    size = (step * around.shape[1], step * around.shape[0])
    large = cv2.resize(around, size, interpolation=cv2.INTER_LINEAR)
    return large[step * above :, step * before :][: rows.stop - rows.start, : columns.stop - columns.start]
