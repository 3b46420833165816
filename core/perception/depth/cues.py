"""What a picture says about its horizon and its ground: sky, vanishing lines, likeness of top and bottom."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.perception.depth.sky import cue_picture, sky_in
from core.types.depth import Layout

_HORIZONS = np.linspace(-0.6, 0.8, 57)
_PRIOR_HORIZON, _PRIOR_WIDTH = 0.42, 0.14
_TABLE_TOP = Layout(horizon=-0.9, ground_end=0.0)
_LIKE_TABLE_TOP, _PLAIN_TABLE_TOP = 0.7, 2.6


@dataclass(frozen=True)
class Cues:
    """`sky` at cue size; `likeness` of top and bottom 0..1 and their `detail` (levels of lightness, 0..100);
    `vanishing` support per candidate horizon; `rows` is the change at each row.
    """

    sky: Bool[np.ndarray, "h w"]
    likeness: float
    detail: float
    vanishing: Float32[np.ndarray, "N"]
    rows: Float32[np.ndarray, "h"]


def guess_layout(srgb: UInt8[np.ndarray, "H W 3"]) -> tuple[Layout, Bool[np.ndarray, "h w"]]:
    """The most plausible layout, and the sky at a small size. Deterministic."""
    cues = read_cues(srgb)
    if not cues.sky.any() and cues.likeness > _LIKE_TABLE_TOP and cues.detail < _PLAIN_TABLE_TOP:
        return _TABLE_TOP, cues.sky
    horizon = _horizon(cues)
    return Layout(horizon, _ground_end(cues, horizon)), cues.sky


def read_cues(srgb: UInt8[np.ndarray, "H W 3"]) -> Cues:
    """All cues, measured on a small copy so that a 12-megapixel photo costs no more than a small one."""
    import cv2

    small = cue_picture(srgb)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return Cues(sky_in(lab), _likeness(lab), _detail(lab), _vanishing(small), _row_steps(lab))


def _likeness(lab: np.ndarray) -> float:
    """1 when the top quarter has the colours and the texture of the bottom quarter: one surface fills the frame."""
    import cv2

    quarter = max(1, lab.shape[0] // 4)
    histograms = []
    for strip in (lab[:quarter], lab[-quarter:]):
        values = np.clip((strip - [0, -64, -64]) / [100, 128, 128], 0, 0.999).reshape(-1, 3)
        index = (values * [10, 16, 16]).astype(np.int64) @ [256, 16, 1]
        counts = np.bincount(index, minlength=2560).astype(np.float32).reshape(10, 256)
        counts = cv2.GaussianBlur(counts.reshape(10, 16, 16).transpose(1, 2, 0), (0, 0), 0.7).ravel()
        histograms.append(np.sqrt(counts / counts.sum()))
    return float(histograms[0] @ histograms[1])


def _detail(lab: np.ndarray) -> float:
    """How busy the top and bottom quarters are: a table or a blurred surrounding is plain, a street is not."""
    import cv2

    quarter = max(1, lab.shape[0] // 4)
    light = lab[..., 0]
    busy = np.abs(light - cv2.GaussianBlur(light, (0, 0), 2.0))
    return float(np.concatenate([busy[:quarter], busy[-quarter:]]).mean())


def _vanishing(small: np.ndarray) -> np.ndarray:
    """How well slanted lines meet in few points of each candidate horizon (0..1, relative)."""
    import cv2

    height, width = small.shape[:2]
    found = cv2.createLineSegmentDetector().detect(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))[0]
    support = np.zeros(len(_HORIZONS), np.float32)
    if found is None:
        return support
    x0, y0, x1, y1 = found.reshape(-1, 4).T
    dx, dy = x1 - x0, y1 - y0
    length = np.hypot(dx, dy)
    angle = np.abs(np.degrees(np.arctan2(dy, dx)))
    angle = np.minimum(angle, 180 - angle)
    use = (length > 0.04 * max(height, width)) & (angle > 6) & (angle < 75)
    if use.sum() < 6:
        return support
    x0, y0, dx, dy, length = x0[use], y0[use], dx[use], dy[use], length[use]
    for index, horizon in enumerate(_HORIZONS):
        meets = (x0 + (horizon * height - y0) * dx / dy) / width
        near = np.abs(meets - 0.5) < 2.5
        bins = np.histogram(meets[near], bins=75, range=(-2, 3), weights=length[near])[0]
        bins = np.convolve(bins, (0.5, 1, 0.5), mode="same")
        support[index] = np.square(bins).max() / np.square(length.sum())
    return support


def _row_steps(lab: np.ndarray) -> np.ndarray:
    """Per row, how much the picture changes from the tenth above to the tenth below (median over columns)."""
    import cv2

    height = lab.shape[0]
    reach = max(1, height // 12)
    padded = cv2.copyMakeBorder(lab, reach, reach, 0, 0, cv2.BORDER_REPLICATE)
    sums = np.cumsum(padded, 0, dtype=np.float64)
    above = sums[reach : reach + height] - np.concatenate([np.zeros_like(sums[:1]), sums])[:height]
    below = sums[2 * reach : 2 * reach + height] - sums[reach : reach + height]
    change = np.linalg.norm(below - above, axis=2) / reach
    return np.median(change, 1).astype(np.float32)


def _horizon(cues: Cues) -> float:
    """The candidate with the best product of prior, vanishing lines and the sky's lower edge."""
    score = -0.5 * np.square((_HORIZONS - _PRIOR_HORIZON) / _PRIOR_WIDTH)
    if cues.vanishing.max() > 0:
        score = score + 2.0 * cues.vanishing / cues.vanishing.max()
    if cues.sky.any():
        lowest = np.flatnonzero(cues.sky.mean(1) > 0.1)
        edge = (lowest.max() + 1 if len(lowest) else 0) / cues.sky.shape[0]
        # The horizon is never inside the sky, and mostly not far below where the sky ends.
        score = score - np.where(edge > _HORIZONS, 8 * (edge - _HORIZONS), 2 * (_HORIZONS - edge))
    return float(_HORIZONS[int(np.argmax(score))])


def _ground_end(cues: Cues, horizon: float) -> float:
    """The clearest change between rows a little below the horizon; a fifth of the way down without one."""
    height = len(cues.rows)
    where = (np.arange(height) + 0.5) / height
    usual = horizon + 0.2 * max(1 - horizon, 0.2)
    weight = np.exp(-0.5 * np.square((where - usual) / 0.12)) * (where > horizon + 0.04) * (where < 0.93)
    score = weight * (1 + cues.rows / (cues.rows.mean() + 1e-3))
    end = float(where[int(np.argmax(score))]) if score.max() > 0 else usual
    return max(end, horizon + 0.04)
