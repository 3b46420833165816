"""What each object of a photo covers, what its edge spoils beside it, and where something stands before it."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.editing.layers import TOUCHED, continued_colours, rim_width
from core.maths.mask import bounding_box, widened
from core.maths.occlusion import hidden_extent
from core.types.photo import Photo, Pixels
from core.types.protocols import CancelToken
from core.types.scene import SceneObject

Coverage = UInt8[np.ndarray, "h w"]
Window = tuple[slice, slice]

_SPOILED_FROM, _SPOILED_BY = 0.08, 0.2  # shares of the object's colour in the rim: none to be seen, not to be kept
_TOO_ALIKE = 12 / 255  # colours nearer than this tell nothing of a mixture
_EXTENT_SIDE = 500  # longer side, in pixels, at which hidden parts are outlined


@dataclass(frozen=True, eq=False)
class Part:
    """An object in a window of the photo that holds what its edge spoils.

    `spoiled` (0..255) is how far the photo cannot be kept behind it, `hidden` how far things before it spoil it,
    `before` the coverage of these, and `extent` its own coverage with what goes on behind them. `clear` marks its
    pixels that the photo itself shows through, None in opaque photos: nothing may lie behind those.
    """

    item: SceneObject
    window: Window
    coverage: Coverage
    spoiled: Coverage
    hidden: Coverage
    before: Coverage
    extent: Coverage
    clear: Bool[np.ndarray, "h w"] | None = None

    @property
    def origin(self) -> tuple[int, int]:
        return self.window[1].start, self.window[0].start


@dataclass(frozen=True, eq=False)
class Front:
    """All objects together at the photo's size: how far they spoil what is behind, and their coverage."""

    spoiled: UInt8[np.ndarray, "H W"]
    coverage: UInt8[np.ndarray, "H W"]


def parts_of(photo: Photo, front_to_back: list[SceneObject], cancel: CancelToken) -> tuple[list[Part], Front]:
    """Every object that can be seen, in order. Raises Cancelled."""
    front = Front(np.zeros((photo.height, photo.width), np.uint8), np.zeros((photo.height, photo.width), np.uint8))
    rim, found = rim_width((photo.width, photo.height)), []
    through, unclaimed = see_through(photo), see_through(photo)
    for item in front_to_back:
        cancel.check()
        window = _window(item.mask.coverage, rim)
        if window is None:
            continue
        coverage, hidden = item.mask.coverage[window], front.spoiled[window].copy()
        before = front.coverage[window].copy()
        if not ((coverage >= 128) & (hidden == 0)).any():
            continue
        spoiled, own = _spoiled(photo.pixels[window], coverage, hidden, rim), None
        if through is not None and unclaimed is not None:
            spoiled[through[window]] = 0
            own = unclaimed[window] & (coverage >= 128)
            unclaimed[window] &= ~own
        found.append(Part(item, window, coverage, spoiled, hidden, before, _extent(coverage, hidden, rim), own))
        np.maximum(before, coverage, out=front.coverage[window])
        np.maximum(hidden, spoiled, out=front.spoiled[window])
    return found, front


def see_through(photo: Photo) -> Bool[np.ndarray, "H W"] | None:
    """Pixels that the photo itself shows through; None when there are none."""
    if photo.alpha is None:
        return None
    through = photo.alpha < np.iinfo(photo.alpha.dtype).max
    return through if through.any() else None


def _window(coverage: UInt8[np.ndarray, "H W"], rim: int) -> Window | None:
    """The object with room for its rim and for what lies beyond it."""
    box = bounding_box(coverage, TOUCHED)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    pad = 4 * rim
    height, width = coverage.shape
    return slice(max(0, y0 - pad), min(height, y1 + 1 + pad)), slice(max(0, x0 - pad), min(width, x1 + 1 + pad))


def _spoiled(pixels: Pixels, coverage: Coverage, hidden: Coverage, rim: int) -> Coverage:
    """255 where the object is touched; beside it, as far as the photo there is a mixture with its colours."""
    touched = coverage >= TOUCHED
    near = widened(touched, rim)
    y, x = np.nonzero(near & ~touched)
    share = np.zeros(coverage.shape, np.float32)
    share[y, x] = _share_of_object(pixels, coverage >= min(250, int(coverage.max())), ~near & (hidden == 0), y, x, rim)
    share = np.where(touched, np.float32(1), cv2.blur(share, (3, 3)))
    _, pieces = cv2.connectedComponents((touched | (near & (share > _SPOILED_FROM))).astype(np.uint8), connectivity=4)
    joined = np.isin(pieces, np.unique(np.asarray(pieces)[touched])) & near
    spoiled = np.where(joined, (share - _SPOILED_FROM) / (_SPOILED_BY - _SPOILED_FROM), 0).clip(0, 1)
    return np.rint(255 * spoiled).astype(np.uint8)


def _share_of_object(
    pixels: Pixels,
    inside: Bool[np.ndarray, "h w"],
    outside: Bool[np.ndarray, "h w"],
    y: np.ndarray,
    x: np.ndarray,
    rim: int,
) -> Float32[np.ndarray, "N"]:
    """How much of the pixels (y, x) is the object's colour, between those inside and those beyond its rim; 0..1."""
    reach = max(1.5, float(rim))
    own, own_reached = continued_colours(pixels, inside, y, x, reach)
    beyond, beyond_reached = continued_colours(pixels, outside, y, x, reach)
    full = np.float32(np.iinfo(pixels.dtype).max)
    towards, shown = (own - beyond) / full, (pixels[y, x] - beyond) / full
    share = (towards * shown).sum(1) / ((towards**2).sum(1) + 3 * _TOO_ALIKE**2)
    # Between two objects nothing is seen of what is behind them.
    return np.where(own_reached, np.where(beyond_reached, share, 1), 0).clip(0, 1).astype(np.float32)


def _extent(coverage: Coverage, hidden: Coverage, rim: int) -> Coverage:
    """The object's coverage where nothing hides it, and its continuation where something does."""
    if not (hidden[coverage >= TOUCHED].any()):
        return coverage
    height, width = coverage.shape
    step = -(-max(height, width) // _EXTENT_SIDE)
    size = (-(-width // step), -(-height // step))
    behind = cv2.resize((hidden > 0).astype(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA) > 0
    visible = (cv2.resize(coverage, size, interpolation=cv2.INTER_AREA) >= 128) & ~behind
    whole = visible | hidden_extent(visible, behind, 1 + -(-rim // step))
    large = cv2.resize(whole.astype(np.uint8) * np.uint8(255), (width, height), interpolation=cv2.INTER_LINEAR)
    large = cv2.GaussianBlur(large, (0, 0), 0.7)
    return np.where(hidden > 0, large, coverage)
