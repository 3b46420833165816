"""How true object edits are: photos with one object moved by the editor, against the photo taken after it moved."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8

from core.errors import InvalidInput
from core.evaluation.adherence import judged, judged_points, object_at
from core.evaluation.metrics import Likeness, likeness, mean_likeness
from core.evaluation.object_edits import (
    AskedEdit,
    asked_edit,
    clicked_mask,
    exact_estimate,
    moved_frame,
    own_estimate,
    seen_twice,
)
from core.evaluation.sheets import strip, write_sheet
from core.files.editbench import read_cases
from core.maths.mask import overlap
from core.nets.lpips import Lpips
from core.types.depth import DepthEstimate
from core.types.edit_case import EditCase
from core.types.protocols import DepthBackend, Engine, SegmentationBackend

Picture = UInt8[np.ndarray, "H W 3"]
UNEDITED, EXACT, NONE = "unedited", "exact", "-"
GIVEN, CLICK = "given", "click"
# The paper judges at its network's size.
JUDGED_SIDE = 256


@dataclass(frozen=True, eq=False)
class Judges:
    """What says how near an edited picture is to the true one, at which size (its longer side, pixels)."""

    masks: SegmentationBackend
    lpips: Lpips | None = None
    side: int = JUDGED_SIDE


@dataclass(frozen=True)
class EditRow:
    """One case, one way to edit it. `engine` and whose `depth` and `mask` it was; UNEDITED is the first photo as it is.

    `adherence` is the overlap of the object found in the edited and in the true picture, `placed` that of where the
    editor put it with where it is (None where that is not known). Seconds are those of the edit without its depth.
    """

    case: str
    engine: str
    depth: str
    mask: str
    likeness: Likeness
    adherence: float
    placed: float | None
    seconds: float


@dataclass(frozen=True, eq=False)
class _Made:
    """An edited picture, where the object was drawn in it, and how long that took."""

    picture: Picture
    area: Bool[np.ndarray, "H W"]
    seconds: float


@dataclass(frozen=True, eq=False)
class _Truth:
    """The true picture at the judges' size, and the object that they see in it."""

    case: EditCase
    picture: Picture
    area: Bool[np.ndarray, "h w"]


def run_edit_bench(
    folder: Path,
    engines: Sequence[Engine],
    depth: DepthBackend,
    masks: SegmentationBackend,
    judges: Judges,
    limit: int | None = None,
    sheet: Path | None = None,
) -> Iterator[EditRow]:
    """For each case of the folder a row unedited, and for every engine rows with own depth and the given mask, own
    depth and the mask of one click, and exact depth where the case knows it.

    `sheet` is a PNG, a case a line: before, after, then the pictures in the order of the rows. Raises InvalidInput.
    """
    strips = []
    for case in read_cases(folder, limit):
        truth = _true_object(case, judges)
        cells = [case.before, case.after]
        yield _judged_row(truth, judges, UNEDITED, (NONE, NONE), _Made(case.before, case.mask, 0.0))
        asked = asked_edit(case), asked_edit(case, clicked_mask(case, masks))
        estimates = _estimates(case, asked, depth)
        for engine in engines:
            for names, edit, estimate in estimates:
                made = _edited(edit, estimate, engine)
                cells.append(made.picture)
                yield _judged_row(truth, judges, engine.info.name, names, made)
        strips.append(strip(cells) if sheet is not None else None)
    if sheet is not None:
        write_sheet(sheet, [found for found in strips if found is not None])


def _estimates(
    case: EditCase, asked: tuple[AskedEdit, AskedEdit], depth: DepthBackend
) -> list[tuple[tuple[str, str], AskedEdit, DepthEstimate]]:
    """(depth, mask) by name, and the edit and the depth that they mean."""
    given, clicked = asked
    name, points, exact = depth.info.name, seen_twice(case), exact_estimate(case)
    found = [
        ((name, GIVEN), given, own_estimate(given, points, depth)),
        ((name, CLICK), clicked, own_estimate(clicked, points, depth)),
    ]
    return found if exact is None else [*found, ((EXACT, GIVEN), given, exact)]


def _edited(asked: AskedEdit, estimate: DepthEstimate, engine: Engine) -> _Made:
    begun = time.perf_counter()
    frame = moved_frame(asked, estimate, engine)
    assert frame.pixels.dtype == np.uint8
    return _Made(frame.pixels, frame.moved, time.perf_counter() - begun)


def _true_object(case: EditCase, judges: Judges) -> _Truth:
    picture = judged(case.after, judges.side)
    points = judged_points(case.object_points_after, case.after.shape[1], picture.shape[1])
    return _Truth(case, picture, object_at(judges.masks, picture, points))


def _judged_row(truth: _Truth, judges: Judges, engine: str, names: tuple[str, str], made: _Made) -> EditRow:
    case, picture = truth.case, judged(made.picture, judges.side)
    points = judged_points(case.object_points_after, case.after.shape[1], picture.shape[1])
    return EditRow(
        case.name, engine, *names,
        likeness(judges.lpips, picture, truth.picture),
        overlap(object_at(judges.masks, picture, points), truth.area),
        None if case.mask_after is None else overlap(made.area, case.mask_after),
        made.seconds,
    )  # fmt: skip


def report(rows: list[EditRow]) -> str:
    """Means over the cases (of seconds the median), a line for each way to edit. Raises InvalidInput without rows."""
    if not rows:
        raise InvalidInput("The benchmark has no case; give a folder with .h5 or .hdf5 files.")
    head = f"{'engine':10} {'depth':14} {'mask':7}{'cases':>6}{'PSNR dB':>9}{'SSIM':>8}{'LPIPS':>8}"
    lines = [f"{head}{'EA':>8}{'placed':>8}{'s':>7}"]
    for way in dict.fromkeys((row.engine, row.depth, row.mask) for row in rows):
        some = [row for row in rows if (row.engine, row.depth, row.mask) == way]
        alike, placed = mean_likeness([row.likeness for row in some]), [r.placed for r in some if r.placed is not None]
        adherence, seconds = np.mean([row.adherence for row in some]), np.median([row.seconds for row in some])
        lines.append(
            f"{way[0]:10} {way[1]:14} {way[2]:7}{len(some):6d}{alike.psnr:9.2f}{alike.ssim:8.3f}"
            f"{told(alike.lpips):>8}{adherence:8.3f}{told(float(np.mean(placed)) if placed else None):>8}{seconds:7.2f}"
        )
    return "\n".join(lines)


def told(figure: float | None) -> str:
    """A figure, or a dash for one that is not known."""
    return "-" if figure is None else f"{figure:.3f}"
