"""How somebody would point at a thing: clicks inside it and beside it, a box around it, an earlier mask to mend."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from core.maths.clicks import correcting_click, deepest_point, distance_inside
from core.training.click_config import ClickSettings

QUARTER = 4
_Area = Bool[np.ndarray, "H W"]
_Click = tuple[int, int, float]
# People click roughly: chances by a power of the distance from the edge, and now and then the very middle.
_DEEPEST_SHARE = 0.3
_POWERS = 0.5, 1.0, 2.0
_MORE_CLICKS = 0.25
_NEGATIVE = 0.35
_BOX_JITTER = 0.06
_CLICK_IN_BOX = 0.3
_ONLY_PREVIOUS = 0.15


@dataclass(frozen=True, eq=False)
class Pointed:
    """One prompt as in core.nets.click_student.Prompts: NaN for no box and for no previous mask."""

    clicks: Float32[np.ndarray, "N 3"]
    box: Float32[np.ndarray, "4"]
    previous: Float32[np.ndarray, "h w"]


def middle_click(wanted: _Area) -> Pointed:
    """One click where the thing is deepest: how the benchmark begins."""
    return _pointed(wanted, [(*deepest_point(wanted), 1.0)])


def draw_prompt(
    random: np.random.Generator, parts: tuple[_Area, ...], counted: _Area, settings: ClickSettings
) -> Pointed:
    """A prompt that means all of the parts, each of which gets a click where clicks tell what is wanted."""
    wanted = np.logical_or.reduce(parts)
    luck = random.random()
    if luck < settings.box_share:
        clicks = [(*inside_click(random, parts[0]), 1.0)] if random.random() < _CLICK_IN_BOX else []
        return _pointed(wanted, clicks, box=rough_box(random, wanted))
    if luck < settings.box_share + settings.previous_share:
        return _mending(random, parts, wanted, counted)
    clicks: list[_Click] = [(*inside_click(random, part), 1.0) for part in parts]
    while random.random() < _MORE_CLICKS:
        clicks.append((*inside_click(random, parts[int(random.integers(len(parts)))]), 1.0))
    if random.random() < _NEGATIVE and (beside := beside_click(random, wanted, counted)) is not None:
        clicks.append((*beside, -1.0))
    return _pointed(wanted, clicks)


def inside_click(random: np.random.Generator, area: _Area) -> tuple[int, int]:
    """(x, y) of a pixel of the area, likelier further from its edge."""
    if random.random() < _DEEPEST_SHARE:
        return deepest_point(area)
    chances = distance_inside(area) ** np.float32(random.choice(_POWERS))
    return _drawn(random, chances)


def beside_click(random: np.random.Generator, wanted: _Area, counted: _Area) -> tuple[int, int] | None:
    """(x, y) of a pixel that counts and is not wanted, mostly near the edge; None where there is none."""
    outside = ~wanted & counted
    if not outside.any():
        return None
    near = float(np.sqrt(wanted.sum())) * random.choice([0.1, 0.3, 3.0])
    distance = distance_inside(~wanted)
    chances = np.where(outside, np.exp(-distance / np.float32(near)) * distance, 0)
    return _drawn(random, chances if chances.any() else outside)


def rough_box(random: np.random.Generator, wanted: _Area) -> Float32[np.ndarray, "4"]:
    """x0, y0, x1, y1 around the area, each side moved a little, within the picture."""
    rows, columns = np.flatnonzero(wanted.any(1)), np.flatnonzero(wanted.any(0))
    low, high = np.array([columns[0], rows[0]]), np.array([columns[-1], rows[-1]])
    spread = _BOX_JITTER * random.random() * (high - low + 1)
    most = np.array(wanted.shape[::-1]) - 1
    low = np.clip(low + random.normal(0, 1, 2) * spread, 0, most - 1)
    high = np.clip(high + random.normal(0, 1, 2) * spread, low + 1, most)
    return np.concatenate([low, high]).astype(np.float32)


def distorted(random: np.random.Generator, wanted: _Area) -> _Area:
    """The area with bays and bulges, wider or narrower, as an earlier answer would have it; may be empty."""
    height, width = wanted.shape
    extent = float(np.sqrt(wanted.sum()))
    rows, columns = (int(np.clip(round(side / (0.5 * extent)), 2, 16)) for side in (height, width))
    noise = cv2.resize(
        random.standard_normal((rows, columns), np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    bulge, shift = random.uniform(0.03, 0.25) * extent, random.normal(0, 0.05) * extent
    signed = distance_inside(wanted) - distance_inside(~wanted)
    return signed + np.float32(bulge) * noise + np.float32(shift) > 0


def _mending(random: np.random.Generator, parts: tuple[_Area, ...], wanted: _Area, counted: _Area) -> Pointed:
    """A distorted mask with the click that brought it about, and mostly one that corrects it."""
    found = distorted(random, wanted)
    clicks: list[_Click] = [(*inside_click(random, part), 1.0) for part in parts] if random.random() < 0.5 else []
    error = correcting_click(found, wanted, counted)
    if error is not None and random.random() > _ONLY_PREVIOUS:
        clicks.append((error[0], error[1], 1.0 if error[2] else -1.0))
    if not clicks and not found.any():
        clicks = [(*inside_click(random, wanted), 1.0)]
    return _pointed(wanted, clicks, previous=found)


def _pointed(
    wanted: _Area, clicks: list[_Click], box: Float32[np.ndarray, "4"] | None = None, previous: _Area | None = None
) -> Pointed:
    rows, columns = (side // QUARTER for side in wanted.shape)
    small = np.full((rows, columns), np.nan, np.float32)
    if previous is not None:
        small = cv2.resize(previous.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    return Pointed(
        np.array(clicks, np.float32).reshape(-1, 3), np.full(4, np.nan, np.float32) if box is None else box, small
    )


def _drawn(random: np.random.Generator, chances: np.ndarray) -> tuple[int, int]:
    sums = np.cumsum(chances, dtype=np.float64)
    index = int(np.searchsorted(sums, random.random() * sums[-1], side="right"))
    y, x = np.unravel_index(min(index, chances.size - 1), chances.shape)
    return int(x), int(y)
