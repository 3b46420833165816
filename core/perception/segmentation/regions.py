"""A photo as about 1300 superpixels with colours, texture and the strength of the borders between them."""

from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from jaxtyping import Float32, Int32, UInt8

WORK_SIZE = 512
"""Longer side in pixels of the picture that clicks are answered on."""

_REGION_COUNT = 1300
_SMALLEST_SIDE = 16
_RINGS = (0, 1, 3)


@dataclass(frozen=True)
class Regions:
    """Superpixels of one work picture and the graph of their neighbourhood.

    `labels` number the regions; `area` is their share of the picture, `centre` (x, y) in units of
    the longer side. `colour` holds mean Lab / 100 at three scales (own, one ring and three rings of
    neighbours), `texture` the mean strength of three detail bands at the same scales. `edges` are
    pairs of neighbours with their border `length` in pixels and its `contrast` features.
    `frame` is each region's share of the picture's outline (sums to 1).
    """

    labels: Int32[np.ndarray, "h w"]
    area: Float32[np.ndarray, "R"]
    centre: Float32[np.ndarray, "R 2"]
    colour: Float32[np.ndarray, "R 3 3"]
    texture: Float32[np.ndarray, "R 3 3"]
    edges: Int32[np.ndarray, "E 2"]
    length: Float32[np.ndarray, "E"]
    contrast: Float32[np.ndarray, "E C"]
    frame: Float32[np.ndarray, "R"]

    @property
    def count(self) -> int:
        return len(self.area)

    @property
    def size_bytes(self) -> int:
        return sum(getattr(self, field.name).nbytes for field in fields(self))


def work_picture(srgb: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
    """The photo at WORK_SIZE, never thinner than 16 pixels so that superpixels exist."""
    import cv2

    height, width = srgb.shape[:2]
    factor = WORK_SIZE / max(height, width)
    size = (max(_SMALLEST_SIDE, round(width * factor)), max(_SMALLEST_SIDE, round(height * factor)))
    return cv2.resize(srgb, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)


def build_regions(picture: UInt8[np.ndarray, "h w 3"]) -> Regions:
    """Superpixels of a work picture; deterministic."""
    import cv2

    lab8 = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    labels = _superpixels(lab8)
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) / 100
    slopes = [_slope(lab, sigma) for sigma in (1.0, 2.0, 4.0)]
    count = int(labels.max()) + 1
    flat = labels.ravel()
    pixels = np.bincount(flat, minlength=count).astype(np.float32)

    def mean(field: np.ndarray) -> np.ndarray:
        return (np.bincount(flat, field.ravel(), count) / pixels).astype(np.float32)

    edges, length, border_slopes = _borders(labels, slopes)
    detail = _detail_bands(lab[..., 0])
    colour = _ring_means(np.stack([mean(lab[..., c]) for c in range(3)], 1), pixels, edges)
    texture = _ring_means(np.stack([mean(band) for band in detail], 1), pixels, edges)
    overall = [slope.mean() + 1e-3 for slope in slopes]
    ys, xs = np.mgrid[: labels.shape[0], : labels.shape[1]]
    outline = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return Regions(
        labels=labels,
        area=pixels / labels.size,
        centre=np.stack([mean(xs.astype(np.float32)), mean(ys.astype(np.float32))], 1) / np.float32(max(labels.shape)),
        colour=colour,
        texture=texture,
        edges=edges,
        length=length,
        contrast=_contrast(colour, texture, edges, border_slopes, np.array(overall, np.float32)),
        frame=(np.bincount(outline, minlength=count) / len(outline)).astype(np.float32),
    )


def _superpixels(lab8: np.ndarray) -> np.ndarray:
    import cv2

    height, width = lab8.shape[:2]
    step = max(4, round((height * width / _REGION_COUNT) ** 0.5))
    slic = cv2.ximgproc.createSuperpixelSLIC(lab8, cv2.ximgproc.SLIC, step, 15.0)
    slic.iterate(6)
    slic.enforceLabelConnectivity(25)
    labels = np.asarray(slic.getLabels())
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32)


def _slope(lab: np.ndarray, sigma: float) -> np.ndarray:
    """Gradient magnitude of all Lab channels together, at one scale."""
    import cv2

    smooth = cv2.GaussianBlur(lab, (0, 0), sigma)
    dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=sigma / 8)
    dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=sigma / 8)
    return np.sqrt((dx * dx + dy * dy).sum(2))


def _detail_bands(lightness: np.ndarray) -> list[np.ndarray]:
    """Absolute differences of successive blurs: how busy a place is, fine to coarse."""
    import cv2

    blurs = [lightness, *(cv2.GaussianBlur(lightness, (0, 0), sigma) for sigma in (1.0, 2.0, 4.0))]
    return [np.abs(fine - coarse) for fine, coarse in pairwise(blurs)]


def _borders(labels: np.ndarray, slopes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neighbour pairs, their border length, and mean slopes along the border [E, scales]."""
    count = int(labels.max()) + 1
    keys, values = [], []
    for a, b in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        first, second = labels[a], labels[b]
        differs = first != second
        low, high = np.minimum(first, second)[differs], np.maximum(first, second)[differs]
        keys.append(low.astype(np.int64) * count + high)
        values.append(np.stack([np.maximum(slope[a], slope[b])[differs] for slope in slopes], 1))
    pairs, index, length = np.unique(np.concatenate(keys), return_inverse=True, return_counts=True)
    value = np.concatenate(values)
    means = np.stack([np.bincount(index, value[:, i], len(pairs)) / length for i in range(value.shape[1])], 1)
    edges = np.stack([pairs // count, pairs % count], 1).astype(np.int32)
    return edges, length.astype(np.float32), means.astype(np.float32)


def _ring_means(own: np.ndarray, pixels: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """[R, scales, 3]: the value itself and its area-weighted mean over one and three rings of neighbours."""
    from scipy.sparse import coo_matrix, identity

    count = len(own)
    ones = np.ones(len(edges), np.float32)
    one_way = coo_matrix((ones, (edges[:, 0], edges[:, 1])), (count, count))
    near = (one_way + one_way.T + identity(count)).tocsr()
    scales, value, weight = [], own * pixels[:, None], pixels
    for ring in range(max(_RINGS) + 1):
        if ring in _RINGS:
            scales.append(value / weight[:, None])
        value, weight = near @ value, near @ weight
    return np.stack(scales, 1).astype(np.float32)


def _contrast(
    colour: np.ndarray, texture: np.ndarray, edges: np.ndarray, slopes: np.ndarray, overall: np.ndarray
) -> np.ndarray:
    """[E, 13]: roots tame the tails; slopes also relative to the whole picture's."""
    a, b = edges[:, 0], edges[:, 1]
    step = colour[a] - colour[b]
    light = np.abs(step[:, :, 0])
    chroma = np.linalg.norm(step[:, :, 1:], axis=2)
    busy = np.abs(np.sqrt(texture[a]) - np.sqrt(texture[b])).sum(2)
    relative = slopes / overall
    return np.concatenate([np.sqrt(light), np.sqrt(chroma), busy[:, :1], np.sqrt(slopes), np.sqrt(relative)], 1).astype(
        np.float32
    )
