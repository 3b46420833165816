"""Novel views as the LRAS paper judges them (Tables 1 and 4): real photos seen from where a second one was taken.

Pictures are cut to their middle square and reduced, or left whole; scores are over the frame and over what no source
pixel explains.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from scipy.stats import rankdata

from core.editing.apply import apply, new_project
from core.editing.memo import Memo
from core.editing.render import render
from core.evaluation.metrics import Likeness, likeness, mean_likeness
from core.evaluation.sheets import strip, write_sheet
from core.evaluation.warp_bench import Pair, read_pair, view_items
from core.maths.camera import cropped, resized
from core.maths.fill import Picture, to_float
from core.nets.lpips import Lpips
from core.types.camera import Camera, Intrinsics
from core.types.depth import DepthEstimate, DepthMap
from core.types.edits import SetCamera
from core.types.frame import Frame
from core.types.photo import Photo
from core.types.protocols import Engine

PAPER_SIDE = 256
# Doubt and error are compared block by block: a patch of 8 pixels, as the network sees them.
_BLOCK = 8
_LEAST_BLOCKS = 8


@dataclass(frozen=True)
class ViewRow:
    """One pair by one method with one depth. `side` is the square's in pixels, None for whole pictures.

    `uncovered` is over pixels that no source pixel explains, `share` their part of the frame. `doubt_rank` is
    Spearman's rank correlation of doubt and error over blocks of them; None where the method is equally sure of all.
    """

    pair: str
    method: str
    depth: str
    side: int | None
    whole: Likeness
    uncovered: Likeness | None
    share: float
    seconds: float
    doubt_rank: float | None


def run(
    folder: Path,
    methods: Mapping[str, Engine],
    sides: Sequence[int | None] = (PAPER_SIDE,),
    own_depths: Sequence[Callable[[Pair], Pair]] = (),
    judge: Lpips | None = None,
    limit: int | None = None,
    sheet: Path | None = None,
) -> Iterator[ViewRow]:
    """Every method on every `nvs` pair of `folder/index.json`, with measured depth and with each of `own_depths`.

    `sheet` is a PNG of source, results and truth, one pair a row. Raises InvalidInput when the folder has no index
    or lacks a file.
    """
    strips = []
    for item in view_items(folder, limit):
        found = read_pair(folder, item)
        for side in sides:
            measured = found if side is None else squared(found, side)
            for pair in (measured, *(own_depth(measured) for own_depth in own_depths)):
                made = []
                for name, engine in methods.items():
                    begun = time.perf_counter()
                    (frame,) = render(pair.project, engine, Memo(), stream=False)
                    yield _row(pair, side, name, frame, time.perf_counter() - begun, judge)
                    made.append(frame.pixels)
                strips.append(strip([pair.project.photo.srgb, *made, pair.truth.srgb]))
    if sheet is not None:
        write_sheet(sheet, strips)


def squared(pair: Pair, side: int) -> Pair:
    """The middle squares of both photos at `side` pixels, with the depth and the cameras that belong to them."""
    project = pair.project
    source = _square_photo(project.photo, side)
    camera = project.scene.camera
    intrinsics = _square_camera(project.scene.source_intrinsics, side)
    estimate = DepthEstimate(_square_depth(project.depth, side), intrinsics)
    looking = Camera(_square_camera(camera.intrinsics, side), camera.camera_from_world)
    edited = apply(new_project(source, estimate), SetCamera(looking))
    return replace(pair, project=edited, truth=_square_photo(pair.truth, side))


def report(rows: Sequence[ViewRow]) -> str:
    """Means over the pairs, a line for each size, depth and method; of uncovered pixels over pairs that have any."""
    head = f"{'size':>6} {'depth':10} {'method':16} {'pairs':>5}"
    for area in ("whole", "uncovered"):
        head += f" | {area:>9} PSNR {'SSIM':>6} {'LPIPS':>6}"
    lines = [head + f" | {'% unc.':>6} {'s':>6} {'doubt':>6}"]
    for key in dict.fromkeys((row.side, row.depth, row.method) for row in rows):
        some = [row for row in rows if (row.side, row.depth, row.method) == key]
        lines.append(_line(some))
    return "\n".join(lines)


def _line(some: Sequence[ViewRow]) -> str:
    first = some[0]
    size = "whole" if first.side is None else str(first.side)
    text = f"{size:>6} {first.depth:10} {first.method:16} {len(some):5d}"
    for scores in ([row.whole for row in some], [row.uncovered for row in some if row.uncovered is not None]):
        mean = mean_likeness(scores)
        text += f" | {mean.psnr:14.2f} {mean.ssim:6.3f} {'-' if mean.lpips is None else f'{mean.lpips:.3f}':>6}"
    ranks = [row.doubt_rank for row in some if row.doubt_rank is not None]
    rank = f"{np.mean(ranks):6.2f}" if ranks else f"{'-':>6}"
    return f"{text} | {100 * np.mean([r.share for r in some]):6.1f} {np.mean([r.seconds for r in some]):6.2f} {rank}"


def _row(pair: Pair, side: int | None, method: str, frame: Frame, seconds: float, judge: Lpips | None) -> ViewRow:
    truth, uncovered = pair.truth.srgb, frame.invented
    whole = likeness(judge, frame.pixels, truth)
    part = likeness(judge, frame.pixels, truth, uncovered) if uncovered.any() else None
    rank = doubt_rank(1 - frame.confidence, frame.pixels, truth, uncovered)
    return ViewRow(pair.name, method, pair.depth, side, whole, part, float(uncovered.mean()), seconds, rank)


def doubt_rank(
    doubt: Float32[np.ndarray, "H W"], result: Picture, truth: Picture, where: Bool[np.ndarray, "H W"]
) -> float | None:
    """Spearman's rank correlation of mean doubt and mean absolute error over the blocks that lie in `where`.

    None with few blocks, or when all of them are equally doubtful or wrong.
    """
    error = np.abs(to_float(result) - to_float(truth)).mean(axis=-1)
    share, doubts, errors = (_blocks(field.astype(np.float32)) for field in (where, doubt, error))
    inside = share > 0.5
    doubts, errors = doubts[inside], errors[inside]
    if len(doubts) < _LEAST_BLOCKS or np.ptp(doubts) == 0 or np.ptp(errors) == 0:
        return None
    return float(np.corrcoef(rankdata(doubts), rankdata(errors))[0, 1])


def _blocks(field: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "N"]:
    rows, columns = field.shape[0] // _BLOCK, field.shape[1] // _BLOCK
    cut = field[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return cut.mean(axis=(1, 3)).reshape(-1)


def _middle(width: int, height: int) -> tuple[int, int, int]:
    """Left, top and side of the largest square in the middle."""
    side = min(width, height)
    return (width - side) // 2, (height - side) // 2, side


def _square(field: np.ndarray, side: int, interpolation: int) -> np.ndarray:
    x, y, cut = _middle(field.shape[1], field.shape[0])
    return cv2.resize(field[y : y + cut, x : x + cut], (side, side), interpolation=interpolation)


def _square_photo(photo: Photo, side: int) -> Photo:
    pixels = _square(photo.srgb, side, cv2.INTER_AREA)
    return Photo(photo.name, pixels, pixels)


def _square_camera(intrinsics: Intrinsics, side: int) -> Intrinsics:
    x, y, cut = _middle(intrinsics.width, intrinsics.height)
    return resized(cropped(intrinsics, x, y, cut, cut), side, side)


def _square_depth(depth: DepthMap, side: int) -> DepthMap:
    """Nearest samples: a mean over a depth step lies on neither side."""
    values = _square(depth.values, side, cv2.INTER_NEAREST)
    valid = _square(depth.valid.astype(np.uint8), side, cv2.INTER_NEAREST) > 0
    return DepthMap(values, valid, depth.scale, depth.source)
