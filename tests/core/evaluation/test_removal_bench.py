"""The bench of removals: against the picture without the object, in the hole and over the frame."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from edit_cases import SIDE, card_case
from fakes import SameColour

from core.engines.warp import WarpEngine
from core.errors import InvalidInput
from core.evaluation.edit_bench import CLICK, EXACT, GIVEN, UNEDITED
from core.evaluation.removal_bench import SHADOW, TRUE_HOLE, RemovalRow, changed_area, report, run_removal_bench
from core.files.editbench import write_case
from core.maths.exemplar import exemplar
from core.perception.depth.layout import LayoutDepth
from core.types.edit_case import EditCase


def shaded_case() -> EditCase:
    """The card with a shadow of 24 x 10 pixels below it."""
    case = card_case()
    before = case.before.copy()
    before[44:54, 16:40] //= 2
    return replace(case, before=before)


def rows_of(folder: Path, case: EditCase, sheet: Path | None = None) -> dict[tuple[str, str, str], RemovalRow]:
    write_case(folder / case.name, case)
    rows = run_removal_bench(folder, [WarpEngine(exemplar)], LayoutDepth(), SameColour(), side=SIDE, sheet=sheet)
    return {(row.engine, row.depth, row.mask): row for row in rows}


def test_every_way_is_a_row(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    rows = rows_of(tmp_path, shaded_case(), sheet)
    assert list(rows) == [
        (UNEDITED, "-", "-"), (TRUE_HOLE, "-", "-"), ("warp", "layout", GIVEN), ("warp", "layout", CLICK),
        ("warp", EXACT, GIVEN), ("warp", EXACT, SHADOW),
    ]  # fmt: skip
    assert cv2.imread(str(sheet)).shape == (240, 6 * 240, 3)
    assert len(report(list(rows.values())).splitlines()) == 8


def test_a_removal_is_nearer_than_the_photo_and_the_shadow_stays(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, shaded_case())
    unedited, removed, shadow = rows[UNEDITED, "-", "-"], rows["warp", EXACT, GIVEN], rows["warp", EXACT, SHADOW]
    assert removed.hole.psnr > unedited.hole.psnr + 6
    assert removed.whole.psnr > unedited.whole.psnr + 2
    assert rows[TRUE_HOLE, "-", "-"].whole.psnr < shadow.whole.psnr
    assert np.isinf(rows[TRUE_HOLE, "-", "-"].hole.psnr)
    assert shadow.shadow == pytest.approx(240 / SIDE**2)


def test_the_changed_area_is_object_and_shadow() -> None:
    case = shaded_case()
    assert case.background is not None
    expected = case.mask.copy()
    expected[44:54, 16:40] = True
    np.testing.assert_array_equal(changed_area(case, case.background), expected)


def test_a_case_without_its_background_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"card\.hdf5 does not know"):
        rows_of(tmp_path, replace(card_case(), background=None))
