"""The benchmarks' commands and their description of the machine."""

import json
from pathlib import Path

import pytest

from app import cli
from app.commands import bench
from app.machine import machine


def test_the_machine_is_named() -> None:
    told = machine()
    assert told["date"].endswith("+00:00")
    assert told["cpu"]
    assert told["cores"] >= 1
    assert set(told["packages"]) >= {"numpy", "numba"}


def test_every_speed_benchmark_is_there() -> None:
    for name in bench.SPEED:
        assert (bench.ROOT / "benchmarks" / f"{name}.py").is_file()


def test_warp_prints_pairs_means_and_machine(shared_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(shared_folder / "bench")
    assert cli.main(["bench", "warp", folder, "--limit", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "measured depth"
    assert lines[1].split()[:2] == ["pair", "visible"]
    assert [line.split("  ")[0] for line in lines[3:5]] == ["mean hololens", "mean"]
    assert any(line.startswith("cpu: ") for line in lines)


def test_click_as_json(shared_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "click", str(shared_folder / "masks" / "bench"), "--limit", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["machine"]["cores"] >= 1
    assert 0 <= told["rows"][0]["overlaps"][0] <= 1
