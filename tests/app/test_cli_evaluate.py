"""`evaluate` from the command line: cases made, moved and emptied, as tables and as JSON."""

import json
from pathlib import Path

import pytest

from app import cli


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "cases"
    assert cli.main(["evaluate", "make-editbench", str(folder), "--count", "1", "--seed", "3", "--size", "64"]) == 0
    return folder


def test_cases_are_written_and_an_occupied_folder_is_kept(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [path.name for path in cases.iterdir()] == ["case-000.hdf5"]
    assert cli.main(["evaluate", "make-editbench", str(cases)]) == 2
    assert "not an empty folder" in capsys.readouterr().err
    assert [path.name for path in cases.iterdir()] == ["case-000.hdf5"]


def test_editbench_as_json(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", "editbench", str(cases), "--engine", "warp", "--depth-backend", "layout", "--json"]
    assert cli.main([*command, "--mask-backend", "graphcut", "--side", "64"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["machine"]["cores"] >= 1
    assert [(row["engine"], row["depth"]) for row in told["rows"]] == [
        ("unedited", "-"), ("warp", "layout"), ("warp", "layout"), ("warp", "exact"),
    ]  # fmt: skip
    assert all(0 <= row["adherence"] <= 1 for row in told["rows"])


def test_removal_prints_a_table(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", "removal", str(cases), "--engine", "warp", "--depth-backend", "layout"]
    assert cli.main([*command, "--mask-backend", "graphcut", "--side", "64"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["engine", "depth", "mask"]
    assert lines[5].split()[:3] == ["warp", "exact", "given"]
    assert any(line.startswith("cpu: ") for line in lines)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--side", "5"], "--side must be at least 32"),
        (["--limit", "0"], "--limit must be at least 1"),
        (["--engine", "magic"], "no engine named 'magic'"),
        (["--depth-backend", "magic"], "no depth back-end called 'magic'"),
    ],
)
def test_bad_arguments_are_one_line(
    cases: Path, capsys: pytest.CaptureFixture[str], extra: list[str], words: str
) -> None:
    assert cli.main(["evaluate", "editbench", str(cases), *extra]) == 2
    assert words in capsys.readouterr().err


def test_a_folder_without_cases_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "removal", str(tmp_path), "--depth-backend", "layout"]) == 2
    assert "holds no .h5 or .hdf5 file" in capsys.readouterr().err
