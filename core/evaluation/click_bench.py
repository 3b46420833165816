"""How good a mask back-end is after 1, 3 and 5 simulated clicks on objects with known masks."""

import csv
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8

from core.errors import InvalidInput
from core.types.mask import Click, Prompt
from core.types.photo import Photo
from core.types.protocols import SegmentationBackend

_IGNORE = 255


@dataclass(frozen=True)
class ClickRow:
    """One object: overlap (intersection over union, 0..1) of the best mask after each click.

    `best_of_first` is the highest overlap among the candidates of the first click.
    """

    source: str
    file: str
    object_id: int
    overlaps: tuple[float, ...]
    best_of_first: float
    seconds_prepare: float
    seconds_per_click: float


def run_click_bench(
    backend: SegmentationBackend,
    folder: Path,
    photos_per_source: int = 15,
    objects_per_photo: int = 4,
    clicks: int = 5,
    smallest: float = 0.005,
) -> Iterator[ClickRow]:
    """Rows for whole objects of at least `smallest` of the photo, evenly over the sources of `folder/index.csv`.

    The first click goes to the point deepest inside the object, every later one to the point
    deepest inside the largest error, with the previous best mask given. Raises InvalidInput when
    the folder has no index.
    """
    for entry in _sample(folder, photos_per_source):
        photo, ids = _load(folder, entry)
        started = time.perf_counter()
        embedding = backend.prepare(photo)
        prepare = time.perf_counter() - started
        wanted = [int(k) for k in np.unique(ids) if k not in (0, _IGNORE) and (ids == k).mean() >= smallest]
        for object_id in wanted[:objects_per_photo]:
            truth, counted = ids == object_id, ids != _IGNORE
            prompt, overlaps, best, started = Prompt(), [], 0.0, time.perf_counter()
            found = np.zeros(ids.shape, bool)
            for _ in range(clicks):
                prompt = _next_prompt(prompt, found, truth, counted)
                masks = backend.segment(embedding, prompt)
                found = masks[0].coverage >= 128
                overlaps.append(_overlap(found, truth, counted))
                if len(overlaps) == 1:
                    best = max(_overlap(mask.coverage >= 128, truth, counted) for mask in masks)
                prompt = Prompt(prompt.clicks, prompt.box, masks[0])
            spent = (time.perf_counter() - started) / clicks
            yield ClickRow(entry["source"], entry["file"], object_id, tuple(overlaps), best, prepare, spent)


def click_report(rows: list[ClickRow]) -> list[dict[str, str | float]]:
    """Mean overlap after 1, 3, 5 ... clicks and mean seconds, per source and for all objects."""
    groups: dict[str, list[ClickRow]] = defaultdict(list)
    for row in rows:
        groups[row.source].append(row)
        groups["all"].append(row)
    lines: list[dict[str, str | float]] = []
    for source in [*sorted(set(groups) - {"all"}), *(["all"] if rows else [])]:
        group = groups[source]
        line: dict[str, str | float] = {"source": source, "objects": float(len(group))}
        for click in range(0, len(group[0].overlaps), 2):
            line[f"overlap@{click + 1}"] = float(np.mean([row.overlaps[click] for row in group]))
        line["best_of_first"] = float(np.mean([row.best_of_first for row in group]))
        line["seconds_prepare"] = float(np.mean([row.seconds_prepare for row in group]))
        line["seconds_per_click"] = float(np.mean([row.seconds_per_click for row in group]))
        lines.append(line)
    return lines


def deepest_point(area: Bool[np.ndarray, "H W"]) -> tuple[int, int]:
    """(x, y) of the pixel furthest from the area's edge; the picture's border counts as edge."""
    import cv2

    depth = cv2.distanceTransform(np.pad(area.astype(np.uint8), 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(x), int(y)


def _next_prompt(
    prompt: Prompt, found: Bool[np.ndarray, "H W"], truth: Bool[np.ndarray, "H W"], counted: Bool[np.ndarray, "H W"]
) -> Prompt:
    """The earlier clicks and one more, in the middle of the largest error; unchanged when there is no error."""
    import cv2

    missing, surplus = truth & ~found & counted, found & ~truth & counted
    largest: tuple[int, np.ndarray, bool] | None = None
    for error, positive in ((missing, True), (surplus, False)):
        count, labels, stats, _ = cv2.connectedComponentsWithStats(error.astype(np.uint8), connectivity=8)
        if count > 1:
            index = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
            size = int(stats[index, cv2.CC_STAT_AREA])
            if largest is None or size > largest[0]:
                largest = (size, labels == index, positive)
    if largest is None:
        return prompt
    x, y = deepest_point(largest[1])
    return Prompt((*prompt.clicks, Click(x, y, largest[2])), prompt.box, prompt.previous)


def _overlap(found: np.ndarray, truth: np.ndarray, counted: np.ndarray) -> float:
    union = int(((found | truth) & counted).sum())
    return float((found & truth & counted).sum() / union) if union else 1.0


def _sample(folder: Path, per_source: int) -> list[dict[str, str]]:
    """The first photos of each source, in the index's order."""
    index = folder / "index.csv"
    if not index.is_file():
        raise InvalidInput(f"There is no index.csv in {folder}; give the folder of a mask benchmark.")
    taken: dict[str, list[dict[str, str]]] = defaultdict(list)
    with index.open(newline="") as lines:
        for entry in csv.DictReader(lines):
            if entry["kind"] == "object" and len(taken[entry["source"]]) < per_source:
                taken[entry["source"]].append(entry)
    return [entry for entries in taken.values() for entry in entries]


def _load(folder: Path, entry: dict[str, str]) -> tuple[Photo, UInt8[np.ndarray, "H W"]]:
    from PIL import Image

    with Image.open(folder / entry["file"]) as picture:
        pixels = np.array(picture.convert("RGB"))
    with Image.open(folder / entry["mask"]) as picture:
        ids = np.array(picture)
    return Photo(Path(entry["file"]).name, pixels, pixels), ids
