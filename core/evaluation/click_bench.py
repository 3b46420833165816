"""How good mask back-ends are after 1, 3 and 5 simulated clicks on objects with known masks, and how many it takes."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, UInt8

from core.evaluation.mask_set import known_photos
from core.evaluation.sheets import strip, write_sheet
from core.maths.clicks import correcting_click
from core.maths.mask import overlap
from core.types.mask import Click, Prompt
from core.types.protocols import Embedding, SegmentationBackend

Result = TypeVar("Result")

MOST_CLICKS = 20
REPORTED_CLICKS = 5
_SHOWN_CLICKS = 1, 3
_WANTED = 0.85
_SHEET_HEIGHT = 160


@dataclass(frozen=True)
class ClickRow:
    """One back-end on one object: overlap (intersection over union, 0..1) of the best mask after each click.

    `best_of_first` is the highest overlap among the candidates of the first click, `clicks_to_85` how many clicks
    it took to an overlap of 0.85, MOST_CLICKS when that many did not do. Seconds are the back-end's own.
    """

    backend: str
    source: str
    file: str
    object_id: int
    overlaps: tuple[float, ...]
    best_of_first: float
    clicks_to_85: int
    seconds_prepare: float
    seconds_per_click: float


@dataclass(frozen=True, eq=False)
class _Played:
    """What came of the clicks on one object: the first and third best masks and the figures."""

    overlaps: list[float]
    best_of_first: float
    seconds: float
    masks: list[Bool[np.ndarray, "H W"]]


def run_click_bench(
    backends: Sequence[SegmentationBackend],
    folder: Path,
    photos_per_source: int = 15,
    objects_per_photo: int = 4,
    smallest: float = 0.005,
    sheet: Path | None = None,
) -> Iterator[ClickRow]:
    """Rows for whole objects of at least `smallest` of the photo, evenly over the sources of `folder/index.csv`.

    The first click goes to the point deepest inside the object, every later one to the point
    deepest inside the largest error, with the previous best mask given. `sheet` is a PNG: the object, then each
    back-end's mask after one click and after three. Raises InvalidInput when the folder has no index.
    """
    strips = []
    for known in known_photos(folder, photos_per_source):
        photo, counted = known.photo, known.counted
        prepared = [_timed(partial(backend.prepare, photo)) for backend in backends]
        for object_id in known.object_ids(smallest)[:objects_per_photo]:
            truth = known.ids == object_id
            cells = [_shown(photo.srgb, truth)]
            for backend, (embedding, prepare) in zip(backends, prepared, strict=True):
                played = _play(backend, embedding, truth, counted)
                cells += [_shown(photo.srgb, mask) for mask in played.masks]
                reached = (count for count, overlap in enumerate(played.overlaps, 1) if overlap >= _WANTED)
                yield ClickRow(
                    backend.info.name, known.source, known.file, object_id,
                    tuple(played.overlaps[:REPORTED_CLICKS]), played.best_of_first, next(reached, MOST_CLICKS),
                    prepare, played.seconds / len(played.overlaps),
                )  # fmt: skip
            if sheet is not None:
                strips.append(strip(cells, _SHEET_HEIGHT))
    if sheet is not None:
        write_sheet(sheet, strips)


def click_report(rows: list[ClickRow]) -> list[dict[str, str | float]]:
    """Mean overlap after 1, 3, 5 ... clicks and mean figures, per source and for all objects, each back-end a line."""
    groups: dict[str, list[ClickRow]] = defaultdict(list)
    for row in rows:
        groups[row.source].append(row)
        groups["all"].append(row)
    names = list(dict.fromkeys(row.backend for row in rows))
    lines: list[dict[str, str | float]] = []
    for source in [*sorted(set(groups) - {"all"}), *(["all"] if rows else [])]:
        for name in names:
            group = [row for row in groups[source] if row.backend == name]
            line: dict[str, str | float] = {"source": source, "backend": name, "objects": float(len(group))}
            for click in range(0, len(group[0].overlaps), 2):
                line[f"overlap@{click + 1}"] = float(np.mean([row.overlaps[click] for row in group]))
            for figure in ("best_of_first", "clicks_to_85", "seconds_prepare", "seconds_per_click"):
                line[figure] = float(np.mean([getattr(row, figure) for row in group]))
            lines.append(line)
    return lines


def _play(
    backend: SegmentationBackend,
    embedding: Embedding,
    truth: Bool[np.ndarray, "H W"],
    counted: Bool[np.ndarray, "H W"],
) -> _Played:
    """Click until the object is found, at least as often as is reported."""
    prompt, overlaps, best, spent = Prompt(), [], 0.0, 0.0
    found, shown = np.zeros(truth.shape, bool), []
    while len(overlaps) < REPORTED_CLICKS or (len(overlaps) < MOST_CLICKS and max(overlaps) < _WANTED):
        prompt = _next_prompt(prompt, found, truth, counted)
        masks, seconds = _timed(partial(backend.segment, embedding, prompt))
        spent += seconds
        found = masks[0].coverage >= 128
        overlaps.append(overlap(found, truth, counted))
        if len(overlaps) == 1:
            best = max(overlap(mask.coverage >= 128, truth, counted) for mask in masks)
        if len(overlaps) in _SHOWN_CLICKS:
            shown.append(found)
        prompt = Prompt(prompt.clicks, prompt.box, masks[0])
    return _Played(overlaps, best, spent, shown)


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def _shown(picture: UInt8[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """The mask bright over a darkened picture."""
    return np.where(mask[..., None], picture, picture // 4)


def _next_prompt(
    prompt: Prompt, found: Bool[np.ndarray, "H W"], truth: Bool[np.ndarray, "H W"], counted: Bool[np.ndarray, "H W"]
) -> Prompt:
    """The earlier clicks and one more, in the middle of the largest error; unchanged when there is no error."""
    found_click = correcting_click(found, truth, counted)
    if found_click is None:
        return prompt
    return Prompt((*prompt.clicks, Click(*found_click)), prompt.box, prompt.previous)
