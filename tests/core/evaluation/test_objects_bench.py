"""The benchmark of proposals, on a drawn scene."""

from pathlib import Path

import numpy as np
import pytest
from fakes import SameColour
from PIL import Image

from core.errors import InvalidInput
from core.evaluation.objects_bench import objects_report, run_objects_bench


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two squares of their own colours; most of the second does not count."""
    pixels, ids = np.full((120, 160, 3), 90, np.uint8), np.zeros((120, 160), np.uint8)
    pixels[20:60, 20:60], pixels[60:100, 90:130] = (200, 70, 50), (60, 80, 200)
    ids[20:60, 20:60], ids[60:100, 90:98], ids[60:100, 98:130] = 1, 2, 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(ids).save(tmp_path / "m.png")
    (tmp_path / "index.csv").write_text("file,mask,source,kind\na.png,m.png,here,object\n")
    return tmp_path


def test_overlaps_and_counts_are_of_the_known_objects(folder: Path) -> None:
    (row,) = run_objects_bench([SameColour()], folder)
    assert len(row.overlaps) == 2
    assert row.overlaps[0] > 0.9
    assert row.proposals == 2
    # What is not counted of the second square does not speak against its proposal.
    assert row.overlaps[1] > 0.8


def test_small_objects_are_not_asked_for(folder: Path) -> None:
    (row,) = run_objects_bench([SameColour()], folder, smallest=0.05)
    assert len(row.overlaps) == 1


def test_the_report_has_shares_per_source_and_for_all(folder: Path) -> None:
    rows = list(run_objects_bench([SameColour()], folder))
    lines = objects_report(rows)
    assert [line["source"] for line in lines] == ["here", "all"]
    assert lines[1]["objects"] == 2.0
    assert lines[1]["found@0.5"] == 1.0
    assert objects_report([]) == []


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"index\.csv"):
        next(run_objects_bench([SameColour()], tmp_path))
