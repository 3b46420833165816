"""How true removals are: photos with one object taken out by the editor, against the picture without the object."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from core.errors import InvalidInput
from core.evaluation.adherence import judged
from core.evaluation.edit_bench import CLICK, EXACT, GIVEN, JUDGED_SIDE, NONE, UNEDITED, told
from core.evaluation.metrics import Likeness, likeness, mean_likeness
from core.evaluation.object_edits import AskedEdit, asked_edit, clicked_mask, exact_estimate, removed_frame
from core.evaluation.own_depth import estimated
from core.evaluation.sheets import strip, write_sheet
from core.files.editbench import read_cases
from core.nets.lpips import Lpips
from core.types.depth import DepthEstimate
from core.types.edit_case import EditCase
from core.types.mask import Mask
from core.types.protocols import DepthBackend, Engine, SegmentationBackend

Picture = UInt8[np.ndarray, "H W 3"]
# The mask with the shadow in it; and the truth pasted into the hole: what an editor that leaves shadows could reach.
SHADOW, TRUE_HOLE = "shadow", "true hole"
# What differs by more, of 255, between the photo and the picture without the object belongs to the object.
_DIFFERENT = 6


@dataclass(frozen=True)
class RemovalRow:
    """One case, one way to take the object out: likeness inside the object's outline and over the whole frame.

    `shadow` is the share of the frame outside the outline that the object darkens or colours: its shadow.
    """

    case: str
    engine: str
    depth: str
    mask: str
    hole: Likeness
    whole: Likeness
    shadow: float
    seconds: float


@dataclass(frozen=True, eq=False)
class _Scene:
    """A case at the judges' size: the picture without the object, its outline, and the share of its shadow."""

    case: EditCase
    truth: Picture
    hole: Bool[np.ndarray, "h w"]
    shadow: float


def run_removal_bench(
    folder: Path,
    engines: Sequence[Engine],
    depth: DepthBackend,
    masks: SegmentationBackend,
    judge: Lpips | None = None,
    side: int = JUDGED_SIDE,
    limit: int | None = None,
    sheet: Path | None = None,
) -> Iterator[RemovalRow]:
    """For each case rows unedited and with the truth in the hole; for every engine rows with own depth and the given
    mask, own depth and the mask of one click, exact depth, and exact depth with the shadow in the mask.

    `sheet` is a PNG, a case a line: before, without the object, then the engines' pictures in the order of their rows.
    Raises InvalidInput for a case whose picture without the object is not known.
    """
    strips = []
    for case in read_cases(folder, limit):
        background = _known_background(case)
        scene = _scene(case, background, side)
        filled = np.where(case.mask[..., None], background, case.before)
        for name, picture in ((UNEDITED, case.before), (TRUE_HOLE, filled)):
            yield _row(scene, side, judge, (name, NONE, NONE), picture, 0.0)
        cells = [case.before, background]
        for engine in engines:
            for names, asked, estimate in _ways(case, background, depth, masks):
                begun = time.perf_counter()
                picture = removed_frame(asked, estimate, engine).pixels
                seconds = time.perf_counter() - begun
                assert picture.dtype == np.uint8
                cells.append(picture)
                yield _row(scene, side, judge, (engine.info.name, *names), picture, seconds)
        strips.append(strip(cells) if sheet is not None else None)
    if sheet is not None:
        write_sheet(sheet, [found for found in strips if found is not None])


def _known_background(case: EditCase) -> Picture:
    if case.background is None:
        raise InvalidInput(f"{case.name} does not know the picture without its object; use cases of make-editbench.")
    return case.background


def changed_area(case: EditCase, background: Picture) -> Bool[np.ndarray, "H W"]:
    """The object and its shadow: where the photo differs from the picture without the object."""
    differs = np.abs(case.before.astype(np.int16) - background).max(axis=2) > _DIFFERENT
    return differs | case.mask


def _ways(
    case: EditCase, background: Picture, depth: DepthBackend, masks: SegmentationBackend
) -> Iterator[tuple[tuple[str, str], AskedEdit, DepthEstimate]]:
    """(depth, mask) by name, and the removal and the depth that they mean."""
    given, clicked = asked_edit(case), asked_edit(case, clicked_mask(case, masks))
    own, exact = estimated(given.photo, given.intrinsics, depth), exact_estimate(case)
    yield (depth.info.name, GIVEN), given, own
    yield (depth.info.name, CLICK), clicked, own
    if exact is not None:
        area = changed_area(case, background).astype(np.uint8)
        with_shadow = cv2.morphologyEx(area, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        yield (EXACT, GIVEN), given, exact
        yield (EXACT, SHADOW), replace(given, mask=Mask(with_shadow * np.uint8(255), source="benchmark")), exact


def _scene(case: EditCase, background: Picture, side: int) -> _Scene:
    truth = judged(background, side)
    covered = cv2.resize(case.mask.astype(np.float32), truth.shape[1::-1], interpolation=cv2.INTER_AREA)
    shadow = float((changed_area(case, background) & ~case.mask).mean())
    return _Scene(case, truth, covered > 0, shadow)


def _row(
    scene: _Scene, side: int, judge: Lpips | None, way: tuple[str, str, str], picture: Picture, seconds: float
) -> RemovalRow:
    small = judged(picture, side)
    hole, whole = (likeness(judge, small, scene.truth, where) for where in (scene.hole, None))
    return RemovalRow(scene.case.name, *way, hole, whole, scene.shadow, seconds)


def report(rows: list[RemovalRow]) -> str:
    """Means over the cases (of seconds the median), a line for each way. Raises InvalidInput without rows."""
    if not rows:
        raise InvalidInput("The benchmark has no case; give a folder with .h5 or .hdf5 files.")
    areas = "".join(f"{f'{area} dB':>9}{'SSIM':>7}{'LPIPS':>8}" for area in ("hole", "whole"))
    lines = [f"{'engine':10} {'depth':14} {'mask':7}{'cases':>6}{areas}{'s':>7}"]
    for way in dict.fromkeys((row.engine, row.depth, row.mask) for row in rows):
        some = [row for row in rows if (row.engine, row.depth, row.mask) == way]
        cells = ""
        for area in ("hole", "whole"):
            alike = mean_likeness([getattr(row, area) for row in some])
            cells += f"{alike.psnr:9.2f}{alike.ssim:7.3f}{told(alike.lpips):>8}"
        seconds = float(np.median([row.seconds for row in some]))
        lines.append(f"{way[0]:10} {way[1]:14} {way[2]:7}{len(some):6d}{cells}{seconds:7.2f}")
    shadow = float(np.mean([row.shadow for row in rows]))
    return "\n".join([*lines, f"mean share of the frame in the objects' shadows: {shadow:.3f}"])
