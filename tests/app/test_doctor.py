"""The report on this machine."""

import dataclasses
import json
import sys
from pathlib import Path

import pytest

from app import doctor, environment
from app.cli import main
from core.types.protocols import EngineInfo


def test_the_report_tells_what_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert report["packages"]["numpy"] is not None
    assert report["cores"] >= 1
    assert "warp" in [engine["name"] for engine in report["engines"] if engine["unavailable"] is None]
    assert report["backends"]
    assert set(report["libraries"]) == {need.name for need in environment.LIBRARIES}


def test_choices_keep_the_reason_of_what_cannot_run() -> None:
    ready, absent = EngineInfo("warp", "Geometric", "MIT"), EngineInfo("lras", "LRAS", "MIT")
    listed = doctor.choices([(ready, None), (absent, "torch is missing")])
    assert [(choice.name, choice.unavailable) for choice in listed] == [("warp", None), ("lras", "torch is missing")]


def test_the_text_names_every_choice_and_what_is_missing() -> None:
    found = doctor.Report(
        system="Debian",
        python="3.11",
        packages={"numpy": "2.4", "viser": None},
        gpus=[],
        memory=8 * 2**30,
        cores=2,
        libraries={need.name: need.name != "libGL.so.1" for need in environment.LIBRARIES},
        chromium=None,
        backends=[],
        engines=[doctor.Choice("lras", "LRAS", "MIT", "torch is missing")],
    )
    text = doctor.as_text(found)
    assert "2 cores, 8.0 GB" in text
    assert "libgl1" in text
    assert "libusb-1.0-0" not in text
    assert "not installed" in text
    assert "cannot run: torch is missing" in text
    assert "ready" in doctor.as_text(
        dataclasses.replace(found, engines=[dataclasses.replace(found.engines[0], unavailable=None)])
    )


def test_requirement_names_skip_options_and_versions() -> None:
    assert doctor.requirement_names("-r other.txt\n# note\nnumpy>=2\npillow-heif\npyright[nodejs]==1\n") == [
        "numpy",
        "pillow-heif",
        "pyright",
    ]


def test_a_failing_nvidia_smi_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho driver mismatch\nexit 9\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert doctor.gpus() == ["nvidia-smi failed: driver mismatch"]
    tool.write_text("#!/bin/sh\necho 'Card, 1 MiB, 550'\n")
    assert doctor.gpus() == ["Card, 1 MiB, 550"]
