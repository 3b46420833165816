"""What commands write: nothing that nobody asked for is replaced, notices, cameras, axes."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from command_line import refused, run, write_card
from PIL import Image

from app.services import Services
from core.files.cameras import read_transforms
from core.files.photo import open_photo

WIDTH, HEIGHT = 48, 36


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A photo, its depth, a mask, and a JPEG that was taken with the camera turned."""
    monkeypatch.chdir(tmp_path)
    write_card(WIDTH, HEIGHT)
    picture = Image.open("photo.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save("turned.jpg", quality=60, exif=exif)
    picture.save("holiday.jpg", quality=60)
    np.save("turned.npy", np.full((WIDTH, HEIGHT), 3.0, np.float32))
    return tmp_path


EDIT = ("edit", "photo.png", "--depth", "depth.npy")


def test_an_objs_side_files_leave_what_is_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("holiday.png").write_bytes(b"another holiday")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for words in (("cloud", "photo.png", "--depth", "depth.npy"), EDIT):
        assert run(*words, "-o", f"{words[0]}.obj") == 0
    assert run("edit", "holiday.jpg", "--depth", "depth.npy", "-o", "holiday.obj") == 0
    assert {path: path.read_bytes() for path in before} == before
    assert Path("holiday-texture.png").is_file()
    assert "--overwrite" in refused(capsys, folder, "edit", "holiday.jpg", "--depth", "depth.npy", "-o", "holiday.obj")
    assert run("edit", "holiday.jpg", "--depth", "depth.npy", "-o", "holiday.obj", "--overwrite") == 0


@pytest.mark.parametrize(
    "flags",
    [
        ("-o", "photo-texture.obj.png", "--depth-out", "PHOTO-TEXTURE.obj.png"),
        ("-o", "x.obj", "--depth-out", "x-texture.png"),
        ("-o", "mask.png"),
        ("-o", "MASK.png"),
        ("-o", "x.png", "--depth-out", "depth.npy"),
        ("-o", "linked.png"),
        ("-o", "x.png", "--project-out", "edits.json/../x.png"),
    ],
)
def test_outputs_meet_neither_inputs_nor_each_other(
    folder: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...]
) -> None:
    Path("edits.json").write_text(
        json.dumps([{"edit": "AddObject", "object_id": "a", "label": "A", "mask": {"file": "mask.png"}}])
    )
    os.link("photo.png", "linked.png")
    refused(capsys, folder, *EDIT, "--edits", "edits.json", *flags)


def test_a_link_named_as_output_stays_a_link(folder: Path) -> None:
    Path("elsewhere").mkdir()
    Path("out.png").symlink_to("elsewhere/real.png")
    assert run(*EDIT, "-o", "out.png") == 0
    assert Path("out.png").is_symlink()
    assert open_photo(Path("elsewhere/real.png")).width == WIDTH


def test_the_longest_legal_names_are_written(folder: Path) -> None:
    for name in ("n" * 251 + ".png", "n" * 251 + ".obj", "é" * 123 + ".ply"):
        assert run(*EDIT, "-o", name) == 0
        assert Path(name).is_file()


@pytest.mark.parametrize(
    "words",
    [
        ("edit", "missing.jpg", "-o", "x.png"),
        ("depth", "missing.jpg", "-o", "x.png"),
        ("cloud", "missing.jpg", "-o", "x.ply"),
        ("peel", "missing.jpg", "-o", "x.ora"),
        ("mask", "missing.jpg", "--point", "3,3", "-o", "x.png"),
        ("replay", "missing.lras", "-o", "x.png"),
        ("edit", "wide.png", "-o", "x.webp"),
        ("edit", "photo.png", "-o", "n" * 256 + ".png"),
        ("edit", "photo.png", "-o", "pipe.png"),
        ("cloud", "photo.png", "-o", "x.ply", "--cameras-out", "x.png"),
        ("peel", "photo.png", "-o", "x.ora", "-o", "X.ora"),
    ],
)
def test_what_needs_no_picture_is_refused_before_one_is_opened(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    Image.new("L", (16384, 1)).save("wide.png")
    os.mkfifo("pipe.png")

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("it went to work")

    monkeypatch.setattr("app.opening.open_photo", opened)
    monkeypatch.setattr(Services, "engine", opened)
    refused(capsys, folder, *words)


def test_a_jpeg_without_an_edit_is_the_photos_own_file(folder: Path) -> None:
    for name, depth in (("holiday.jpg", "depth.npy"), ("turned.jpg", "turned.npy")):
        assert run("edit", name, "--depth", depth, "-o", "out.jpg") == 0
        assert Path("out.jpg").read_bytes() == Path(name).read_bytes()
    assert run("edit", "holiday.jpg", "--depth", "depth.npy", "--truck", "0.3,0", "-o", "out.jpg") == 0
    assert Path("out.jpg").read_bytes() != Path("holiday.jpg").read_bytes()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--mask", "mask.png", "--move", "0,0,-100"), "Object 1 is out of view"),
        (("--mask", "mask.png", "--slide", "1000,0"), "Object 1 is out of view"),
        (("--dolly", "100"), "comes from the photo"),
        (("--truck", "1000,0"), "comes from the photo"),
    ],
)
def test_a_result_that_holds_next_to_nothing_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], told: str
) -> None:
    assert run(*EDIT, *flags, "-o", "x.png", "--json") == 0
    out, err = capsys.readouterr()
    assert any(told in notice for notice in json.loads(out)["notices"])
    assert err.startswith("notice: ")


def test_cameras_name_pictures_that_are_there_and_fit_them(folder: Path) -> None:
    Path("out").mkdir()
    for words in (
        ("edit", "turned.jpg", "--depth", "turned.npy", "--truck", "0.2,0", "-o", "out/new.png"),
        ("edit", "turned.jpg", "--depth", "turned.npy", "-o", "out/same.jpg"),
        ("cloud", "turned.jpg", "--depth", "turned.npy", "-o", "out/c.ply"),
    ):
        assert run(*words, "--cameras-out", "out/cameras.json") == 0
        shots = read_transforms(Path("out/cameras.json")).shots
        assert [shot.file_path for shot in shots][-1] == "../turned.jpg"
        assert len(shots) == (1 if words[0] == "cloud" else 2)
        for shot in shots:
            with Image.open(Path("out") / shot.file_path) as picture:
                k = shot.camera.intrinsics
                assert picture.size == (k.width, k.height), shot.file_path


def test_a_project_is_replayed_with_its_camera(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*EDIT, "--truck", "0.2,0", "-o", "a.png", "--project-out", "p.lras", "--cameras-out", "a.json") == 0
    assert run("replay", "p.lras", "-o", "b.png", "--cameras-out", "b.json") == 0
    (shot,) = read_transforms(Path("b.json")).shots
    assert shot.file_path == "b.png"
    assert shot.camera == read_transforms(Path("a.json")).shots[0].camera
    assert "-o" in refused(capsys, folder, "replay", "p.lras", "-o", "b.ply", "--cameras-out", "c.json")


def test_exports_with_one_choice_of_axes_meet_in_blender(folder: Path) -> None:
    """Blender reads PLY and cameras as they are and turns glTF and OBJ from y up to z up: (x, y, z) -> (x, -z, y)."""
    import open3d
    import trimesh

    words = ("cloud", "photo.png", "--depth", "depth.npy", "--axes", "blender")
    for name in ("s.ply", "s.glb", "s.obj"):
        assert run(*words, "-o", name) == 0
    assert run(*words, "-o", "t.xyz", "--cameras-out", "s.json") == 0
    points = np.asarray(open3d.io.read_point_cloud("s.ply").points)
    assert np.allclose(np.loadtxt("t.xyz")[:, :3], points)
    for name in ("s.glb", "s.obj"):
        x, y, z = trimesh.load(name, force="mesh", process=False).vertices.T
        turned = np.stack([x, -z, y], axis=1)
        nearest = np.abs(points[:, None] - turned[None, ::7]).sum(axis=2).min(axis=0)
        assert nearest.max() < 0.1
        assert np.allclose(turned.max(axis=0), points.max(axis=0), atol=0.2)
    assert points[:, 1].min() == pytest.approx(2.0)  # forward is y
    top = points[np.argmax(points[:, 2])]
    frame = json.loads(Path("s.json").read_text())["frames"][0]
    matrix = np.array(frame["transform_matrix"])
    x, y, z, _ = np.linalg.inv(matrix) @ [*top, 1.0]  # Blender's cameras look along -z with y up
    row = frame["cy"] - frame["fl_y"] * y / -z
    assert 0 <= row < 2


@pytest.mark.parametrize("axes", ["opencv", "gltf"])
def test_one_choice_of_axes_is_one_in_every_file(folder: Path, axes: str) -> None:
    import open3d
    import trimesh

    for name in ("s.ply", "s.pcd", "s.glb", "s.obj"):
        assert run("cloud", "photo.png", "--depth", "depth.npy", "--axes", axes, "-o", name) == 0
        assert name == "s.glb" or f"axes {axes}".encode() in Path(name).read_bytes()[:300]
    assert f'"extras":{{"axes":"{axes}'.encode() in Path("s.glb").read_bytes()
    clouds = [np.asarray(open3d.io.read_point_cloud(name).points) for name in ("s.ply", "s.pcd")]
    assert np.allclose(*clouds)
    nearer = 2.0 if axes == "opencv" else -2.0
    assert clouds[0][np.abs(clouds[0][:, 2] - nearer) < 1e-3].size
    for name in ("s.glb", "s.obj"):
        vertices = trimesh.load(name, force="mesh", process=False).vertices
        assert np.allclose(vertices.min(axis=0), clouds[0].min(axis=0), atol=0.2)
        assert np.allclose(vertices.max(axis=0), clouds[0].max(axis=0), atol=0.2)


def test_transparent_pixels_are_no_points(folder: Path) -> None:
    import open3d
    import trimesh

    rgba = np.dstack([np.asarray(Image.open("photo.png")), np.zeros((HEIGHT, WIDTH), np.uint8)])
    rgba[5:30, 20:40, 3] = 255
    rgba[5:30, 40, 3] = 100
    Image.fromarray(rgba).save("cutout.png")
    np.save("flat.npy", np.full((HEIGHT, WIDTH), 4.0, np.float32))
    for words in (("cloud", "cutout.png", "--depth", "flat.npy"), ("edit", "cutout.png", "--depth", "flat.npy")):
        assert run(*words, "-o", "c.ply") == 0
        assert len(open3d.io.read_point_cloud("c.ply").points) == 25 * 20
    assert run("cloud", "cutout.png", "--depth", "flat.npy", "-o", "c.glb") == 0
    mesh = trimesh.load("c.glb", force="mesh", process=False)
    assert len(mesh.faces) == 24 * 20 * 2
    material = mesh.visual.material
    assert material.alphaMode == "BLEND"
    assert np.array_equal(np.asarray(material.baseColorTexture), rgba)
    assert run("cloud", "cutout.png", "--depth", "flat.npy", "-o", "c.obj") == 0
    assert "map_d c-texture.png" in Path("c.mtl").read_text()
    assert np.array_equal(np.asarray(Image.open("c-texture.png")), rgba)
