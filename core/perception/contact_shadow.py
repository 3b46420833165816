"""Where an object's shadow lies on the ground beside it: darker than the ground, of its colour, touching the object."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from core.maths.colour import linear_light
from core.maths.mask import bounding_box
from core.maths.shadow_ratio import log_light
from core.maths.sizes import size_within
from core.types.mask import Mask
from core.types.photo import Photo

_SIDE = 320  # longer side of the window that is looked at, pixels
_AROUND = 0.7  # how far from the object a shadow is looked for, as a share of the object's longer side
_DEEP, _FAINT = 0.3, 0.14  # how much darker than the ground (log light) its core and its rim are at least
_NOISES = 2.0  # and how many deviations of the ground's texture
_OTHER_COLOUR = 0.3  # log chroma from which a pixel is not the ground's material, whatever its light
_SKY_BLUE = 0.9  # as far may the shade go towards blue
_ROUNDS, _LEAST_NOISE = 12, 0.02
_FEWEST = 30  # pixels that tell a ground
_LEAST_AREA = 0.004  # of the object's
_LARGEST_SHARE = 0.5  # of the ground that is looked at: more is darker ground, not a shadow
_LEAST_CONTACT = 0.04  # of the object's outline

Flags = Bool[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class _Window:
    """The surroundings of an object, made small: log light and what is object and ground there."""

    place: tuple[slice, slice]
    logs: Float32[np.ndarray, "h w 4"]
    thing: Flags
    ground: Flags


def contact_shadow(photo: Photo, mask: Mask, ground: Bool[np.ndarray, "H W"]) -> Mask | None:
    """The shadow's coverage, a little wider than the shadow and soft, or None when none is to be told from the ground.

    `ground` are the photo's pixels that may be what the object stands on. The score goes from 0 to 1 with how
    clearly the shadow is darker than the ground's own texture.
    """
    window = _window(photo, mask, ground)
    if window is None:
        return None
    apart = _darker(window)
    if apart is None:
        return None
    missing, noise = apart
    found = _touching(window, missing, noise)
    if found is None:
        return None
    depth = float(-np.median(missing[found]))
    coverage = np.zeros(mask.coverage.shape, np.uint8)
    rows, columns = coverage[window.place].shape
    coverage[window.place] = cv2.resize(_softened(found, window.thing), (columns, rows), interpolation=cv2.INTER_LINEAR)
    return Mask(coverage, "shadow", float(np.clip((depth - _FAINT) / (depth + 2 * noise), 0, 1)))


def _window(photo: Photo, mask: Mask, ground: Bool[np.ndarray, "H W"]) -> _Window | None:
    box = bounding_box(mask.coverage, 128)
    if box is None:
        return None
    pad = 4 + round(_AROUND * max(box[2] - box[0], box[3] - box[1]))
    x0, y0 = max(0, box[0] - pad), max(0, box[1] - pad)
    place = (slice(y0, min(photo.height, box[3] + 1 + pad)), slice(x0, min(photo.width, box[2] + 1 + pad)))
    rows, columns = mask.coverage[place].shape
    size = size_within(columns, rows, _SIDE)

    def small(field: np.ndarray) -> np.ndarray:
        return cv2.resize(field.astype(np.float32), size, interpolation=cv2.INTER_AREA)

    logs = log_light(linear_light(cv2.resize(photo.srgb[place], size, interpolation=cv2.INTER_AREA)))
    thing = small(mask.coverage[place]) > 12
    thing = cv2.dilate(thing.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return _Window(place, logs, thing, (small(ground[place]) > 0.5) & ~thing)


def _darker(window: _Window) -> tuple[Float32[np.ndarray, "h w"], float] | None:
    """Log light less the lit ground's, NaN where the material is another; and the deviation of the ground's texture."""
    logs, ground = window.logs, window.ground
    if ground.sum() < _FEWEST:
        return None
    gap = cv2.distanceTransform((~window.thing).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = ground & (gap < 0.5 * np.quantile(gap[ground], 0.9) + 1)
    alike = ground & _of_one_material(logs, near)
    if alike.sum() < _FEWEST:
        return None
    fit, noise = _lit_slope(logs[..., 3], alike)
    return np.where(alike, cv2.medianBlur(logs[..., 3], 5) - fit, np.nan).astype(np.float32), noise


def _of_one_material(logs: Float32[np.ndarray, "h w 4"], near: Flags) -> Flags:
    """Pixels of the colour that most of the `near` ones have, in any light; in the shade it is bluer."""
    middle = np.median(logs[near], axis=0)
    chroma = (logs[..., :3] - logs[..., 3:]) - (middle[:3] - middle[3])
    warmth = 0.5 * (chroma[..., 0] - chroma[..., 2])
    other = np.abs(chroma - warmth[..., None] * np.array([1, 0, -1], np.float32)).max(axis=2)
    least = np.where(logs[..., 3] < middle[3] - _DEEP, -_SKY_BLUE, -_OTHER_COLOUR)
    return (other < _OTHER_COLOUR) & (warmth > least) & (warmth < _OTHER_COLOUR)


def _lit_slope(light: Float32[np.ndarray, "h w"], ground: Flags) -> tuple[np.ndarray, float]:
    """The even slope of log light that the brighter ground follows, at every pixel, and its texture's deviation.

    A line of least squares in which what is darker than it counts less at each round.
    """
    rows, columns = np.nonzero(ground)
    values = light[rows, columns].astype(np.float64)
    height, width = ground.shape
    places = np.stack([columns / width, rows / height, np.ones(rows.size)], axis=1)
    weights = (values > np.quantile(values, 0.4)).astype(np.float64)
    slope, noise = np.zeros(3), _LEAST_NOISE
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)
        slope = np.linalg.lstsq(places * root[:, None], values * root, rcond=None)[0]
        rest = values - places @ slope
        noise = max(_LEAST_NOISE, 1.4826 * float(np.median(np.abs(rest[weights > 0.1]))))
        weights = np.where(rest < 0, np.exp(-0.5 * (rest / (1.5 * noise)) ** 2), 1 / (1 + (rest / (3 * noise)) ** 2))
    y, x = np.indices(ground.shape)
    return slope[0] * x / width + slope[1] * y / height + slope[2], noise


def _touching(window: _Window, missing: Float32[np.ndarray, "h w"], noise: float) -> Flags | None:
    """The dark area that touches the object's lower part, when it is like a shadow in size and contact."""
    faint = missing < -max(_FAINT, 0.6 * _NOISES * noise)
    deep = missing < -max(_DEEP, _NOISES * noise)
    faint = cv2.morphologyEx(faint.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    rows = np.flatnonzero(window.thing.any(axis=1))
    foot = window.thing.copy()
    foot[: rows[0] + (rows[-1] - rows[0]) // 2] = False
    beside = (cv2.dilate(foot.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~window.thing
    _, parts = cv2.connectedComponents(faint.astype(np.uint8), connectivity=8)
    started = np.unique(parts[beside & deep])
    found = np.isin(parts, started[started > 0])
    contact = (found & beside).sum() / max(1, beside.sum())
    is_shadow = (
        found.sum() >= max(12, _LEAST_AREA * window.thing.sum())
        and found.sum() <= _LARGEST_SHARE * window.ground.sum()
        and contact >= _LEAST_CONTACT
    )
    return found if is_shadow else None


def _softened(found: Flags, thing: Flags) -> np.ndarray:
    """Coverage that holds the penumbra too, without gaps between the shadow and its object."""
    reach = max(2, round(0.012 * max(found.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    whole = cv2.morphologyEx((found | thing).astype(np.uint8), cv2.MORPH_CLOSE, disc)
    near = np.minimum(cv2.dilate(found.astype(np.uint8), disc), whole)
    area = cv2.dilate(near, disc)
    soft = cv2.GaussianBlur(area * np.float32(255), (0, 0), reach / 2)
    inner = cv2.erode(thing.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return np.where(inner, 0, np.rint(soft)).astype(np.uint8)
