"""What commands say and write of a photo's metadata."""

import json
from pathlib import Path

import carried
import numpy as np
import pytest
from command_line import run
from PIL import Image

from core.files.cameras import read_transforms
from core.files.photo import open_photo
from core.files.project import load_project


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a JPEG that carries everything, beside its depth and a mask named as a place."""
    monkeypatch.chdir(tmp_path)
    name = f"{carried.OWNER}.jpg"
    Path(name).write_bytes(carried.sample("JPEG"))
    np.save("depth.npy", np.full((16, 24), 3.0, np.float32))
    mask = np.zeros((16, 24), np.uint8)
    mask[4:12, 8:16] = 255
    Image.fromarray(mask).save(f"{carried.PLACE.replace('/', ' ')}.png")
    return name


def edit(photo: str, *words: str) -> int:
    mask = f"{carried.PLACE.replace('/', ' ')}.png"
    return run("edit", photo, "--depth", "depth.npy", "--mask", mask, "--slide", "0.1,0", *words)


@pytest.mark.parametrize("output", ["a.png", "a.jpg", "a.tif", "a.webp", "a.ora", "a.glb"])
def test_private_leaves_nothing_private_in_results_and_projects(photo, output):
    assert edit(photo, "-o", output, "--project-out", "whole.lras") == 0
    assert edit(photo, "-o", f"private-{output}", "--project-out", "private.lras", "--private") == 0
    assert carried.leaks(Path("whole.lras").read_bytes())
    assert carried.leaks(Path(f"private-{output}").read_bytes()) == []
    assert carried.leaks(Path("private.lras").read_bytes()) == []
    assert run("replay", "whole.lras", "-o", f"again-{output}", "--private") == 0
    assert carried.leaks(Path(f"again-{output}").read_bytes()) == []
    assert load_project(Path("private.lras")).photo.metadata.exif is not None


def test_private_never_hands_out_the_file_itself(photo):
    assert run("edit", photo, "--depth", "depth.npy", "-o", "same.jpg") == 0
    assert run("edit", photo, "--depth", "depth.npy", "-o", "private.jpg", "--private") == 0
    assert Path("same.jpg").read_bytes() == Path(photo).read_bytes()
    assert carried.leaks(Path("private.jpg").read_bytes()) == []


@pytest.mark.parametrize("output", ["layers.ora", "layers.exr"])
def test_private_layers_of_a_peeled_photo(photo, output):
    mask = f"{carried.PLACE.replace('/', ' ')}.png"
    words = ("peel", photo, "--depth", "depth.npy", "--mask", mask, "-o", output, "--private")
    assert run(*words) == 0
    assert carried.leaks(Path(output).read_bytes()) == []


def test_what_the_target_cannot_hold_is_said_once_on_stderr_and_in_json(photo, capsys):
    assert edit(photo, "-o", "a.webp", "--json") == 0
    printed = capsys.readouterr()
    told = json.loads(printed.out)["notices"]
    assert ["IPTC" in notice and "comment" in notice for notice in told].count(True) == 1
    assert printed.err.count("WebP cannot hold") == 1
    assert edit(photo, "-o", "a.png", "--json") == 0
    assert not any("cannot hold" in notice for notice in json.loads(capsys.readouterr().out)["notices"])


def test_what_the_file_holds_beyond_its_picture_is_said(photo, capsys):
    frames = [Image.new("RGB", (24, 16), colour) for colour in ("red", "blue")]
    frames[0].save("two.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert run("edit", "two.webp", "--depth", "depth.npy", "-o", "one.png", "--json") == 0
    assert "an animation of 2 frames" in json.loads(capsys.readouterr().out)["notices"][0]
    assert open_photo(Path("one.png")).notices == ()


@pytest.mark.parametrize(("output", "mode"), [("a.png", "L"), ("a.jpg", "L"), ("a.tif", "L"), ("a.webp", "RGB")])
def test_an_edited_gray_photo_is_gray(photo, output, mode):
    level = np.random.default_rng(2).integers(0, 256, (16, 24), dtype=np.uint8)
    Image.fromarray(level).save("gray.png")
    assert edit("gray.png", "-o", output) == 0
    with Image.open(output) as result:
        assert result.mode == mode


def test_private_cameras_and_objects_name_nobody(photo):
    assert edit(photo, "-o", "a.png", "--cameras-out", "cameras.json", "--project-out", "p.lras", "--private") == 0
    assert [shot.file_path for shot in read_transforms(Path("cameras.json")).shots] == ["a.png", "photo.jpg"]
    assert [item.label for item in load_project(Path("p.lras")).scene.objects] == ["Object 1"]
