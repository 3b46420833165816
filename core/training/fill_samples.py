"""Samples for the fill network: parts of the kept places, turned and coloured otherwise each time."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from core.errors import InvalidInput
from core.training.config import TrainConfig
from core.training.fill_places import FillPlaces, FillSample
from core.training.packed import PackedSet
from core.training.samples import Drawer

_GAIN_DEVIATION, _BALANCE_DEVIATION, _GAMMA_DEVIATION = 0.12, 0.06, 0.15
_PICTURES = "truth", "copied", "smooth"


@dataclass(frozen=True)
class FillWindows:
    """SampleMaker of fill samples."""

    packed: PackedSet
    config: TrainConfig

    def make(self, index: int, held_out: bool = False) -> FillSample:
        random, settings = Drawer(self.packed, self.config).random(index, held_out), self.config.fill
        if held_out:
            return self._part(self._places.place(index % settings.held_out_places, True), random)
        part = self._part(self._places.place(int(random.integers(settings.places)), False), random)
        return _coloured(_turned(part, random), random)

    def check(self) -> None:
        """Raises InvalidInput when disocclusions are asked for and no picture has depth."""
        wanted = self.config.fill.disocclusion_share > 0
        if wanted and not (self._places.has_depth(False) and self._places.has_depth(True)):
            raise InvalidInput(
                "The data has no depth to uncover anything by; pack photos with weak_depth beside them, "
                "or set fill.disocclusion_share to 0."
            )

    @cached_property
    def _places(self) -> FillPlaces:
        return FillPlaces(self.packed, self.config)

    def _part(self, place: FillSample, random: np.random.Generator) -> FillSample:
        """A window that has a random unknown pixel in it."""
        side, whole = self.config.fill.window_pixels, self.config.fill.place_pixels
        unknown = np.argwhere(place.unknown)
        y, x = unknown[int(random.integers(len(unknown)))]
        top, left = (int(random.integers(max(0, at - side + 1), min(at, whole - side) + 1)) for at in (int(y), int(x)))
        window = slice(top, top + side), slice(left, left + side)
        return FillSample(*(np.ascontiguousarray(field[window]) for field in _fields(place)))


def _fields(sample: FillSample) -> tuple[np.ndarray, ...]:
    return sample.truth, sample.copied, sample.smooth, sample.unknown, sample.usable


def _turned(sample: FillSample, random: np.random.Generator) -> FillSample:
    """As seen in a mirror, and now and then on its side: what is up matters to depth, hardly to texture."""
    turns = int(random.integers(4)) if random.random() < 0.25 else 0
    flip = -1 if random.random() < 0.5 else 1
    return FillSample(*(np.ascontiguousarray(np.rot90(field, turns)[:, ::flip]) for field in _fields(sample)))


def _coloured(sample: FillSample, random: np.random.Generator) -> FillSample:
    """Other light, the same for the truth and both guesses, so that they still agree where the photo is known."""
    gains = np.exp(random.normal(0, _GAIN_DEVIATION) + random.normal(0, _BALANCE_DEVIATION, 3))
    gamma = np.exp(random.normal(0, _GAMMA_DEVIATION))
    levels = np.arange(256, dtype=np.float64)[:, None] / 255
    table = np.rint(255 * (levels**gamma * gains).clip(0, 1)).astype(np.uint8)
    channels = np.arange(3)
    return replace(sample, **{name: table[getattr(sample, name), channels] for name in _PICTURES})
