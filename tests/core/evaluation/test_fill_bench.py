from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import InvalidInput
from core.evaluation import fill_bench
from core.nets.files import fill_student_bytes
from core.nets.fill_student import FillStudent, FillStudentConfig


def test_report_takes_medians_per_kind_and_method() -> None:
    rows = [fill_bench.Row("a", "shape", "exemplar", value, 0.5, 1.0, 0.1, 0.02) for value in (10.0, 20.0, 90.0)]
    text = fill_bench.report(rows)
    assert "exemplar" in text
    assert "20.00" in text


def test_lpips_is_reported_where_it_was_asked_for() -> None:
    rows = [fill_bench.Row("a", "shape", "exemplar", 9.0, 0.5, 1.0, 0.1, 0.02, value) for value in (0.1, 0.2, 0.6)]
    lines = fill_bench.report(rows).splitlines()
    assert lines[0].endswith("LPIPS    mean")
    assert lines[1].endswith("0.200   0.300")
    assert "LPIPS" not in fill_bench.report([replace(row, lpips=None) for row in rows])


def test_the_network_is_a_row_where_its_weights_are_given(
    shared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fill_bench, "METHODS", {"membrane": fill_bench.METHODS["membrane"]})
    path = tmp_path / "fill.safetensors"
    path.write_bytes(fill_student_bytes(FillStudent(FillStudentConfig((8, 8, 8, 8), (0, 0, 0, 0), 1))))
    rows = fill_bench.run(shared_folder / "bench", limit=1, network=path)
    assert {row.method for row in rows} == {"membrane", "network"}


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"index\.json"):
        fill_bench.run(tmp_path)


def test_runs_on_real_pairs_and_shapes(shared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fill_bench, "METHODS", {"membrane": fill_bench.METHODS["membrane"]})
    sheet = tmp_path / "sheet.png"
    rows = fill_bench.run(shared_folder / "bench", limit=1, sheet=sheet)
    assert {row.kind for row in rows} == {"view", "shape"}
    assert all(np.isfinite([row.psnr, row.ssim, row.texture]).all() for row in rows)
    picture = cv2.imread(str(sheet))
    assert picture is not None
    assert picture.max() > 0
