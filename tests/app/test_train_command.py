"""The command: packing, training and plain words for what is wrong."""

from pathlib import Path

import pytest
from training_data import random_quantizers, write_data, write_masks

from app.cli import main
from core.lras.saving import save_quantizer


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("training") / "data")


def test_folders_are_packed_and_trained_on(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "pack", "--data", str(data), "--out", str(tmp_path / "p"), "--packed-side", "64"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("12 pictures in 1 files")
    assert "MIT" in told
    out = tmp_path / "run"
    run = ["train", "lpq", "--data", str(tmp_path / "p"), "--config", "tiny-lpq-rgb", "--out", str(out)]
    assert main([*run, "--minutes", "0.001"]) == 0
    assert (out / "weights" / "model.safetensors").is_file()
    assert main(run) == 2
    assert "use --resume" in capsys.readouterr().err


def test_folders_are_packed_on_the_first_start(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    words = ["train", "lpq", "--data", str(data), "--config", "tiny-lpq-flow", "--out", str(out)]
    assert main([*words, "--leave-out", "research", "--minutes", "0.001"]) == 0
    assert "11 pictures" in capsys.readouterr().out
    assert (out / "pack" / "pack-000.safetensors").is_file()


def test_pictures_with_masks_are_packed_for_clicks(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(data), str(write_masks(tmp_path / "masks"))]
    assert main(["train", "pack", "--for-clicks", "--data", *folders, "--out", str(tmp_path / "p")]) == 0
    assert capsys.readouterr().out.startswith("5 pictures in 1 files")
    run = ["train", "click", "--data", str(tmp_path / "p"), "--config", "tiny-click", "--out", str(tmp_path / "run")]
    assert main([*run, "--minutes", "0.001"]) == 0
    assert "| shelf | CC BY 3 | 1 |" in (tmp_path / "run" / "weights" / "DATA.md").read_text()
    assert main(["train", "pack", "--for-clicks", "--data", str(data), "--out", str(tmp_path / "q")]) == 2
    assert "No picture has a mask" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["lpq", "--config", "tiny-lras-rgb"], "use `train lras-rgb`"),
        (["lpq", "--config", "absent.toml"], "absent.toml"),
        (["lpq", "--config", "tiny-lpq-rgb", "--minutes", "0"], "--minutes must be above 0"),
        (["lpq", "--config", "tiny-lpq-rgb", "--packed-side", "3"], "--packed-side"),
        (["lras-rgb", "--config", "tiny-lras-rgb", "--rgb-quantizer", "FLOW"], "must have 3 channels"),
        (["lras-rgb", "--config", "small-lras-rgb", "--rgb-quantizer", "RGB"], "64 codes and the network 4096"),
    ],
)
def test_faults_are_told_in_one_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], fault: str
) -> None:
    rgb, flow = random_quantizers()
    save_quantizer(rgb, tmp_path / "rgb")
    save_quantizer(flow, tmp_path / "flow")
    places = {"RGB": str(tmp_path / "rgb"), "FLOW": str(tmp_path / "flow")}
    given = [places.get(word, word) for word in words]
    assert main(["train", *given, "--data", str(data), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.count("\n") == 1
    assert fault in told
