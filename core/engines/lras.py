"""The LRAS network as an engine: it repaints the patches that hold something unknown, all others are shown to it."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, UInt8

from core.engines.lras_window import PaintedWindow, as_8_bit, through_codes
from core.engines.windows import Window, windows_over
from core.lras.config import PATCH_PIXELS
from core.lras.quantizer import Quantizer
from core.lras.runtime import Decoding, Runtime
from core.lras.sampling import Sampling
from core.types.photo import Pixels
from core.types.protocols import CancelToken, Engine, EngineInfo, EngineRequest, EngineUpdate

# For the network that comes with the studio: as measured on the fill benchmark (docs/training.md).
SMALL_DECODING = Decoding(patches_per_pass=16, sampling=Sampling(0.7, 200, 0.8), keeps=0.2)
_DRAFT_DONE = 0.1
# A picture is shown after the first pass and whenever so many patches more are painted, or such a share of those that
# are: to make, send and draw it costs as much as they do.
_SHOWN_PATCHES = 48
_SHOWN_SHARE = 0.5
# More patches than these are painted at a reduced size, so that a render ends in time.
_MOST_PATCHES = 1280
# Pictures are enlarged at most so many times.
_MOST_ENLARGED = 4


class LrasEngine:
    """Drafts with another engine (its depth, its preview), then paints window after window with the network."""

    def __init__(
        self, runtime: Runtime, quantizer: Quantizer, draft: Engine, info: EngineInfo, decoding: Decoding | None = None
    ) -> None:
        self._runtime, self._quantizer, self._draft = runtime, quantizer, draft
        self._info = info
        self._decoding = decoding or Decoding()

    @property
    def info(self) -> EngineInfo:
        return self._info

    def render(self, request: EngineRequest, cancel: CancelToken) -> Iterator[EngineUpdate]:
        """The draft's picture, then updates as patches are decoded; the last is final. Raises Cancelled soon."""
        drafted = None
        for drafted in self._draft.render(request, cancel):
            if request.previews:
                yield replace(drafted, is_final=False, done=_DRAFT_DONE * drafted.done)
        assert drafted is not None
        image, confidence = drafted.image.copy(), drafted.confidence.copy()
        waiting, shown = _SHOWN_PATCHES, 0
        for painted, count, share in self._passes(request, image, cancel):
            waiting += count
            is_shown = request.previews and waiting >= max(_SHOWN_PATCHES, _SHOWN_SHARE * shown)
            if is_shown or painted.is_done:
                painted.show(image, confidence)
            if is_shown:
                shown, waiting, done = shown + waiting, 0, _DRAFT_DONE + (1 - _DRAFT_DONE) * share
                yield replace(drafted, image=image.copy(), confidence=confidence.copy(), done=done, is_final=False)
        yield replace(drafted, image=image, confidence=confidence, done=1.0, is_final=True)

    def as_codes(self, image: Pixels) -> UInt8[np.ndarray, "H W 3"]:
        """A picture as its tokens alone show it, at its own size: what is left without the photo's own pixels."""
        return through_codes(self._quantizer, as_8_bit(image), self._runtime.model.device)

    def _passes(
        self, request: EngineRequest, image: np.ndarray, cancel: CancelToken
    ) -> Iterator[tuple[PaintedWindow, int, float]]:
        """After each pass: its window, how many patches it painted, and the share of all that is painted by then.

        The picture must hold what a window painted before the next one is asked for.
        """
        windows = self._windows(request.unknown)
        left = request.unknown.copy()
        for index, window in enumerate(windows):
            asked = replace(request, unknown=left.copy())
            left[window.slices] = False
            if not asked.unknown[window.slices].any():
                continue
            painted = PaintedWindow.of(self._runtime, self._quantizer, asked, window, image)
            for count in painted.paint(self._decoding, cancel):
                yield painted, count, (index + painted.done / len(painted.asked)) / len(windows)

    def _windows(self, unknown: Bool[np.ndarray, "H W"]) -> list[Window]:
        """A network that corrects a draft sees it at its own size where it can, in as many windows as that takes.

        A picture that is much smaller than what it sees holds nothing that it could correct: the draft stays.
        """
        config = self._runtime.model.config
        if not config.sees_draft:
            return windows_over(unknown, config.image_size)
        if _MOST_ENLARGED * min(unknown.shape) < config.image_size:
            return []
        shrink = max(1.0, float(np.sqrt(unknown.sum() / (PATCH_PIXELS**2 * _MOST_PATCHES))))
        return windows_over(unknown, config.image_size, round(shrink * config.image_size))
