"""What a command may write: never an input, another output, or a file that nobody named."""

import os
from pathlib import Path

import pytest
from command_line import run

from app.places import Place, check_folder, check_places
from core.errors import InvalidInput


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(b"photo")
    return path


def refused(places: list[Place], *inputs: Path, overwrite: bool = False) -> str:
    with pytest.raises(InvalidInput) as caught:
        check_places(places, inputs, overwrite)
    return str(caught.value)


def test_an_input_is_no_output_by_whatever_name(photo: Path) -> None:
    folder = photo.parent
    (folder / "link.png").symlink_to(photo)
    os.link(photo, folder / "hard.png")
    (folder / "again").symlink_to(folder)
    for name in ("photo.png", "PHOTO.png", "link.png", "hard.png", "again/photo.png", "./photo.png"):
        for overwrite in (False, True):
            assert "an input of this command" in refused([Place(folder / name)], photo, overwrite=overwrite)
    check_places([Place(folder / "other.png")], [photo])


def test_a_linked_input_protects_its_target(photo: Path) -> None:
    link = photo.parent / "in.png"
    link.symlink_to(photo)
    assert "an input" in refused([Place(photo)], link)


def test_names_in_other_unicode_forms_are_one_file(tmp_path: Path) -> None:
    composed, decomposed = tmp_path / "caf\u00e9.png", tmp_path / "cafe\u0301.png"
    assert "already another output" in refused([Place(composed), Place(decomposed)])


def test_side_files_meet_neither_inputs_nor_outputs_nor_what_exists(photo: Path) -> None:
    obj = photo.with_name("scene.obj")
    side = Place(photo, obj)
    assert "an input" in refused([Place(obj), side], photo, overwrite=True)
    assert "another output" in refused([Place(obj), side, Place(photo)], overwrite=True)
    sentence = refused([Place(obj), side])
    assert str(photo) in sentence
    assert "--overwrite" in sentence
    check_places([Place(obj), side], [], overwrite=True)
    obj.write_bytes(b"named by -o")
    check_places([Place(obj)], [])


def test_what_lies_in_a_folder_that_is_read_is_not_replaced(photo: Path) -> None:
    assert "folder that this command reads" in refused([Place(photo)], photo.parent)
    check_places([Place(photo.with_name("sheet.png"))], [photo.parent])


def test_a_folder_to_write_into_holds_no_input(photo: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path.parent):
        with pytest.raises(InvalidInput, match="an input of this command"):
            check_folder(folder, [photo])
    check_folder(tmp_path / "new", [photo])


def test_a_benchs_sheet_is_checked_before_the_bench(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = photo.parent
    weights = folder.parent / "weights.png"
    weights.write_bytes(b"weights")
    for sheet, network, words in (
        (photo, weights, "folder that this command reads"),
        (weights, weights, "an input"),
        (folder / "sheet.jpg", weights, "end it with .png"),
        (folder / "none" / "sheet.png", weights, "does not exist"),
    ):
        assert run("bench", "fill", str(folder), "--network", str(network), "--sheet", str(sheet)) == 2
        assert words in capsys.readouterr().err
    assert (photo.read_bytes(), weights.read_bytes()) == (b"photo", b"weights")


def test_training_writes_over_nothing_that_it_begins_with(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = photo.parent
    words = ("--data", str(folder), "--out", str(folder))
    assert run("train", "click", "--config", "click", "--begin-with", str(photo), *words) == 2
    assert "an input of this command" in capsys.readouterr().err
    assert run("train", "pack", *words) == 2
    assert "an input of this command" in capsys.readouterr().err
    assert os.listdir(folder) == ["photo.png"]
