"""The bench of object edits: rows for every way, true edits above the photo as it is, and the runner's interface."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from edit_cases import card_case
from fakes import SameColour

from core.engines.warp import WarpEngine
from core.errors import InvalidInput
from core.evaluation.edit_adapter import FOLDER_VARIABLE, EditBenchModel
from core.evaluation.edit_bench import CLICK, EXACT, GIVEN, UNEDITED, EditRow, Judges, report, run_edit_bench
from core.evaluation.object_edits import asked_edit, moved_frame, own_estimate, seen_twice
from core.files.editbench import write_case
from core.maths.exemplar import exemplar
from core.perception.depth.layout import LayoutDepth
from core.types.edit_case import EditCase


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.hdf5", "b.hdf5"):
        write_case(tmp_path / name, card_case(name))
    return tmp_path


def rows_of(folder: Path, **options: object) -> list[EditRow]:
    masks = SameColour()
    return list(run_edit_bench(folder, [WarpEngine(exemplar)], LayoutDepth(), masks, Judges(masks, side=96), **options))


def test_every_way_is_a_row_and_the_sheet_shows_them(folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    rows = rows_of(folder, sheet=sheet)
    ways = [(row.engine, row.depth, row.mask) for row in rows[:4]]
    assert ways == [
        (UNEDITED, "-", "-"), ("warp", "layout", GIVEN), ("warp", "layout", CLICK), ("warp", EXACT, GIVEN),
    ]  # fmt: skip
    assert [row.case for row in rows] == ["a.hdf5"] * 4 + ["b.hdf5"] * 4
    assert cv2.imread(str(sheet)).shape == (2 * 240, 5 * 240, 3)
    assert len(report(rows).splitlines()) == 5


def test_a_true_edit_is_nearer_than_the_photo_as_it_is(folder: Path) -> None:
    unedited, _, _, exact = rows_of(folder, limit=1)
    assert exact.likeness.psnr > unedited.likeness.psnr + 8
    assert exact.likeness.ssim > unedited.likeness.ssim
    assert exact.likeness.lpips is None
    assert exact.adherence > 0.9
    assert unedited.adherence < 0.2
    assert exact.placed == 1.0
    assert unedited.placed is not None
    assert unedited.placed < 0.1


def test_public_cases_have_no_exact_rows(folder: Path) -> None:
    public = replace(card_case("a.hdf5"), depth=None, background=None, mask_after=None)
    write_case(folder / "a.hdf5", public)
    rows = rows_of(folder, limit=1)
    assert [row.depth for row in rows] == ["-", "layout", "layout"]
    assert all(row.placed is None for row in rows)
    assert report(rows).splitlines()[1].split()[-2:] == ["-", "0.00"]


def run_forward(model: EditBenchModel, case: EditCase, **changes: np.ndarray) -> np.ndarray:
    k = case.intrinsics
    camera = np.array([[k.fx, 0, k.cx], [0, k.fy, k.cy], [0, 0, 1]])
    given = {
        "R": case.motion.rotation, "T": case.motion.translation, "K": camera, "gt_segment": case.mask.astype(np.uint8),
    }  # fmt: skip
    return model.run_forward(case.before, case.name, np.array(case.click), **{**given, **changes})


def test_the_runners_interface_makes_the_benchs_picture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case, engine, depth = card_case("a.hdf5"), WarpEngine(exemplar), LayoutDepth()
    asked = asked_edit(case)
    expected = moved_frame(asked, own_estimate(asked, seen_twice(case), depth), engine).pixels
    edited = run_forward(EditBenchModel(folder, depth, engine), case)
    assert edited.dtype == np.uint8
    assert edited.flags.writeable
    np.testing.assert_array_equal(edited, expected)
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    again = EditBenchModel(depth=depth, engine=engine)
    np.testing.assert_array_equal(run_forward(again, case, T=case.motion.translation[:, None]), expected)


def test_the_runners_interface_refuses_what_does_not_fit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    case, model = card_case("a.hdf5"), EditBenchModel(folder, LayoutDepth(), WarpEngine(exemplar))
    with pytest.raises(InvalidInput, match="mask"):
        run_forward(model, case, gt_segment=case.mask[1:].astype(np.uint8))
    with pytest.raises(InvalidInput, match="rotation"):
        run_forward(model, case, R=2 * np.eye(3))
    with pytest.raises(InvalidInput, match="camera matrix"):
        run_forward(model, case, K=np.eye(4))
    with pytest.raises(InvalidInput, match="knows no metres"):
        run_forward(EditBenchModel(None, LayoutDepth(), WarpEngine(exemplar)), case)
