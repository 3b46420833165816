"""How long the full-size result will take, from what this machine has just done."""

from core.types.frame import Frame
from core.types.photo import Photo

_ENGINE_STAGE = "engine"
_WRITING_PER_MEGAPIXEL = 0.06  # of a format not yet written: most take less, text takes more
_GROWTH_PER_RATIO = 0.05  # the engine solves at a bounded size: 19 times the pixels took about twice as long


class TimeEstimate:
    """Learns from every rendered frame; geometry grows with the pixels, inventing hardly does."""

    def __init__(self) -> None:
        self._engine_seconds = 0.0
        self._engine_growth = _GROWTH_PER_RATIO
        self._full_size_per_megapixel: float | None = None
        self._writing_per_megapixel: dict[str, float] = {}
        self._peeling_per_megapixel: float | None = None

    def learn(self, frame: Frame) -> None:
        """Remember the engine's time; a frame whose inventions were remembered from before has none."""
        self._engine_seconds = frame.seconds.get(_ENGINE_STAGE) or self._engine_seconds

    def learn_full_size(self, frame: Frame, expected_engine: float) -> None:
        """Correct what was expected of a full-size frame by what it took."""
        self._full_size_per_megapixel = _geometry_seconds(frame) / _megapixels(frame)
        taken = frame.seconds.get(_ENGINE_STAGE)
        if taken and expected_engine > 0:
            self._engine_growth *= taken / expected_engine

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

    def engine_at_full_size(self, preview: Frame, photo: Photo) -> float:
        """Seconds of inventing at the photo's own size."""
        ratio = photo.width * photo.height / 1e6 / _megapixels(preview)
        return self._engine_seconds * max(1.0, 1.0 + self._engine_growth * (ratio - 1.0))

    def full_size(self, preview: Frame, photo: Photo) -> float:
        """Seconds for the whole result at the photo's own size."""
        megapixels = photo.width * photo.height / 1e6
        per_megapixel = self._full_size_per_megapixel
        if per_megapixel is None:
            per_megapixel = _geometry_seconds(preview) / _megapixels(preview)
        return per_megapixel * megapixels + self.engine_at_full_size(preview, photo)


def _megapixels(frame: Frame) -> float:
    return frame.pixels.shape[0] * frame.pixels.shape[1] / 1e6


def _geometry_seconds(frame: Frame) -> float:
    return sum(seconds for stage, seconds in frame.seconds.items() if stage != _ENGINE_STAGE)
