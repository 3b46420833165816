"""`peel` as it is typed: masks or found objects in, layers out."""

import io
import json
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import OpenEXR
import pytest
from command_line import refused, run
from fakes import SameColour
from layered_scenes import cards

from app.commands import peel as command
from app.services import Services
from core.editing.peel_objects import MOST_OBJECTS
from core.files.photo import open_photo
from core.files.picture import encode_picture_png, picture_of
from core.files.project import save_project


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cards' photo, its depth, both masks and the whole as a project."""
    monkeypatch.chdir(tmp_path)
    scene = cards(softness=0)
    Path("photo.png").write_bytes(encode_picture_png(picture_of(scene.project.photo)))
    np.save("depth.npy", scene.project.depth.values)
    for item in scene.project.scene.objects:
        cv2.imwrite(f"{item.id}.png", item.mask.coverage)
    Path("cards.lras").write_bytes(save_project(scene.project))
    return tmp_path


def layer_names(path: str) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        image = ElementTree.fromstring(archive.read("stack.xml"))
    return [one.get("name") or "" for one in image.findall("stack/layer")]


GEOMETRY = ("--depth", "depth.npy", "--intrinsics", "200,200,119.5,89.5")


def test_masks_become_layers_in_both_formats(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    masks = ("--mask", "middle.png", "--mask", "front.png")
    outs = ("--out", "layers.ora", "-o", "layers.exr")
    assert run("peel", "photo.png", *GEOMETRY, *masks, *outs, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [layer["name"] for layer in told["layers"]] == ["front", "middle", "Background"]
    assert [layer["median_depth"] for layer in told["layers"]] == pytest.approx([2, 3, 5], rel=1e-3)
    assert told["files"] == ["layers.ora", "layers.exr"]
    assert layer_names("layers.ora") == ["front, 2.00 m", "middle, 3.00 m", "Background, 5.00 m"]
    with OpenEXR.File(io.BytesIO(Path("layers.exr").read_bytes()), separate_channels=True) as picture:
        names = {name.split(".")[0] for name in picture.channels() if "." in name}
    assert names == {"layer01_front", "layer02_middle", "layer03_Background"}


def test_a_project_comes_with_its_own_objects(folder: Path) -> None:
    assert run("peel", "cards.lras", "--out", "layers.ora") == 0
    assert layer_names("layers.ora")[:2] == ["Front card, 2.00 m", "Middle card, 3.00 m"]


def test_objects_are_looked_for_up_to_a_number(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Services, "segmentation", lambda self, name=None: SameColour())
    pixels = np.full((240, 320, 3), 60, np.uint8)
    pixels[60:160, 40:140], pixels[90:190, 200:290] = (220, 190, 150), (80, 160, 210)
    cv2.imwrite("squares.png", pixels)
    for number, count in (("8", 3), ("1", 2)):
        assert run("peel", "squares.png", "--objects", number, "--out", "layers.ora") == 0
        assert len(layer_names("layers.ora")) == count
    with zipfile.ZipFile("layers.ora") as archive:
        assert np.array_equal(open_photo(archive.read("mergedimage.png")).pixels, pixels[..., ::-1])


def test_given_objects_are_enough_unless_more_are_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Services, "segmentation", lambda self, name=None: SameColour())
    pixels = np.full((240, 320, 3), 60, np.uint8)
    pixels[60:160, 40:140], pixels[90:190, 200:290] = (220, 190, 150), (80, 160, 210)
    cv2.imwrite("squares.png", pixels)
    own = np.zeros((240, 320), np.uint8)
    own[60:160, 40:140] = 255
    cv2.imwrite("own.png", own)
    for words, count in (((), 2), (("--find",), 3)):
        assert run("peel", "squares.png", "--mask", "own.png", *words, "--out", "layers.ora") == 0
        assert len(layer_names("layers.ora")) == count


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("photo.png", "--objects", "0", "-o", "o.ora"), "between 1 and"),
        (("photo.png", "-o", "o.png"), ".exr, .ora"),
        (("photo.png", "--mask", "none.png", "-o", "o.ora"), "no file"),
        (("photo.png", "--mask", "front.png", "-o", "o.ora", "-o", "o.ora"), "another output"),
        (("cards.lras", "--depth", "depth.npy", "-o", "o.ora"), "leave out --depth"),
        (("none.lras", "-o", "o.ora"), "none.lras"),
        (("photo.png",), "required"),
    ],
)
def test_mistakes_are_told_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert told in refused(capsys, folder, "peel", *words)


def test_the_help_says_the_number_that_is_used() -> None:
    assert command._MOST == MOST_OBJECTS
