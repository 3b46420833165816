"""How long the full-size result will take, from what this machine has just done."""

from collections.abc import Collection
from math import log

from core.editing.plate import Plate
from core.editing.stages import AGAIN, BEHIND, FOUND_AGAIN, INVENTING, UNCOVERED
from core.types.frame import Frame
from core.types.photo import Photo

_WRITING_PER_MEGAPIXEL = 0.06  # of a format not yet written: most take less, text takes more
# A stage's time goes with this power of the pixels until it is known: small pictures pay for more than their pixels,
# and the engine solves at a bounded size.
_GEOMETRY_POWER = 0.85
_INVENTING_POWERS = {BEHIND: 0.2, UNCOVERED: 0.33, AGAIN: 0.2}


class TimeEstimate:
    """Learns stage by stage from every rendered frame; geometry grows with the pixels, inventing hardly does."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, float]] = {}
        self._powers: dict[str, float] = {}
        self._at_full_size: dict[str, float] = {}
        self._writing_per_megapixel: dict[str, float] = {}
        self._peeling_per_megapixel: float | None = None

    def learn(self, made: Frame | Plate) -> None:
        """Remember each stage's time: what was found in the memo has none, or next to none."""
        megapixels = _megapixels(made)
        for stage, seconds in made.seconds.items():
            before, at = self._seen.get(stage, (0.0, 1.0))
            if stage not in FOUND_AGAIN or seconds / megapixels > before / at:
                self._seen[stage] = seconds, megapixels

    def learn_full_size(self, frame: Frame, worked: Collection[str]) -> None:
        """Correct what is expected at full size by the stages that a frame had to work through."""
        megapixels = _megapixels(frame)
        for stage in frame.seconds.keys() & set(worked):
            taken = frame.seconds[stage]
            self._at_full_size[stage] = taken / megapixels
            seconds, at = self._seen.get(stage, (0.0, megapixels))
            if min(seconds, taken) > 0 and megapixels > at:
                self._powers[stage] = log(taken / seconds) / log(megapixels / at)

    def learn_writing(self, format_name: str, seconds: float, photo: Photo) -> None:
        """Remember how long a full-size file took to be made of its frame."""
        self._writing_per_megapixel[format_name] = seconds / (photo.width * photo.height / 1e6)

    def writing(self, format_name: str, photo: Photo) -> float:
        """Seconds to make a full-size file of its frame."""
        per_megapixel = self._writing_per_megapixel.get(format_name, _WRITING_PER_MEGAPIXEL)
        return per_megapixel * photo.width * photo.height / 1e6

    def learn_peeling(self, seconds: float, photo: Photo) -> None:
        """Remember how long a photo took to be peeled."""
        self._peeling_per_megapixel = seconds / (photo.width * photo.height / 1e6)

    def peeling(self, photo: Photo) -> float | None:
        """Seconds to peel a photo; None before the first was."""
        per_megapixel = self._peeling_per_megapixel
        return None if per_megapixel is None else per_megapixel * photo.width * photo.height / 1e6

    def full_size(self, photo: Photo, ahead: Collection[str]) -> float:
        """Seconds for the stages that lie ahead, at the photo's own size."""
        megapixels = photo.width * photo.height / 1e6
        return sum(self._expected(stage, megapixels) for stage in ahead)

    def _expected(self, stage: str, megapixels: float) -> float:
        if stage in self._at_full_size and stage not in INVENTING:
            return self._at_full_size[stage] * megapixels
        seconds, at = self._seen.get(stage, (0.0, megapixels))
        power = self._powers.get(stage, _INVENTING_POWERS[stage]) if stage in INVENTING else _GEOMETRY_POWER
        return seconds * (megapixels / at) ** power


def _megapixels(made: Frame | Plate) -> float:
    return made.pixels.shape[0] * made.pixels.shape[1] / 1e6
