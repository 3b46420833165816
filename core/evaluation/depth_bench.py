"""How true estimated depth is, against measured depth of real photos."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.errors import InvalidInput
from core.evaluation.index import read_index
from core.evaluation.sheets import strip, write_sheet
from core.files.depth import read_depth
from core.files.photo import open_photo
from core.maths.depth_fit import line_fit
from core.types.camera import Intrinsics
from core.types.depth import DepthMap
from core.types.photo import Photo
from core.types.protocols import CancelToken, DepthBackend

_WITHIN = 1.25
# Aligned inverse depth may come out at or below zero; nothing is farther than the farthest LiDAR return counted.
_FARTHEST_METRES = 80.0
_TINY = 1e-9
_OUTDOOR = ("kitti",)


@dataclass(frozen=True)
class DepthScore:
    """Mean relative error, mean |log10 ratio|, and the share within 1.25 of the truth: each over a picture's pixels.

    The first three after scaling by the ratio of medians, `affine_` after least squares in inverse depth.
    """

    absrel: float
    log10: float
    delta1: float
    affine_absrel: float
    affine_delta1: float


@dataclass(frozen=True)
class DepthRow:
    """One back-end on one photo; `seconds` is None where it was not measured."""

    backend: str
    name: str
    group: str
    score: DepthScore
    seconds: float | None


@dataclass(frozen=True, eq=False)
class MeasuredPhoto:
    """A photo, its camera, and measured depth at its size."""

    name: str
    group: str
    photo: Photo
    intrinsics: Intrinsics
    depth: DepthMap


QUOTED = "NYU network (quoted)"
# A published network of 0.7 M parameters, trained on NYUv2, as scored by whoever made the benchmark (its README).
# Median-scaled AbsRel and delta1, affine AbsRel and delta1.
QUOTED_SCORES = {
    "7scenes": (0.174, 0.707, 0.148, 0.769),
    "hololens": (0.271, 0.497, 0.215, 0.622),
    "lingbot": (0.199, 0.702, 0.155, 0.835),
    "nyu": (0.102, 0.849, 0.096, 0.949),
    "kitti": (0.390, 0.310, 0.319, 0.399),
}


def run_depth_bench(
    backends: Sequence[DepthBackend], folder: Path, limit: int | None = None, sheet: Path | None = None
) -> Iterator[DepthRow]:
    """A row for every back-end and photo with measured depth of `folder/index.json`, at most `limit` photos a set.

    `sheet` is a PNG: photo, measured depth, and each back-end's, aligned. Raises InvalidInput when the folder has no
    index or lacks a file.
    """
    strips = []
    for item in _items(folder, limit):
        case = read_case(folder, item)
        cells = [case.photo.srgb, _coloured(case.depth.values, case.depth.values, case.depth.valid)]
        for backend in backends:
            begun = time.perf_counter()
            estimate = backend.estimate(case.photo, case.intrinsics, CancelToken())
            seconds = time.perf_counter() - begun
            made = cv2.resize(estimate.depth.values, (case.depth.width, case.depth.height))
            yield DepthRow(
                backend.info.name, case.name, case.group, score(made, case.depth.values, case.depth.valid), seconds
            )
            if sheet is not None:
                fitted = affine_aligned(made, case.depth.values, case.depth.valid)
                cells.append(_coloured(fitted, case.depth.values, case.depth.valid))
        if sheet is not None:
            strips.append(strip(cells))
    if sheet is not None:
        write_sheet(sheet, strips)


def read_case(folder: Path, item: dict[str, Any]) -> MeasuredPhoto:
    """The source of an `nvs` item or a `depth` item. Raises InvalidInput."""
    picture, depth = (item["src"], item["src_depth"]) if item["kind"] == "nvs" else (item["image"], item["depth"])
    photo, measured = open_photo(folder / picture), read_depth(folder / depth)
    if (measured.width, measured.height) != (photo.width, photo.height):
        raise InvalidInput(f"{depth} and {picture} differ in size; measured depth must be at the photo's size.")
    fx, fy, cx, cy = item["intrinsics"]
    group = item.get("source", item["id"].partition("-")[0])
    return MeasuredPhoto(item["id"], group, photo, Intrinsics(fx, fy, cx, cy, photo.width, photo.height), measured)


def score(
    made: Float32[np.ndarray, "H W"], truth: Float32[np.ndarray, "H W"], valid: Bool[np.ndarray, "H W"]
) -> DepthScore:
    """Compare depth at the truth's size. Raises InvalidInput when nothing is valid."""
    if not valid.any():
        raise InvalidInput("The measured depth has no valid pixel; leave this picture out of the benchmark.")
    scaled = made * np.float32(np.median(truth[valid]) / np.median(made[valid]))
    fitted = affine_aligned(made, truth, valid)
    absrel, log10, delta1 = _errors(scaled[valid], truth[valid])
    affine_absrel, _, affine_delta1 = _errors(fitted[valid], truth[valid])
    return DepthScore(absrel, log10, delta1, affine_absrel, affine_delta1)


def affine_aligned(
    made: Float32[np.ndarray, "H W"], truth: Float32[np.ndarray, "H W"], valid: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    """Depth whose inverse is scaled and shifted to be nearest to the true inverse by least squares."""
    inverse = 1.0 / np.maximum(made.astype(np.float64), _TINY)
    slope, offset = line_fit(inverse[valid], 1.0 / truth[valid].astype(np.float64))
    return (1.0 / np.maximum(slope * inverse + offset, 1.0 / _FARTHEST_METRES)).astype(np.float32)


def report(rows: list[DepthRow]) -> str:
    """A table: per set and back-end the means over photos, then over all sets and over those indoors."""
    if not rows:
        raise InvalidInput("The benchmark has no photo with measured depth; give a folder whose index.json lists some.")
    groups = list(dict.fromkeys(row.group for row in rows))
    names = [*dict.fromkeys(row.backend for row in rows), QUOTED]
    every = [*rows, *_quoted(rows)]
    head = f"{'set':12}{'photos':>7}  {'back-end':24}{'AbsRel':>8}{'log10':>8}{'delta1':>8}"
    lines = [f"{head}{'aff.AbsRel':>12}{'aff.delta1':>12}{'s':>8}"]
    quoted = [group for group in groups if group in QUOTED_SCORES]
    areas = [(group, [group]) for group in groups]
    areas += [("all quoted", quoted), ("indoors", [group for group in quoted if group not in _OUTDOOR])]
    for title, members in areas:
        for name in names:
            chosen = [row for row in every if row.backend == name and row.group in members]
            if chosen:
                lines.append(_line(title, name, chosen))
    return "\n".join(lines)


def _quoted(rows: list[DepthRow]) -> list[DepthRow]:
    """The published network's mean of each set once for every photo of it, so that overall means weigh alike."""
    first = rows[0].backend
    found = []
    for row in rows:
        if row.backend == first and row.group in QUOTED_SCORES:
            absrel, delta1, affine_absrel, affine_delta1 = QUOTED_SCORES[row.group]
            quoted = DepthScore(absrel, float("nan"), delta1, affine_absrel, affine_delta1)
            found.append(DepthRow(QUOTED, row.name, row.group, quoted, None))
    return found


def _line(title: str, name: str, rows: list[DepthRow]) -> str:
    means = [float(np.mean([getattr(row.score, field.name) for row in rows])) for field in fields(DepthScore)]
    cells = [
        f"{'-' if np.isnan(value) else f'{value:.3f}':>{width}}"
        for value, width in zip(means, (8, 8, 8, 12, 12), strict=True)
    ]
    seconds = [row.seconds for row in rows if row.seconds is not None]
    timing = f"{np.median(seconds):.3f}" if seconds else "-"
    return f"{title:12}{len(rows):7}  {name:24}{''.join(cells)}{timing:>8}"


def _errors(made: Float32[np.ndarray, "N"], truth: Float32[np.ndarray, "N"]) -> tuple[float, float, float]:
    ratio = np.maximum(made.astype(np.float64), _TINY) / truth
    absrel = float(np.abs(ratio - 1).mean())
    return absrel, float(np.abs(np.log10(ratio)).mean()), float((np.maximum(ratio, 1 / ratio) < _WITHIN).mean())


def _items(folder: Path, limit: int | None) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for item in read_index(folder):
        if item["kind"] not in ("nvs", "depth"):
            continue
        group = item.get("source", item["id"].partition("-")[0])
        counts[group] = counts.get(group, 0) + 1
        if limit is None or counts[group] <= limit:
            kept.append(item)
    return kept


def _coloured(
    depth: Float32[np.ndarray, "H W"], truth: Float32[np.ndarray, "H W"], valid: Bool[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W 3"]:
    """Inverse depth over the truth's range; the truth's own unknown pixels are black."""
    low, high = np.percentile(1 / truth[valid], (1, 99)) if valid.any() else (0.0, 1.0)
    inverse = 1 / np.maximum(depth, _TINY)
    shares = ((inverse - low) / max(high - low, _TINY)).clip(0, 1)
    colours = cv2.applyColorMap((255 * shares).astype(np.uint8), cv2.COLORMAP_MAGMA)
    if depth is truth:
        colours[~valid] = 0
    return cv2.cvtColor(colours, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
