"""How much light a shadow takes from the ground it falls on: the ratio that lights it again, texture kept.

In linear light a shadowed picture is ground times ratio (Barrow & Tenenbaum 1978). The ground's light is carried
in from around the shadow by a membrane; what a median over small texture lacks of it is the shadow.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.maths.colour import linear_light
from core.maths.membrane import membrane
from core.maths.sizes import size_within
from core.types.photo import Pixels

LEAST_RATIO = 0.1
"""Shadows are taken to let through at least this share: a larger gain shows noise and blocks of compression."""
LEAST_SEEN = 1 / 512
"""Darkening that no 8-bit pixel shows: less is none."""

_BLACK = 0.02  # the ratio of a shadow's blackest parts
_SIDE = 256  # longer side at which light is estimated, pixels
_MEDIAN = 5  # texture finer than half of this many pixels of that size is kept
_DARK = 3e-4  # of full light: what is added before a logarithm
_GUIDE = 0.02  # variance of log light from which an edge of the picture is an edge of the shadow
_RING = 0.12  # how far around a shadow the lit ground is looked at, as a share of the window
_LEAST_SLACK = 0.15  # log light by which a ground's texture may differ from its mean
_TINT = (0.6, 1.6)  # how much faster than luminance a channel may fall

Log = Float32[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class ShadowLight:
    """`darkening` is 1 - ratio in each channel, 0 outside the shadow: pixels / (1 - darkening) is the lit ground.

    `lost` pixels let through so little light that their ground cannot be told: it has to be invented.
    """

    darkening: Float32[np.ndarray, "H W 3"]
    lost: Bool[np.ndarray, "H W"]


def shadow_light(
    pixels: Pixels,
    shadow: UInt8[np.ndarray, "H W"],
    caster: Bool[np.ndarray, "H W"],
    others: Bool[np.ndarray, "H W"],
) -> ShadowLight:
    """What the shadow under a mask takes from its ground, in linear light.

    `caster` are the pixels of the object that casts it, under which the shadow goes on as far as it is convex;
    `others` are no ground either. The window should hold some lit ground around the shadow.
    """
    height, width = shadow.shape
    size = size_within(width, height, _SIDE)
    logs = log_light(cv2.resize(linear_light(pixels), size, interpolation=cv2.INTER_AREA))
    thing = _any(caster, size)
    inside = _any(shadow > 12, size) & ~thing
    if not inside.any():
        return ShadowLight(np.zeros((height, width, 3), np.float32), np.zeros((height, width), bool))
    lit, ring = _lit(logs, inside, _any(caster | others, size))
    guide = membrane(logs[..., 3:], thing, ~thing)[..., 0]
    missing = np.where(inside, np.minimum(_middle(guide, thing) - lit[..., 3], 0), np.float32(0))
    under = _hull(inside) & thing
    missing = membrane(missing[..., None], under, inside)[..., 0]
    tint = _tint(logs, lit, missing, inside)
    fine = _at_full_size(missing, guide, lit[..., 3], ring, pixels, caster)
    lost = _patches((fine < np.log(LEAST_RATIO)) & ~caster) & (shadow > 12) & ~caster
    # What is not lit again may be as dark as it is.
    least = np.where(lost | caster, np.float32(np.log(_BLACK)), np.float32(np.log(LEAST_RATIO)))
    fine = np.clip(fine, least, 0) * _weight(shadow, caster, inside | under)
    darkening = np.zeros((height, width, 3), np.float32)
    seen = fine < np.log(1 - LEAST_SEEN)
    darkening[seen] = 1 - np.exp(fine[seen][:, None] * tint)
    return ShadowLight(darkening, lost)


def _patches(lost: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Without single dark grains, and with the pixels around that share their darkness."""
    side = 3 + 2 * round(0.002 * max(lost.shape))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    opened = cv2.morphologyEx(lost.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    return cv2.dilate(opened, kernel, iterations=2).view(bool)


def log_light(light: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 4"]:
    """Logarithms of red, green, blue and luminance of linear light, bounded in the dark."""
    return np.log(np.dstack([light, _luminance(light)]) + np.float32(_DARK))


def _luminance(light: Float32[np.ndarray, "h w 3"]) -> Log:
    return light @ np.array([0.2126, 0.7152, 0.0722], np.float32)


def _any(marked: Bool[np.ndarray, "H W"], size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Which small pixels hold any marked one."""
    return cv2.resize(marked.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 1e-3


def _lit(
    logs: Float32[np.ndarray, "h w 4"], inside: Bool[np.ndarray, "h w"], blocked: Bool[np.ndarray, "h w"]
) -> tuple[Float32[np.ndarray, "h w 4"], Bool[np.ndarray, "h w"]]:
    """Log light of the ground as if nothing stood in its light, smooth; and the ground around that tells it."""
    reach = max(3.0, _RING * max(inside.shape))
    gap = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    ring = (gap > 1) & (gap <= reach) & ~cv2.dilate(blocked.astype(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    if not ring.any():
        ring = ~inside if not inside.all() else inside
    ring = _like_most(logs, ring)
    share = ring.astype(np.float32)
    blur = (0, 0), max(1.0, reach / 4)
    weight = np.maximum(cv2.GaussianBlur(share, *blur), np.float32(1e-6))
    smooth = cv2.GaussianBlur(logs * share[..., None], *blur) / weight[..., None]
    return membrane(smooth, ~ring, ring), ring


def _like_most(logs: Float32[np.ndarray, "h w 4"], ring: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The ring without what differs from most of it in colour or light: things that stand or lie there."""
    chroma = logs[..., :3] - logs[..., 3:]
    features = np.dstack([chroma, logs[..., 3:]])
    values = features[ring]
    middle = np.median(values, axis=0)
    spread = 3 * 1.4826 * np.median(np.abs(values - middle), axis=0) + 0.1
    kept = ring & (np.abs(features - middle) <= spread).all(axis=2)
    return kept if kept.sum() >= 0.2 * ring.sum() else ring


def _middle(light: Log, caster: Bool[np.ndarray, "h w"]) -> Log:
    """Log light without fine texture, edges of shadows kept; beside the object what is darkest there counts."""
    middle, fine = cv2.medianBlur(light, _MEDIAN), cv2.medianBlur(light, 3)
    beside = cv2.dilate(caster.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return np.where(beside, np.minimum(middle, fine), middle)


def _hull(inside: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The convex hull of the marked pixels."""
    points = np.argwhere(inside)[:, ::-1].astype(np.int32)
    return cv2.fillConvexPoly(np.zeros(inside.shape, np.uint8), cv2.convexHull(points), (1,)) > 0


def _tint(
    logs: Float32[np.ndarray, "h w 4"], lit: Float32[np.ndarray, "h w 4"], missing: Log, inside: Bool[np.ndarray, "h w"]
) -> Float32[np.ndarray, "3"]:
    """How fast each channel falls with luminance: shadows out of doors are bluish, as the sky lights them."""
    deep = inside & (missing < 0.5 * missing.min())
    if not deep.any() or missing.min() > -_LEAST_SLACK:
        return np.ones(3, np.float32)
    shaded, whole = (np.exp(light[deep]).mean(axis=0) - _DARK for light in (logs, lit))
    falls = np.log(np.maximum(shaded, _DARK / 10) / np.maximum(whole, _DARK / 10))
    return np.clip(falls[:3] / min(falls[3], -_DARK), *_TINT).astype(np.float32)


def _at_full_size(
    missing: Log,
    guide: Log,
    lit: Log,
    ring: Bool[np.ndarray, "h w"],
    pixels: Pixels,
    caster: Bool[np.ndarray, "H W"],
) -> Float32[np.ndarray, "H W"]:
    """The small field enlarged, with edges where the picture has them: a guided filter (He & Sun 2015).

    In the shadow no pixel is left farther from the lit ground than its texture explains: neither rims that the small
    field does not hold, nor lit pixels beside an edge taken for shadow.
    """
    size = caster.shape[1], caster.shape[0]

    def mean(field: Log) -> Log:
        return cv2.blur(field, (5, 5), borderType=cv2.BORDER_REPLICATE)

    def large(field: Log) -> np.ndarray:
        return cv2.resize(field, size, interpolation=cv2.INTER_LINEAR)

    light = np.log(_luminance(linear_light(pixels)) + np.float32(_DARK))
    apart = light - large(lit)
    around = np.abs(apart[large(ring.astype(np.float32)) > 0.5])
    texture = 1.4826 * float(np.median(around)) if around.size else 0.0
    slack = np.float32(max(_LEAST_SLACK, 2.5 * texture))
    centre, level = mean(guide), mean(missing)
    spread = mean(guide * guide) - centre * centre + np.float32(_GUIDE + 2 * texture**2)
    slope = (mean(guide * missing) - centre * level) / spread
    offset = level - slope * centre
    fine = np.maximum(large(slope) * light + large(offset), apart - slack)
    in_shadow = large(cv2.erode(missing, np.ones((5, 5), np.uint8))) < -_LEAST_SLACK
    fine = np.where(in_shadow, np.minimum(fine, apart + slack), fine)
    return np.where(caster, large(missing), fine).astype(np.float32)


def _weight(
    shadow: UInt8[np.ndarray, "H W"], caster: Bool[np.ndarray, "H W"], whole: Bool[np.ndarray, "h w"]
) -> Float32[np.ndarray, "H W"]:
    """1 inside, falling to 0 over the mask's rim and its thin coverage, but not where the shadow meets its object.

    `whole` is the small shadow with what of it lies under the object, where it ends softly too.
    """
    height, width = shadow.shape
    fade = max(1.5, 0.01 * max(height, width))
    together = ((shadow > 0) | caster).astype(np.uint8)
    rim = cv2.distanceTransform(together, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) / np.float32(fade)
    weight = np.minimum(rim, 1) * np.minimum(shadow.astype(np.float32) / 64, 1)
    small = fade * whole.shape[1] / width
    soft = cv2.GaussianBlur(whole.astype(np.float32), (0, 0), small)
    soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(caster, np.minimum(2 * soft, 1), weight)
