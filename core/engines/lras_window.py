"""One square window of an edited picture as the LRAS network sees it: what is shown, decoded, and put back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, UInt8, UInt16
from scipy.ndimage import distance_transform_edt

from core.compute import computes
from core.engines.rebuilt import Rebuilt, Span
from core.engines.windows import Window
from core.lras.config import PATCH_PIXELS, TransformerConfig
from core.lras.flow_patches import choose_patches, flow_grid
from core.lras.layout import Codes, PatchIds, flow_to_bins, patches, set_patches
from core.lras.nearby import clusters, nearest
from core.lras.plan import Known, Orders, Plan, orders, rgb_plan
from core.lras.quantizer import Quantizer, normalise_rgb
from core.lras.recipe import INTENDED
from core.lras.runtime import Decoding, Runtime
from core.maths.fill import smooth
from core.maths.membrane import membrane
from core.types.protocols import CancelToken, EngineRequest

# Width of the known band, in network pixels, whose colours the painted patches are matched to.
_MATCHED_BAND = 8
# Pixels around a moved object that its soft edge may spoil.
_EDGE = 2
_MOST_CONFIDENT = np.float32(1 - 1e-3)


@dataclass(eq=False)
class PaintedWindow:
    """A window while it is painted. `codes` and `doubt` (0..1 a patch) are those of the picture so far.

    `before` is its part of the picture without what it paints, `done` how many of the `asked` patches are painted.
    """

    runtime: Runtime
    quantizer: Quantizer
    request: EngineRequest
    window: Window
    drafted: UInt8[np.ndarray, "S S 3"]
    unknown: Bool[np.ndarray, "S S"]
    codes: Codes
    drafted_codes: Codes
    asked: PatchIds
    doubt: Float32[np.ndarray, "N"]
    drafted_picture: Rebuilt
    picture: Rebuilt
    before: UInt8[np.ndarray, "T T 3"] | UInt16[np.ndarray, "T T 3"]
    done: int = 0
    _source: Codes | None = None

    @staticmethod
    def of(
        runtime: Runtime, quantizer: Quantizer, request: EngineRequest, window: Window, image: np.ndarray
    ) -> "PaintedWindow":
        """The window of a drafted picture, nothing of it painted yet."""
        config = runtime.model.config
        size = config.image_size
        drafted = _resized(_without_foreground(request, window, as_8_bit(image[window.slices])), size)
        part = request.unknown[window.slices].astype(np.float32)
        unknown = cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA) > 0
        blocks = unknown.reshape(config.grid, PATCH_PIXELS, config.grid, PATCH_PIXELS)
        codes = _encoded(quantizer, drafted, runtime.model.device)
        asked = np.flatnonzero(blocks.any(axis=(1, 3)).reshape(-1))
        doubt = np.zeros(config.n_patches, np.float32)
        rebuilt = Rebuilt(quantizer, runtime.model.device, codes, *_codes_of(asked, config))
        return PaintedWindow(
            runtime, quantizer, request, window, drafted, unknown,
            codes.copy(), codes, asked, doubt, rebuilt, rebuilt.copy(), image[window.slices].copy(),
        )  # fmt: skip

    def paint(self, decoding: Decoding, cancel: CancelToken) -> Iterator[int]:
        """Decode what is asked for, in the order asked for; yields each pass's count of patches. Raises Cancelled."""
        left = self.asked
        for part in self._parts():
            left = left[~np.isin(left, part)]
            plan = self._plan(part, left)
            favoured = patches(self.drafted_codes) if self._config.sees_draft and decoding.keeps is not None else None
            for decoded in self.runtime.decode(plan, decoding, self.request.seed, cancel, favoured):
                set_patches(self.codes, decoded.ids, decoded.codes[0])
                self.doubt[decoded.ids] = decoded.entropy[0].mean(axis=1) / np.log(plan.config.rgb_range.size)
                self.done += len(decoded.ids)
                yield len(decoded.ids)

    def show(self, image: np.ndarray, confidence: np.ndarray) -> None:
        """Put the unknown pixels, as far as they are painted, into the whole picture, in place."""
        side, where = self.window.side, self.window.slices
        unknown = self.request.unknown[where]
        top = np.iinfo(image.dtype).max
        self.picture.update(self.codes)
        if self._config.sees_draft:
            change = _enlarged(self.picture.picture - self.drafted_picture.picture, side)
            large = (self.before.astype(np.float32) / np.float32(top) + change).clip(0, 1)
        else:
            large = _enlarged(self._matched(self.picture.picture), side).clip(0, 1)
        image[where][unknown] = np.round(large[unknown] * top).astype(image.dtype)
        grid = self._config.grid
        sure = cv2.resize(1 - self.doubt.reshape(grid, grid), (side, side), interpolation=cv2.INTER_NEAREST)
        confidence[where][unknown] = np.minimum(sure[unknown], _MOST_CONFIDENT)

    @property
    def is_done(self) -> bool:
        return self.done == len(self.asked)

    @property
    def _config(self) -> TransformerConfig:
        return self.runtime.model.config

    def _parts(self) -> list[PatchIds]:
        """As many patches as one sequence takes, in the order that was asked for."""
        config, request = self._config, self.request
        parts = clusters(self.asked, config.grid, config.decoded_patches)
        if request.order == "scattered":
            return [parts[index] for index in np.random.default_rng(request.seed).permutation(len(parts))]
        inside = self._steps_inside()
        return sorted(parts, key=lambda part: float(inside[part].mean()))

    def _steps_inside(self) -> Float64[np.ndarray, "N"]:
        """How many patches away from what is known each patch that is asked for lies."""
        grid = self._config.grid
        asked = np.zeros(grid * grid, bool)
        asked[self.asked] = True
        steps = distance_transform_edt(np.pad(asked.reshape(grid, grid), 1, constant_values=True))
        assert isinstance(steps, np.ndarray)
        return steps[1:-1, 1:-1].reshape(-1)

    def _plan(self, part: PatchIds, left: PatchIds) -> Plan:
        """What decodes one part: near to it, what is known by now; `left` is neither known nor decoded."""
        config, seed = self._config, self.request.seed
        every = np.arange(config.n_patches)
        known = every[~np.isin(every, part) & ~np.isin(every, left)]
        known = nearest(known, part, config.grid, config.known_patches)
        seen = nearest(every, part, config.grid, config.frame_0_patches)
        drawn: Orders = orders(config, seed).only(seen, np.concatenate([known, part]))
        if self.request.order == "inwards":
            rings = np.ceil(self._steps_inside())[drawn.target]
            drawn = replace(drawn, target=drawn.target[np.argsort(rings, kind="stable")])
        source = self.drafted_codes if config.sees_draft else self._photo_codes()
        return rgb_plan(config, INTENDED, source, drawn, self._flow(), Known(known, self.codes))

    def _photo_codes(self) -> Codes:
        """Of the photo in this window, as the edit found it."""
        if self._source is None:
            height, width = self.request.unknown.shape
            source = self.request.source.srgb
            if source.shape[:2] != (height, width):
                source = cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA)
            part = _resized(source[self.window.slices], self._config.image_size)
            self._source = _encoded(self.quantizer, part, self.runtime.model.device)
        return self._source

    def _flow(self) -> tuple[np.ndarray, PatchIds] | None:
        config, flow = self._config, self.request.flow
        if config.sees_draft or flow is None or flow.flow.shape[:2] != self.request.unknown.shape:
            return None
        cells = flow_grid(flow.flow[self.window.slices].astype(np.float64), 2 * config.grid)
        random = np.random.default_rng(self.request.seed)
        shown = choose_patches(cells, config.flow_patches, 0, "all cells", random)
        return flow_to_bins(config, np.nan_to_num(cells)), shown

    def _matched(self, painted: Float32[np.ndarray, "S S 3"]) -> Float32[np.ndarray, "S S 3"]:
        """Carry the difference to the known pixels around a hole smoothly into it: codes change colours a little."""
        band = np.ones((_MATCHED_BAND, _MATCHED_BAND), np.uint8)
        near = (cv2.dilate(self.unknown.astype(np.uint8), band) > 0) & ~self.unknown
        if not near.any():
            return painted
        difference = cv2.blur(self.drafted.astype(np.float32) / 255 - painted, (3, 3))
        return painted + membrane(difference, self.unknown, near)


def _without_foreground(
    request: EngineRequest, window: Window, picture: UInt8[np.ndarray, "S S 3"]
) -> UInt8[np.ndarray, "S S 3"]:
    """The window with what must not bleed into holes, and its soft edge, painted over from around."""
    edge = np.ones((2 * _EDGE + 1, 2 * _EDGE + 1), np.uint8)
    foreground = cv2.dilate(request.foreground[window.slices].view(np.uint8), edge).view(bool)
    foreground &= ~request.unknown[window.slices]
    return smooth(picture, foreground, ~foreground) if foreground.any() and not foreground.all() else picture


@computes
def _encoded(quantizer: Quantizer, picture: UInt8[np.ndarray, "Y X 3"], device: torch.device) -> Codes:
    images = normalise_rgb(torch.from_numpy(picture).to(device).permute(2, 0, 1)[None])
    with torch.inference_mode():
        return quantizer.encode(images)[0].cpu().numpy()


def through_codes(
    quantizer: Quantizer, picture: UInt8[np.ndarray, "H W 3"], device: torch.device
) -> UInt8[np.ndarray, "H W 3"]:
    """Into the quantizer's codes and back."""
    height, width = picture.shape[:2]
    size = quantizer.config.patch_size
    whole = np.pad(picture, ((0, -height % size), (0, -width % size), (0, 0)), mode="edge")
    codes = _encoded(quantizer, whole, device)
    rebuilt = Rebuilt(quantizer, device, codes, (0, codes.shape[0]), (0, codes.shape[1])).picture
    return np.round(255 * rebuilt[:height, :width]).astype(np.uint8)


def _codes_of(asked: PatchIds, config: TransformerConfig) -> tuple[Span, Span]:
    """Rows and columns of codes (two a patch) that hold these patches, and what they are matched to."""
    margin = 0 if config.sees_draft else 1 + -(-_MATCHED_BAND // PATCH_PIXELS)
    rows, columns = (
        (2 * max(0, int(along.min()) - margin), 2 * min(config.grid, int(along.max()) + 1 + margin))
        for along in np.divmod(asked, config.grid)
    )
    return rows, columns


def _enlarged(picture: Float32[np.ndarray, "S S 3"], side: int) -> Float32[np.ndarray, "T T 3"]:
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)


def _resized(picture: UInt8[np.ndarray, "H W 3"], size: int) -> UInt8[np.ndarray, "S S 3"]:
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)


def as_8_bit(picture: np.ndarray) -> UInt8[np.ndarray, "H W 3"]:
    """The high bytes of a picture of 16 bits."""
    return picture if picture.dtype == np.uint8 else (picture >> 8).astype(np.uint8)
