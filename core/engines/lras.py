"""The LRAS network as an engine: it repaints the patches that hold something unknown, all others are shown to it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8

from core.engines.windows import Window, windows_over
from core.lras.config import PATCH_PIXELS
from core.lras.flow_patches import choose_patches, flow_grid
from core.lras.layout import Codes, flow_to_bins, set_patches
from core.lras.plan import Known, Plan, orders, rgb_plan
from core.lras.quantizer import Quantizer, denormalise_rgb, normalise_rgb
from core.lras.recipe import INTENDED
from core.lras.runtime import Decoding, Runtime
from core.maths.membrane import membrane
from core.types.protocols import CancelToken, Engine, EngineInfo, EngineRequest, EngineUpdate

# Width of the known band, in network pixels, whose colours the painted patches are matched to.
_MATCHED_BAND = 8
_DRAFT_DONE = 0.1


@dataclass(frozen=True)
class _View:
    """A window at the network's size: what the photo shows there, the picture so far, what must be painted."""

    window: Window
    source: UInt8[np.ndarray, "S S 3"]
    picture: UInt8[np.ndarray, "S S 3"]
    unknown: Bool[np.ndarray, "S S"]


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
        """The draft's picture, then one update a group of patches; the last is final. Raises Cancelled soon."""
        drafted = None
        for drafted in self._draft.render(request, cancel):
            if request.previews and not drafted.is_final:
                yield replace(drafted, done=_DRAFT_DONE * drafted.done)
        assert drafted is not None
        windows = windows_over(request.unknown, self._runtime.model.config.image_size)
        if not windows:
            yield drafted
            return
        image, confidence = drafted.image.copy(), drafted.confidence.copy()
        update = replace(drafted, is_final=False, done=_DRAFT_DONE)
        for index, window in enumerate(windows):
            for share in self._paint(request, window, image, confidence, cancel):
                done = _DRAFT_DONE + (1 - _DRAFT_DONE) * (index + share) / len(windows)
                update = replace(update, image=image.copy(), confidence=confidence.copy(), done=done)
                if request.previews and done < 1:
                    yield update
        yield replace(update, image=image, confidence=confidence, done=1.0, is_final=True)

    def _paint(
        self,
        request: EngineRequest,
        window: Window,
        image: np.ndarray,
        confidence: np.ndarray,
        cancel: CancelToken,
    ) -> Iterator[float]:
        """Paint one window in place; yields the share of its patches that are done."""
        view = self._view(request, window, image)
        plan, codes = self._plan(request, view)
        doubt = np.zeros(plan.config.n_patches, np.float32)
        done = 0
        for part in self._runtime.decode(plan, self._decoding, request.seed, cancel):
            set_patches(codes, part.ids, part.codes[0])
            doubt[part.ids] = part.entropy[0].mean(axis=1) / np.log(plan.config.rgb_range.size)
            done += len(part.ids)
            if request.previews or done == len(plan.order):
                self._show(request, view, codes, doubt, image, confidence)
                yield done / len(plan.order)

    def _view(self, request: EngineRequest, window: Window, image: np.ndarray) -> _View:
        size = self._runtime.model.config.image_size
        height, width = request.unknown.shape
        source = request.source.srgb
        if source.shape[:2] != (height, width):
            source = cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA)
        share = cv2.resize(
            request.unknown[window.slices].astype(np.float32), (size, size), interpolation=cv2.INTER_AREA
        )
        return _View(
            window, _resized(source[window.slices], size), _resized(_as_8_bit(image[window.slices]), size), share > 0
        )

    def _plan(self, request: EngineRequest, view: _View) -> tuple[Plan, Codes]:
        """The sequence for a window, and the codes of its picture so far."""
        config = self._runtime.model.config
        source, codes = self._encode(view.source), self._encode(view.picture)
        blocks = view.unknown.reshape(config.grid, PATCH_PIXELS, config.grid, PATCH_PIXELS)
        known = np.flatnonzero(~blocks.any(axis=(1, 3)).reshape(-1))
        drawn = orders(config, request.seed)
        flow = None
        if request.flow is not None and request.flow.flow.shape[:2] == request.unknown.shape:
            grid = flow_grid(request.flow.flow[view.window.slices].astype(np.float64), 2 * config.grid)
            shown = choose_patches(grid, config.flow_patches, 0, "all cells", np.random.default_rng(request.seed))
            flow = flow_to_bins(config, np.nan_to_num(grid)), shown
        return rgb_plan(config, INTENDED, source, drawn, flow, Known(known, codes)), codes.copy()

    def _encode(self, picture: UInt8[np.ndarray, "S S 3"]) -> Codes:
        images = normalise_rgb(torch.from_numpy(picture).to(self._runtime.model.device).permute(2, 0, 1)[None])
        with torch.inference_mode():
            return self._quantizer.encode(images)[0].cpu().numpy()

    def _show(
        self,
        request: EngineRequest,
        view: _View,
        codes: Codes,
        doubt: Float32[np.ndarray, "N"],
        image: np.ndarray,
        confidence: np.ndarray,
    ) -> None:
        """Decode the codes and put the unknown pixels into the picture, in place."""
        with torch.inference_mode():
            painted = denormalise_rgb(
                self._quantizer.decode(torch.from_numpy(codes).to(self._runtime.model.device)[None])
            )[0].permute(1, 2, 0)
        matched = _matched(painted.cpu().numpy(), view)
        side, window = view.window.side, view.window.slices
        unknown = request.unknown[window]
        large = cv2.resize(matched, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        top = np.iinfo(image.dtype).max
        image[window][unknown] = np.round(large[unknown] * top).astype(image.dtype)
        grid = self._runtime.model.config.grid
        sure = cv2.resize(1 - doubt.reshape(grid, grid), (side, side), interpolation=cv2.INTER_NEAREST)
        confidence[window][unknown] = np.minimum(sure[unknown], np.float32(1 - 1e-3))


def _matched(painted: Float32[np.ndarray, "S S 3"], view: _View) -> Float32[np.ndarray, "S S 3"]:
    """Carry the difference to the known pixels around a hole smoothly into it: codes change colours a little."""
    near = cv2.dilate(view.unknown.astype(np.uint8), np.ones((_MATCHED_BAND, _MATCHED_BAND), np.uint8)) > 0
    if not (near & ~view.unknown).any():
        return painted
    difference = cv2.blur(view.picture.astype(np.float32) / 255 - painted, (3, 3))
    return painted + membrane(difference, view.unknown, near & ~view.unknown)


def _resized(picture: UInt8[np.ndarray, "H W 3"], size: int) -> UInt8[np.ndarray, "S S 3"]:
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)


def _as_8_bit(picture: np.ndarray) -> UInt8[np.ndarray, "H W 3"]:
    return picture if picture.dtype == np.uint8 else (picture >> 8).astype(np.uint8)
