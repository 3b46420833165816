"""A prompt checked against its photo and said in superpixels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32

from core.errors import InvalidInput
from core.perception.segmentation.evidence import geodesic
from core.perception.segmentation.regions import Regions
from core.types.mask import Box, Click, Mask, Prompt

_RING_SEEDS = 60


@dataclass(frozen=True)
class Seeds:
    """Regions known to belong (`positive`) or not (`negative`).

    `box` is the user's box in work pixels (x0, y0, x1, y1), `previous` the earlier mask's coverage
    per region (0..1); both None when the prompt has none.
    """

    positive: Int32[np.ndarray, "P"]
    negative: Int32[np.ndarray, "N"]
    box: tuple[float, float, float, float] | None
    previous: Float32[np.ndarray, "R"] | None


def check_prompt(prompt: Prompt, width: int, height: int) -> None:
    """Raises InvalidInput for a prompt that names nothing, or lies outside the photo."""
    if not prompt.clicks and prompt.box is None and prompt.previous is None:
        raise InvalidInput("Nothing was pointed at; click on an object or draw a box around it.")
    if prompt.box is None and prompt.previous is None and not any(click.positive for click in prompt.clicks):
        raise InvalidInput("There are only clicks that take away; click on the object itself first.")
    for click in prompt.clicks:
        if not (-0.5 <= click.x <= width - 0.5 and -0.5 <= click.y <= height - 0.5):
            raise InvalidInput(
                f"The click ({click.x:g}, {click.y:g}) lies outside the {width}x{height} photo; click inside it."
            )
    places = {positive: _pixels(prompt.clicks, positive) for positive in (True, False)}
    for x, y in places[True] & places[False]:
        raise InvalidInput(f"The click at ({x}, {y}) both adds and takes away; remove one of the two.")
    if prompt.box is not None:
        _check_box(prompt.box, width, height)
        for click in prompt.clicks:
            if click.positive and not _within(click, prompt.box):
                raise InvalidInput(f"The click ({click.x:g}, {click.y:g}) lies outside the box; enlarge the box.")
    if prompt.previous is not None and prompt.previous.coverage.shape != (height, width):
        tall, wide = prompt.previous.coverage.shape
        raise InvalidInput(f"The earlier mask is {wide}x{tall}, the photo {width}x{height}; use this photo's mask.")
    if not prompt.clicks and prompt.box is None and prompt.previous is not None and not prompt.previous.coverage.any():
        raise InvalidInput("The earlier mask is empty; click on the object.")


def seeds_of(prompt: Prompt, regions: Regions, strength: Float32[np.ndarray, "E"], width: int, height: int) -> Seeds:
    """The prompt in superpixels of the work picture; at least one positive seed."""
    tall, wide = regions.labels.shape
    factor = np.array([wide / width, tall / height])
    positive = _regions_at(prompt.clicks, True, regions, factor)
    negative = np.setdiff1d(_regions_at(prompt.clicks, False, regions, factor), positive)
    box = None
    if prompt.box is not None:
        box = _box_in_work(prompt.box, factor)
        negative = np.union1d(negative, _ring_outside(box, regions))
        negative = np.setdiff1d(negative, positive)
    previous = None if prompt.previous is None else _share_covered(prompt.previous, regions)
    if len(positive) == 0:
        positive = _middle_of(box, previous, negative, regions, strength)
        negative = np.setdiff1d(negative, positive)
    return Seeds(positive.astype(np.int32), negative.astype(np.int32), box, previous)


def _pixels(clicks: tuple[Click, ...], positive: bool) -> set[tuple[int, int]]:
    return {(round(click.x), round(click.y)) for click in clicks if click.positive == positive}


def _within(click: Click, box: Box) -> bool:
    return box.x0 - 0.5 <= click.x <= box.x1 + 0.5 and box.y0 - 0.5 <= click.y <= box.y1 + 0.5


def _check_box(box: Box, width: int, height: int) -> None:
    if not np.isfinite([box.x0, box.y0, box.x1, box.y1]).all() or box.x1 < box.x0 or box.y1 < box.y0:
        raise InvalidInput("The box's corners must be finite, the first one left of and above the second.")
    if box.x1 < 0 or box.y1 < 0 or box.x0 > width - 1 or box.y0 > height - 1:
        raise InvalidInput(
            f"The box ({box.x0:g}, {box.y0:g}) to ({box.x1:g}, {box.y1:g}) lies outside the "
            f"{width}x{height} photo; draw it inside."
        )


def _regions_at(
    clicks: tuple[Click, ...], positive: bool, regions: Regions, factor: np.ndarray
) -> Int32[np.ndarray, "S"]:
    tall, wide = regions.labels.shape
    found: list[int] = []
    for click in clicks:
        if click.positive == positive:
            x = min(wide - 1, max(0, int((click.x + 0.5) * factor[0])))
            y = min(tall - 1, max(0, int((click.y + 0.5) * factor[1])))
            found.append(int(regions.labels[y, x]))
    return np.array(list(dict.fromkeys(found)), np.int32)


def _box_in_work(box: Box, factor: np.ndarray) -> tuple[float, float, float, float]:
    return (
        (box.x0 + 0.5) * factor[0] - 0.5,
        (box.y0 + 0.5) * factor[1] - 0.5,
        (box.x1 + 0.5) * factor[0] - 0.5,
        (box.y1 + 0.5) * factor[1] - 0.5,
    )


def outside_box(box: tuple[float, float, float, float], regions: Regions) -> Bool[np.ndarray, "R"]:
    """Regions of which less than a third lies in the box."""
    tall, wide = regions.labels.shape
    ys, xs = np.mgrid[:tall, :wide]
    within = (xs >= box[0] - 0.5) & (xs <= box[2] + 0.5) & (ys >= box[1] - 0.5) & (ys <= box[3] + 0.5)
    share = np.bincount(regions.labels.ravel(), within.ravel(), regions.count) / (regions.area * regions.labels.size)
    return share < min(1 / 3, share.max())


def _ring_outside(box: tuple[float, float, float, float], regions: Regions) -> Int32[np.ndarray, "S"]:
    """The regions around the box, evenly thinned: what the object is not."""
    outside = outside_box(box, regions)
    a, b = regions.edges.T
    ring = np.union1d(a[outside[a] & ~outside[b]], b[outside[b] & ~outside[a]])
    step = max(1, len(ring) // _RING_SEEDS)
    return ring[::step].astype(np.int32)


def _share_covered(mask: Mask, regions: Regions) -> Float32[np.ndarray, "R"]:
    import cv2

    tall, wide = regions.labels.shape
    small = cv2.resize(mask.coverage, (wide, tall), interpolation=cv2.INTER_AREA)
    share = np.bincount(regions.labels.ravel(), small.ravel() / 255.0, regions.count)
    return (share / (regions.area * regions.labels.size)).astype(np.float32)


def _middle_of(
    box: tuple[float, float, float, float] | None,
    previous: Float32[np.ndarray, "R"] | None,
    negative: np.ndarray,
    regions: Regions,
    strength: Float32[np.ndarray, "E"],
) -> Int32[np.ndarray, "S"]:
    """The seed of a prompt without a click: deepest inside the earlier mask, or the middle of the box."""
    if previous is not None and (previous >= 0.5).any():
        rest = np.union1d(np.flatnonzero(previous < 0.5), negative).astype(np.int32)
        depth = geodesic(regions, 0.01 + 0 * strength, rest)
        return np.array([int(np.argmax(np.where(previous >= 0.5, depth, -1)))], np.int32)
    if box is None:
        raise InvalidInput("The earlier mask is empty; click on the object.")
    longer = max(regions.labels.shape)
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]) / longer
    half = np.array([box[2] - box[0] + 1, box[3] - box[1] + 1]) / 2 / longer
    off = np.abs((regions.centre - middle) / half).max(1)
    depth = geodesic(regions, -np.log1p(-np.minimum(strength, 0.98)), negative.astype(np.int32))
    return np.array([int(np.argmax(depth / (depth.max() + 1e-6) - 1.2 * off))], np.int32)
