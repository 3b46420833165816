"""Pairs of a draft and the truth: a real photo with a hole, which the network that fills holes has filled."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from core.nets.fill_student import FillInputs, FillStudent
from core.training.config import TrainConfig
from core.training.fill_places import FillSample
from core.training.fill_samples import FillWindows
from core.training.packed import PackedSet
from core.training.pairs import Pair


@dataclass(frozen=True)
class DraftPairs:
    """`make(i, held_out)` is pair i; the network of [fill]'s windows is `fill`."""

    packed: PackedSet
    config: TrainConfig
    fill: FillStudent

    def make(self, index: int, held_out: bool) -> Pair:
        return drafted(self._windows.make(index, held_out), self.fill)

    def check(self) -> None:
        """Raises InvalidInput as FillWindows does, or when its windows are not what the network takes."""
        self._windows.check()

    @cached_property
    def _windows(self) -> FillWindows:
        return FillWindows(self.packed, self.config)


def drafted(sample: FillSample, fill: FillStudent) -> Pair:
    """Source: the truth with its unknown pixels filled; nothing moves."""
    made = np.where(sample.unknown[..., None], _filled(sample, fill), sample.truth)
    still = np.zeros((*sample.unknown.shape, 2), np.float32)
    return Pair(made, sample.truth, still, sample.unknown, None)


def _filled(sample: FillSample, fill: FillStudent) -> UInt8[np.ndarray, "S S 3"]:
    copied, smooth = (_batch(picture) for picture in (sample.copied, sample.smooth))
    masks = (torch.from_numpy(mask[None]) for mask in (sample.unknown, sample.usable))
    with torch.inference_mode():
        made = fill(FillInputs(copied, smooth, *masks)).applied(copied, smooth)[0].permute(1, 2, 0).numpy()
    return np.rint(255 * made.clip(0, 1)).astype(np.uint8)


def _batch(picture: UInt8[np.ndarray, "S S 3"]) -> torch.Tensor:
    values: Float32[np.ndarray, "3 S S"] = picture.transpose(2, 0, 1).astype(np.float32) / 255
    return torch.from_numpy(np.ascontiguousarray(values[None]))
