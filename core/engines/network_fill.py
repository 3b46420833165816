"""The fill by the small network that comes with the studio: it weighs the copied guess against the smooth one."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32

from core.maths.bands import block_any, copied
from core.maths.fill import Picture, block_means, put_back, to_float
from core.maths.fill_guess import Guesses, guesses
from core.nets.files import load_fill_student
from core.nets.fill_student import FillInputs, FillStudent

# The network sees at most so many pixels a side, and at least so many around the hole.
SIDE = 512
_MARGIN = 64


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
        """As `exemplar`; large holes are judged on reduced pictures, the texture is copied at full size.

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
        part = Guesses(guessed.copied[box], guessed.smooth[box])
        made = self._weighed(part, unknown[box], usable[box])
        result = copied(picture)
        result[box] = put_back(picture[box], made, unknown[box])
        return result

    @cached_property
    def _network(self) -> FillStudent:
        return load_fill_student(self._weights)

    def _weighed(
        self, part: Guesses, unknown: Bool[np.ndarray, "H W"], usable: Bool[np.ndarray, "H W"]
    ) -> Float32[np.ndarray, "H W 3"]:
        """What the network makes of both guesses, 0..1; its answer is enlarged where it saw a reduced picture."""
        step = -(-max(unknown.shape) // self._side)
        told = [to_float(picture) for picture in (part.copied, part.smooth)]
        masks = [unknown, usable]
        if step > 1:
            everything = np.ones(unknown.shape, bool)
            small = [block_means(picture, everything, step)[0] for picture in (part.copied, part.smooth)]
            masks = [block_any(unknown, step), ~block_any(~usable, step)]
        else:
            small = told
        inputs = FillInputs(*(_batch(picture) for picture in small), *(torch.from_numpy(mask[None]) for mask in masks))
        with torch.inference_mode():
            answer = self._network(inputs)
        share, correction = (
            _enlarged(field[0].permute(1, 2, 0).numpy(), unknown.shape, step)
            for field in (answer.share, answer.correction)
        )
        copy, smooth = told
        return smooth + share.reshape(*unknown.shape, 1) * (copy - smooth) + correction


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


def _batch(picture: Float32[np.ndarray, "h w 3"]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))[None])


def _enlarged(field: Float32[np.ndarray, "h w C"], shape: tuple[int, ...], step: int) -> Float32[np.ndarray, "H W C"]:
    """Interpolated from blocks of `step` x `step` pixels."""
    if step == 1:
        return field
    height, width = shape
    size = (step * field.shape[1], step * field.shape[0])
    return cv2.resize(field, size, interpolation=cv2.INTER_LINEAR)[:height, :width].reshape(height, width, -1)
