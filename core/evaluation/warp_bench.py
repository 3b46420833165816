"""How true a camera move is: real photos warped to where a second real photo was taken, compared with that one."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from core.editing.apply import apply, new_project
from core.editing.memo import Memo
from core.editing.render import render
from core.errors import InvalidInput
from core.evaluation.index import read_index
from core.evaluation.metrics import psnr, ssim
from core.files.depth import read_depth
from core.files.photo import open_photo
from core.types.camera import Camera, Intrinsics, Pose
from core.types.depth import DepthEstimate
from core.types.edits import SetCamera
from core.types.frame import Frame
from core.types.photo import Photo
from core.types.project import Project
from core.types.protocols import Engine

MEASURED = "measured"
Picture = UInt8[np.ndarray, "H W 3"]
_SHEET_WIDTH = 480
_ERROR_GAIN = 3


@dataclass(frozen=True, eq=False)
class Pair:
    """A photo with depth, and a second photo whose camera is known. `depth` says whose depth it is."""

    name: str
    group: str
    project: Project
    truth: Photo
    depth: str = MEASURED


@dataclass(frozen=True)
class Score:
    """How near a picture is to the truth in one area: PSNR in dB, SSIM, and the area's share of the frame."""

    psnr: float
    ssim: float
    share: float


@dataclass(frozen=True)
class WarpRow:
    """One pair with one depth. `measured` is the visible area whose depth was measured rather than completed;
    `unwarped` and `shifted` are the source as it is, and moved by the median flow, over the visible area.
    """

    name: str
    group: str
    visible: Score
    measured: Score | None
    whole: Score
    invented: Score | None
    unwarped: Score
    shifted: Score
    seconds: float
    depth: str = MEASURED


_COLUMNS = ("visible", "measured", "whole", "invented", "shifted", "unwarped")


def run_warp_bench(
    engine: Engine,
    folder: Path,
    limit: int | None = None,
    sheet: Path | None = None,
    own_depths: Sequence[Callable[[Pair], Pair]] = (),
) -> Iterator[WarpRow]:
    """A row for every `nvs` pair of `folder/index.json`, at most `limit`, evenly taken.

    Each of `own_depths` gives the pair another depth and makes one more row.
    `sheet` is a PNG of source, result, truth and error (three times), one pair a row.
    Raises InvalidInput when the folder has no index or lacks a file.
    """
    strips = []
    for item in view_items(folder, limit):
        measured = read_pair(folder, item)
        for pair in (measured, *(own_depth(measured) for own_depth in own_depths)):
            begun = time.perf_counter()
            (frame,) = render(pair.project, engine, Memo(), stream=False)
            row = score(pair, frame, time.perf_counter() - begun)
            strips.append(_strip(pair, frame, row) if sheet is not None else None)
            yield row
    if sheet is not None:
        _write_sheet(sheet, [strip for strip in strips if strip is not None])


def read_pair(folder: Path, item: dict[str, Any]) -> Pair:
    """One item of the index as a project that looks from the second camera."""
    photo, truth = open_photo(folder / item["src"]), open_photo(folder / item["dst"])
    depth = read_depth(folder / item["src_depth"])
    source = _intrinsics(item["intrinsics"], photo)
    target = _intrinsics(item.get("intrinsics_dst", item["intrinsics"]), truth)
    pose = Pose(np.array(item["pose_dst_from_src"], np.float64))
    project = apply(new_project(photo, DepthEstimate(depth, source)), SetCamera(Camera(target, pose)))
    return Pair(item["id"], item.get("source", item["id"].partition("-")[0]), project, truth)


def score(pair: Pair, frame: Frame, seconds: float) -> WarpRow:
    """Compare a rendered pair with its truth."""
    truth, visible = pair.truth.srgb, ~frame.invented
    measured = visible & measured_area(pair.project, frame)
    source = pair.project.photo.srgb
    return WarpRow(
        name=pair.name,
        group=pair.group,
        visible=_score(frame.pixels, truth, visible),
        measured=_score(frame.pixels, truth, measured) if measured.any() else None,
        whole=_score(frame.pixels, truth, np.ones_like(visible)),
        invented=_score(frame.pixels, truth, ~visible) if not visible.all() else None,
        unwarped=_score(source, truth, visible),
        shifted=_score(_shifted(source, frame), truth, visible),
        seconds=seconds,
        depth=pair.depth,
    )


def measured_area(project: Project, frame: Frame) -> Bool[np.ndarray, "H W"]:
    """Pixels of the frame that show source pixels with measured depth."""
    height, width = frame.invented.shape
    flow, seen = frame.flow.flow, frame.flow.visible & project.depth.valid
    y, x = np.nonzero(seen)
    columns = np.rint(x + flow[y, x, 0]).astype(np.intp).clip(0, width - 1)
    rows = np.rint(y + flow[y, x, 1]).astype(np.intp).clip(0, height - 1)
    landed = np.zeros((height, width), np.uint8)
    landed[rows, columns] = 1
    # Scattered pixels leave gaps of one pixel where the picture is enlarged.
    return cv2.morphologyEx(landed, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0


def report(rows: list[WarpRow]) -> str:
    """A table of PSNR and SSIM: every pair, then means per set and of all; then the same with every other depth."""
    depths = list(dict.fromkeys(row.depth for row in rows)) or [MEASURED]
    tables = (_table([row for row in rows if row.depth == depth]) for depth in depths)
    titles = (f"{depth} depth" for depth in depths)
    return "\n\n".join(f"{title}\n{table}" for title, table in zip(titles, tables, strict=True))


def _table(rows: list[WarpRow]) -> str:
    head = f"{'pair':24}" + "".join(f"{name:>16}" for name in _COLUMNS) + f"{'% inv':>7}{'s':>7}"
    lines = [head, *map(_line, rows)]
    groups = list(dict.fromkeys(row.group for row in rows))
    lines += [_line(mean([row for row in rows if row.group == group], f"mean {group}")) for group in groups]
    return "\n".join([*lines, _line(mean(rows, "mean"))])


def mean(rows: list[WarpRow], name: str) -> WarpRow:
    """The mean of every figure, each over the rows that have it."""
    if not rows:
        raise InvalidInput("The benchmark has no pair to compare; give a folder whose index.json lists some.")

    def of(column: str) -> Any:
        scores = [getattr(row, column) for row in rows if getattr(row, column) is not None]
        if not scores:
            return None
        return Score(*(float(np.mean([getattr(s, figure) for s in scores])) for figure in ("psnr", "ssim", "share")))

    seconds = float(np.mean([row.seconds for row in rows]))
    return WarpRow(name, name, seconds=seconds, **{column: of(column) for column in _COLUMNS})


def _line(row: WarpRow) -> str:
    cells = ""
    for column in _COLUMNS:
        found: Score | None = getattr(row, column)
        cells += f"{'-':>16}" if found is None else f"{found.psnr:9.2f} {found.ssim:.4f}"
    return f"{row.name:24}{cells}{100 * (1 - row.visible.share):7.1f}{row.seconds:7.2f}"


def _score(result: Picture, truth: Picture, where: Bool[np.ndarray, "H W"]) -> Score:
    return Score(psnr(result, truth, where), ssim(result, truth, where), float(where.mean()))


def _shifted(source: Picture, frame: Frame) -> Picture:
    """The source moved as a whole by the median flow: perspective must do better than that."""
    dx, dy = np.nanmedian(frame.flow.flow, axis=(0, 1)).tolist()
    matrix = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])
    return cv2.warpAffine(source, matrix, source.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def view_items(folder: Path, limit: int | None) -> list[dict[str, Any]]:
    """The `nvs` items of the index, at most `limit`, evenly taken. Raises InvalidInput without an index."""
    items = [item for item in read_index(folder) if item["kind"] == "nvs"]
    if limit is None or len(items) <= limit:
        return items
    return [items[i] for i in np.linspace(0, len(items) - 1, limit).astype(int)]


def _intrinsics(values: list[float], photo: Photo) -> Intrinsics:
    fx, fy, cx, cy = values
    return Intrinsics(fx, fy, cx, cy, photo.width, photo.height)


def _strip(pair: Pair, frame: Frame, row: WarpRow) -> Picture:
    error = np.abs(frame.pixels.astype(np.int16) - pair.truth.srgb).clip(0, 255 // _ERROR_GAIN) * _ERROR_GAIN
    shown = error.astype(np.uint8)
    shown[frame.invented] = (60, 0, 90)
    result, error_words = f"result {row.visible.psnr:.2f} dB", f"error x{_ERROR_GAIN}, violet: invented"
    titles = f"{pair.name}, {pair.depth} depth", result, "truth", error_words
    cells = []
    for title, picture in zip(titles, (pair.project.photo.srgb, frame.pixels, pair.truth.srgb, shown), strict=True):
        height = round(picture.shape[0] * _SHEET_WIDTH / picture.shape[1])
        cell = cv2.resize(picture, (_SHEET_WIDTH, height), interpolation=cv2.INTER_AREA)
        cells.append(cv2.putText(cell, title, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 0), 1, cv2.LINE_AA))
    return np.hstack(cells)


def _write_sheet(path: Path, strips: list[Picture]) -> None:
    if not cv2.imwrite(str(path), cv2.cvtColor(np.vstack(strips), cv2.COLOR_RGB2BGR)):
        raise InvalidInput(f"The sheet cannot be written to {path}; use a .png name in a folder that exists.")
