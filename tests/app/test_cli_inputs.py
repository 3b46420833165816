"""What commands make of files that mean something unusual, or nothing."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from command_line import refused, run
from PIL import Image

from app.services import Services
from core.files.depth import read_depth

WIDTH, HEIGHT = 48, 36


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(noise).save("photo.png")
    np.save("far.npy", np.linspace(75, 200, WIDTH * HEIGHT, dtype=np.float32).reshape(HEIGHT, WIDTH))
    np.save("near.npy", np.full((HEIGHT, WIDTH), 2.0, np.float32))
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[10:20, 10:20], labels[22:30, 30:40] = 1, 2
    Image.fromarray(labels).save("labels.png")
    return tmp_path


def test_far_depth_as_png_is_scaled_and_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("depth", "photo.png", "--depth", "far.npy", "-o", "far.png") == 0
    assert "--depth-scale 100" in capsys.readouterr().err
    again = read_depth(folder / "far.png")
    assert np.abs(again.values - np.load("far.npy")).max() <= 0.0051
    words = ("edit", "photo.png", "--depth", "far.npy", "-o", "out.png", "--depth-out", "out_depth.png", "--json")
    assert run(*words) == 0
    (notice,) = json.loads(capsys.readouterr().out)["notices"]
    assert "--depth-scale 100" in notice
    assert run("depth", "photo.png", "--depth", "near.npy", "-o", "near.png") == 0
    assert "notice" not in capsys.readouterr().err


def test_one_label_of_a_mask_can_be_chosen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit = ("edit", "photo.png", "--depth", "near.npy", "--mask", "labels.png", "--remove", "-o", "out.png")
    assert "2 labels (1, 2)" in refused(capsys, folder, *edit)
    assert run(*edit, "--mask-label", "2", "--uncovered-out", "hole.png") == 0
    hole = np.asarray(Image.open("hole.png"))
    assert hole[22:30, 30:40].all()
    assert not hole[10:18, 10:18].any()
    assert "--mask FILE" in refused(capsys, folder, "edit", "photo.png", "--mask-label", "2", "-o", "new.png")


@pytest.mark.parametrize("place", ["/dev/zero", "pipe"])
def test_only_ordinary_files_are_read(folder: Path, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    if place == "pipe":
        os.mkfifo("pipe")
    elif not Path(place).exists():
        pytest.skip(f"this system has no {place}")
    Path("edits.json").write_text(
        json.dumps([{"edit": "AddObject", "object_id": "a", "mask": {"file": place}, "label": "A"}])
    )
    for words in (("edit", place), ("edit", "photo.png", "--depth", "near.npy", "--edits", "edits.json")):
        assert "only ordinary files are read" in refused(capsys, folder, *words, "-o", "out.png")
    assert "no ordinary file" in refused(capsys, folder, "edit", "photo.png", "--mask", place, "-o", "out.png")


def test_an_unwritable_folder_for_temporary_files_is_not_needed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    monkeypatch.setattr("tempfile.tempdir", None)
    assert (
        run("edit", "photo.png", "--depth", "near.npy", "-o", "o.png", "--depth-out", "d.exr", "--flow-out", "f.exr")
        == 0
    )


@pytest.mark.parametrize(
    "words",
    [
        ("--mask", "wrong.txt", "--remove"),
        ("--mask", "half.png", "--remove"),
        ("--mask", "labels.png", "--mask-label", "1", "--remove", "--shadow", "half.png"),
        ("--flow", "wrong.txt"),
        ("--pose", "wrong.txt"),
        ("--edits", "edits.json"),
        ("--depth", "wrong.txt"),
    ],
)
def test_a_wrong_file_is_told_before_depth_is_estimated(
    folder: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("wrong.txt").write_text("nothing of the kind")
    Image.new("L", (WIDTH // 2, HEIGHT // 2), 255).save("half.png")
    mask = {"edit": "AddObject", "object_id": "one", "mask": {"file": "half.png"}, "label": "One"}
    Path("edits.json").write_text(json.dumps([mask]))

    def geometry(*_: object) -> None:
        raise AssertionError("the depth was estimated")

    monkeypatch.setattr(Services, "geometry", geometry)
    refused(capsys, folder, "edit", "photo.png", *words, "-o", "out.png")
