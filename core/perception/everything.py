"""Select everything: a mask back-end is asked all over the photo, and what many points agree on is kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from core.maths.clicks import deepest_point
from core.maths.sizes import size_within
from core.perception.segmentation.refine import guide_picture, refine_edge
from core.types.mask import Click, Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import CancelToken, SegmentationBackend

WORK_SIZE = 640
"""Longer side, in pixels, of the picture that is asked: bounds the cost on large photos."""

_POINTS_ALONG, _APART = 11, 8.0  # grid points along the longer side, which are at least so many pixels apart
_COMPARED = 96  # longer side of the masks when they are compared
_SMALLEST, _LARGEST = 0.002, 0.6  # shares of the photo
_FRAMED = 0.4  # a mask that lies along more of the frame than this is a place, not a thing
_FRAME_COST = 4.0  # and the more it lies along the frame, the less likely it is one: rating times exp(-cost share)
_SAME = 0.6  # overlap from which two masks are one object
_CROSSING = 0.5, 0.8  # shares of the smaller mask within the larger one: neither apart nor a part of it
_DOUBT = 0.5, 0.35  # what is believed of a mask before other points speak: weight in points, agreement
_LEAST = 0.2  # rating below which a mask is not shown
_MOST = 30


@dataclass(frozen=True, eq=False)
class Proposal:
    """Something that could be cut out: coverage 0..255 at the work size.

    `rating` (0..1) is the back-end's own, less for what the frame cuts, times how far its points agree; `source` is
    the back-end's title.
    """

    coverage: UInt8[np.ndarray, "h w"]
    rating: float
    source: str

    def click_on(self, photo: Photo) -> Click:
        """The middle of it, in photo pixels: what somebody would have clicked."""
        scale = photo.width / self.coverage.shape[1]
        x, y = deepest_point(self.coverage >= 128)
        return Click((x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5)

    def mask_for(self, photo: Photo) -> Mask:
        """The mask at the photo's own size, its edge refined by the photo."""
        fine = refine_edge(self.coverage, guide_picture(photo.srgb), photo.width, photo.height)
        return Mask(fine, source=self.source, score=self.rating)


@dataclass(frozen=True, eq=False)
class _Candidate:
    """An answer to the click on the grid's point of that number, rated by the back-end and by what the frame cuts."""

    coverage: UInt8[np.ndarray, "h w"]
    point: int
    rating: float


def find_objects(
    backend: SegmentationBackend, photo: Photo, cancel: CancelToken, tell: Callable[[float], None] = lambda _: None
) -> tuple[Proposal, ...]:
    """The photo's objects and their parts, surest first; `tell` hears the share done. Raises Cancelled.

    Every point of a grid is clicked. A mask counts as far as the other points inside it find it too, so that what
    is one thing from wherever it is clicked comes first.
    """
    work = _work_photo(photo)
    points = _grid(work.width, work.height)
    found = _asked(backend, work, points, cancel, tell)
    if not found:
        return ()
    small = np.stack([_small(candidate.coverage) for candidate in found])
    overlap, within = _overlaps(small)
    asked = np.array([candidate.point for candidate in found])
    cells = ((points + 0.5) * [small.shape[2] / work.width, small.shape[1] / work.height]).astype(int)
    own = np.array([candidate.rating for candidate in found], np.float32)
    rating = own * _agreement(overlap, within, asked, small[:, cells[:, 1], cells[:, 0]].T)
    return tuple(
        Proposal(found[index].coverage, float(rating[index]), backend.info.title)
        for index in _kept(rating, overlap, within)
    )


def _work_photo(photo: Photo) -> Photo:
    small = _reduced(photo.srgb, WORK_SIZE)
    return Photo(photo.name, small, small)


def _reduced(picture: UInt8[np.ndarray, "H W *C"], longest: int) -> UInt8[np.ndarray, "h w *C"]:
    """The picture with a longer side of at most that, averaged."""
    rows, columns = picture.shape[:2]
    return cv2.resize(picture, size_within(columns, rows, longest), interpolation=cv2.INTER_AREA)


def _grid(width: int, height: int) -> Float32[np.ndarray, "P 2"]:
    """Points (x, y) of a square grid in the middle of its cells."""
    step = max(max(width, height) / _POINTS_ALONG, _APART)
    across, down = (max(1, round(side / step)) for side in (width, height))
    xs, ys = (np.arange(across) + 0.5) * width / across - 0.5, (np.arange(down) + 0.5) * height / down - 0.5
    return np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2).astype(np.float32)


def _asked(
    backend: SegmentationBackend,
    work: Photo,
    points: Float32[np.ndarray, "P 2"],
    cancel: CancelToken,
    tell: Callable[[float], None],
) -> list[_Candidate]:
    """What the back-end answers to a click on each point, without what cannot be a thing."""
    embedding, found = backend.prepare(work), []
    for point, (x, y) in enumerate(points.tolist()):
        cancel.check()
        for mask in backend.segment(embedding, Prompt((Click(x, y),))):
            inside = mask.coverage >= 128
            framed = float(np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]]).mean())
            if _SMALLEST <= inside.mean() <= _LARGEST and framed <= _FRAMED:
                found.append(_Candidate(mask.coverage, point, mask.score * float(np.exp(-_FRAME_COST * framed))))
        tell((point + 1) / len(points))
    return found


def _small(coverage: UInt8[np.ndarray, "h w"]) -> Bool[np.ndarray, "r c"]:
    small = _reduced(coverage, _COMPARED)
    return small >= min(128, int(small.max()))


def _overlaps(masks: Bool[np.ndarray, "C r c"]) -> tuple[Float32[np.ndarray, "C C"], Float32[np.ndarray, "C C"]]:
    """Intersection over union, and the share of the first that lies within the second."""
    flat = masks.reshape(len(masks), -1).astype(np.float32)
    common, area = flat @ flat.T, flat.sum(1)
    union = area[:, None] + area[None] - common
    return common / union, common / area[:, None]


def _agreement(
    overlap: Float32[np.ndarray, "C C"],
    within: Float32[np.ndarray, "C C"],
    asked: Int64[np.ndarray, "C"],
    holds: Bool[np.ndarray, "P C"],
) -> Float32[np.ndarray, "C"]:
    """How well the other points inside a mask find it too, 0..1; points whose answers are all parts of it say nothing.

    `asked` is the point that found a mask, `holds` which points lie in it.
    """
    best = np.zeros(holds.shape, np.float32)
    np.maximum.at(best, asked, overlap)
    least_within = np.ones(holds.shape, np.float32)
    np.minimum.at(least_within, asked, within)
    others = holds & ((best >= _SAME) | (least_within < _CROSSING[1]))
    others[asked, np.arange(len(asked))] = False
    weight, belief = _DOUBT
    agreed = ((best * others).sum(0) + weight * belief) / (others.sum(0) + weight)
    return agreed.astype(np.float32)


def _kept(
    rating: Float32[np.ndarray, "C"], overlap: Float32[np.ndarray, "C C"], within: Float32[np.ndarray, "C C"]
) -> Iterator[int]:
    """The best-rated masks of which none repeats or crosses another."""
    kept: list[int] = []
    for index in np.argsort(-rating, kind="stable").tolist():
        if len(kept) == _MOST or rating[index] < _LEAST:
            return
        shared = np.maximum(within[index, kept], within[kept, index])
        crosses = (_CROSSING[0] < shared) & (shared < _CROSSING[1])
        if not (overlap[index, kept] >= _SAME).any() and not crosses.any():
            kept.append(index)
            yield index
