"""How long the full-size result will take, from what this machine has just done."""

from core.types.frame import Frame
from core.types.photo import Photo


class TimeEstimate:
    """Seconds per megapixel, geometry and invention apart, learnt from every full-size frame."""

    def __init__(self) -> None:
        self._seconds_per_megapixel: float | None = None

    def learn(self, frame: Frame) -> None:
        """Remember how fast a full-size frame was."""
        megapixels = frame.pixels.shape[0] * frame.pixels.shape[1] / 1e6
        self._seconds_per_megapixel = sum(frame.seconds.values()) / megapixels

    def full_size(self, preview: Frame, photo: Photo) -> float:
        """Seconds for the photo's own size; before the first one, the preview's speed is taken."""
        megapixels = photo.width * photo.height / 1e6
        if self._seconds_per_megapixel is not None:
            return self._seconds_per_megapixel * megapixels
        preview_megapixels = preview.pixels.shape[0] * preview.pixels.shape[1] / 1e6
        return sum(preview.seconds.values()) * max(1.0, megapixels / preview_megapixels) ** 0.75
