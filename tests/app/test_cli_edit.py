"""The command line as it is typed: files in, files out, exit codes, one line for a mistake."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import refused, run, write_card
from shadowed import shadowed_card

from app import cli
from core.files.cameras import read_pose_text
from core.files.depth import read_depth
from core.files.flow import encode_flo, read_flow
from core.files.mask import encode_mask
from core.files.photo import open_photo
from core.files.png import encode_png
from core.files.project import load_project
from core.types.flow import FlowField

WIDTH, HEIGHT = 96, 72


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_card(WIDTH, HEIGHT)
    return tmp_path


CARD = ("--depth", "depth.npy", "--mask", "mask.png", "--intrinsics", "80,80,47.5,35.5")


def pixels(path: str) -> np.ndarray:
    return open_photo(Path(path)).pixels


def test_no_edit_returns_the_photo_bit_for_bit(folder: Path) -> None:
    assert run("edit", "photo.png", "-o", "out.tif") == 0
    assert np.array_equal(pixels("out.tif"), pixels("photo.png"))


def test_everything_about_a_move_is_written_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = {
        "-o": "out.png",
        "--flow-out": "flow.flo",
        "--uncovered-out": "new.png",
        "--confidence-out": "sure.png",
        "--depth-out": "z.npy",
        "--project-out": "p.lras",
    }
    words = [word for pair in outputs.items() for word in pair]
    assert run("edit", "photo.png", *CARD, "--move", "-0.5,0,0", "--seed", "7", *words, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["width"], told["height"], told["engine"], told["seed"]) == (WIDTH, HEIGHT, "warp", 7)
    assert told["depth"]["scale"] == "metric"
    assert sum(told["seconds"].values()) > told["seconds"]["total"] > told["seconds"]["render"] > 0
    assert {item["path"]: item["bytes"] for item in told["files"]} == {
        name: Path(name).stat().st_size for name in outputs.values()
    }
    assert np.array_equal(pixels("out.png")[26:46, 18:38], pixels("photo.png")[26:46, 38:58])
    flow = read_flow(Path("flow.flo"))
    assert np.allclose(flow[26:46, 38:58], (-20, 0), atol=1e-3)
    invented = pixels("new.png")[..., 0] == 255
    assert invented[26:46, 42:60].all()
    sure = pixels("sure.png")[..., 0]
    assert (sure[invented] < 255).all()
    assert (sure[~invented] == 255).all()
    assert told["share_uncovered"] == pytest.approx(invented.mean())
    assert np.allclose(read_depth(Path("z.npy")).values[30, 20:36], 2.0)
    project = load_project(Path("p.lras"))
    assert project.scene.objects[0].placement.translation == (-0.5, 0.0, 0.0)
    assert project.settings.seed == 7


def test_replay_gives_the_same_picture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("edit", "photo.png", *CARD, "--slide", "0.4,0.2", "-o", "a.png", "--project-out", "p.lras") == 0
    assert run("replay", "p.lras", "-o", "b.png", "--uncovered-out", "u.png", "--json") == 0
    assert np.array_equal(pixels("a.png"), pixels("b.png"))
    assert json.loads(capsys.readouterr().out)["objects"] == 1


@pytest.mark.parametrize(
    ("words", "translation", "angles_deg", "scale"),
    [
        (("--move", "1,2,3", "--slide", "0.5,0.25"), (1.5, 2.0, 3.25), (0, 0, 0), 1.0),
        (("--turn", "90"), (0, 0, 0), (0, -90, 0), 1.0),
        (("--rotate", "0,0,30", "--scale", "1.5"), (0, 0, 0), (0, 0, 30), 1.5),
        (("--rotate", "90,0,0", "--turn", "-90"), (0, 0, 0), (90, 90, 0), 1.0),
    ],
)
def test_flags_place_the_object(
    folder: Path, words: tuple[str, ...], translation: tuple, angles_deg: tuple, scale: float
) -> None:
    from core.maths.rigid import rotation_from_euler_deg, rotation_from_quaternion

    # Without a ground below the depth, up is the camera's own.
    assert run("edit", "photo.png", *CARD, *words, "-o", "out.png", "--project-out", "p.lras") == 0
    placement = load_project(Path("p.lras")).scene.objects[0].placement
    assert placement.translation == pytest.approx(translation)
    assert np.allclose(rotation_from_quaternion(placement.rotation), rotation_from_euler_deg(*angles_deg), atol=1e-9)
    assert placement.scale == scale


def test_duplicate_moves_the_copy_and_remove_hides(folder: Path) -> None:
    assert (
        run("edit", "photo.png", *CARD, "--duplicate", "--move", "0.6,0,0", "-o", "o.png", "--project-out", "p.lras")
        == 0
    )
    original, copy = load_project(Path("p.lras")).scene.objects
    assert original.is_untouched
    assert copy.copy_of == original.id
    assert copy.placement.translation == (0.6, 0.0, 0.0)
    assert np.array_equal(pixels("o.png")[26:46, 38:58], pixels("photo.png")[26:46, 38:58])
    assert np.array_equal(pixels("o.png")[26:46, 62:82], pixels("photo.png")[26:46, 38:58])
    assert run("edit", "photo.png", *CARD, "--remove", "-o", "r.png", "--depth-out", "z.npy") == 0
    assert read_depth(Path("z.npy")).values[36, 48] == pytest.approx(4.0, rel=0.01)


def test_a_bare_duplicate_stands_beside_its_original(folder: Path) -> None:
    assert run("edit", "photo.png", *CARD, "--duplicate", "-o", "o.png", "--project-out", "p.lras") == 0
    copy = load_project(Path("p.lras")).scene.objects[1]
    assert copy.placement.translation[0] > 0.1


def test_cameras_by_words_by_file_and_edits_by_file(folder: Path) -> None:
    np.savetxt("pose.txt", np.array([[1, 0, 0, -0.1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    assert run("edit", "photo.png", *CARD[:2], "--pose", "pose.txt", "-o", "a.png", "--project-out", "a.lras") == 0
    assert run("edit", "photo.png", *CARD[:2], "--truck", "0.1,0", "-o", "b.png", "--project-out", "b.lras") == 0
    by_file, by_words = (load_project(Path(name)).scene.camera.camera_from_world for name in ("a.lras", "b.lras"))
    assert by_file == read_pose_text(Path("pose.txt"))
    assert np.allclose(by_file.matrix, by_words.matrix)
    entry = {"edit": "PlaceObject", "object_id": "object-1", "placement": {"translation": [0.5, 0, 0]}}
    Path("edits.json").write_text(json.dumps([entry]))
    assert run("edit", "photo.png", *CARD, "--edits", "edits.json", "-o", "c.png") == 0
    assert run("edit", "photo.png", *CARD, "--move", "0.5,0,0", "-o", "d.png") == 0
    assert np.array_equal(pixels("c.png"), pixels("d.png"))


def test_a_given_flow_drives_the_picture(folder: Path) -> None:
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0] = 3
    known = np.ones((HEIGHT, WIDTH), bool)
    Path("f.flo").write_bytes(encode_flo(FlowField(flow, known, ~known)))
    assert run("edit", "photo.png", "--flow", "f.flo", "-o", "o.png", "--uncovered-out", "u.png") == 0
    assert np.array_equal(pixels("o.png")[:, 4:], pixels("photo.png")[:, 1:-3])
    assert (pixels("u.png")[:, :2] == 255).all()


@pytest.mark.parametrize("name", ["o.png", "o.jpg", "o.tif", "o.webp", "o.ora", "o.ply", "o.pcd", "o.xyz", "o.glb"])
def test_the_result_in_every_format(folder: Path, name: str) -> None:
    assert run("edit", "photo.png", *CARD, "--move", "0.2,0,0", "-o", name) == 0
    assert Path(name).stat().st_size > 500


def test_select_uses_the_mask_of_the_click(folder: Path) -> None:
    pytest.importorskip("cv2.ximgproc")
    assert run("mask", "sample:coffee", "--point", "300,250", "-o", "cup.png") == 0
    mask = pixels("cup.png")[..., 0]
    assert mask[250, 300] > 200
    assert 0.05 < (mask > 128).mean() < 0.7
    assert run("edit", "sample:coffee", "--select", "300,250", "-o", "o.png", "--project-out", "p.lras") == 0
    assert np.array_equal(load_project(Path("p.lras")).scene.objects[0].mask.coverage, mask)
    assert run("mask", "sample:coffee", "--point", "300,250", "--point", "150,300,neg", "-o", "less.png") == 0
    assert pixels("less.png")[300, 150, 0] < 128


def test_mask_by_box_and_depth_and_cloud(folder: Path) -> None:
    assert run("mask", "photo.png", "--box", "62,50,34,22", "-o", "m.png") == 0
    assert pixels("m.png")[36, 48, 0] > 128
    assert run("depth", "photo.png", "-o", "guess.exr") == 0
    assert read_depth(Path("guess.exr")).values.shape == (HEIGHT, WIDTH)
    assert run("depth", "photo.png", "--depth", "depth.npy", "-o", "z.png") == 0
    assert read_depth(Path("z.png")).values[36, 48] == pytest.approx(2.0)
    assert run("depth", "photo.png", "--colours", "-o", "colours.png") == 0
    assert np.ptp(pixels("colours.png").astype(int), axis=2).max() > 30
    assert run("cloud", "photo.png", "--depth", "depth.npy", "--max-points", "500", "-o", "c.ply") == 0
    assert b"element vertex 500\n" in Path("c.ply").read_bytes()[:200]
    assert run("cloud", "photo.png", "--depth", "depth.npy", "-o", "mesh.obj") == 0
    assert {path.name for path in folder.glob("mesh*")} == {"mesh.obj", "mesh.mtl", "mesh-texture.png"}


def test_a_sample_comes_with_its_measured_depth(folder: Path) -> None:
    assert run("depth", "sample:motorcycle", "-o", "z.npy") == 0
    depth = read_depth(Path("z.npy"))
    assert 1.5 < np.median(depth.values[depth.valid]) < 6


def test_the_parser_and_its_modules_load_nothing_heavy() -> None:
    import subprocess

    code = "import sys; from app.cli import build_parser; build_parser(); print(*sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert not {"numpy", "cv2", "gradio", "viser", "open3d"} & set(done.stdout.split())


def test_negative_numbers_need_no_equals_sign() -> None:
    words = ["edit", "p.png", "--move", "-1,0,0", "--turn", "-5", "--slide=-1,-.5", "--json", "-o", "-x.png"]
    joined = cli.with_joined_values(words)
    assert joined == ["edit", "p.png", "--move=-1,0,0", "--turn=-5", "--slide=-1,-.5", "--json", "-o", "-x.png"]


@pytest.fixture
def shadowed(folder: Path) -> Path:
    """A card on a floor with its shadow: photo, depth and masks of both."""
    scene = shadowed_card()
    Path("floor.png").write_bytes(encode_png(scene.photo.pixels))
    np.save("floor.npy", scene.estimate.depth.values)
    Path("card.png").write_bytes(encode_mask(scene.card))
    Path("shadow.png").write_bytes(encode_mask(scene.shadow))
    return folder


FLOOR = ("edit", "floor.png", "--depth", "floor.npy", "--intrinsics", "300,300,159.5,119.5", "--mask", "card.png")


@pytest.mark.parametrize("how", [("--shadow",), ("--shadow", "shadow.png")], ids=["looked for", "by a mask"])
def test_a_shadow_goes_with_its_object(shadowed: Path, how: tuple[str, ...]) -> None:
    assert run(*FLOOR, *how, "--remove", "-o", "out.png", "--uncovered-out", "new.png", "--project-out", "p.lras") == 0
    scene = shadowed_card()
    core = (scene.ratio[..., 1] < 0.5) & (pixels("new.png")[..., 0] < 128)
    error = np.abs(pixels("out.png").astype(float) - scene.lit)[core].mean()
    assert error < 0.2 * np.abs(scene.photo.pixels.astype(float) - scene.lit)[core].mean()
    assert load_project(Path("p.lras")).scene.objects[0].shadow is not None
    assert run("replay", "p.lras", "-o", "again.png") == 0
    assert np.array_equal(pixels("again.png"), pixels("out.png"))


def test_a_scripted_edit_takes_a_shadow_by_its_mask(shadowed: Path) -> None:
    edits = [{"edit": "SetShadow", "object_id": "object-1", "mask": {"file": "shadow.png"}}]
    Path("edits.json").write_text(json.dumps(edits))
    assert run(*FLOOR, "--remove", "--edits", "edits.json", "-o", "out.png") == 0
    assert run(*FLOOR, "--shadow", "shadow.png", "--remove", "-o", "same.png") == 0
    assert np.array_equal(pixels("out.png"), pixels("same.png"))


def test_a_shadow_that_is_not_found_is_a_notice_and_the_edit_goes_on(
    shadowed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("edit", "photo.png", *CARD, "--shadow", "--remove", "-o", "out.png", "--json") == 0
    out, err = capsys.readouterr()
    (notice,) = json.loads(out)["notices"]
    assert notice.startswith("No shadow of Object 1 can be told")
    assert err == f"notice: {notice}\n"
    assert run("edit", "photo.png", *CARD, "--remove", "-o", "without.png") == 0
    assert np.array_equal(pixels("out.png"), pixels("without.png"))


def test_a_required_shadow_that_is_not_found_refuses(shadowed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("edit", "photo.png", *CARD, "--shadow", "require", "--remove", "-o", "out.png")
    assert "No shadow of Object 1 can be told" in refused(capsys, shadowed, *words)
    assert run(*FLOOR, "--shadow", "require", "--remove", "-o", "out.png") == 0


def test_a_mask_called_require_is_given_with_its_folder(shadowed: Path) -> None:
    Path("shadow.png").rename("require")
    assert run(*FLOOR, "--shadow", "./require", "--remove", "-o", "out.png", "--project-out", "p.lras") == 0
    shadow = load_project(Path("p.lras")).scene.objects[0].shadow
    assert shadow is not None
    assert np.array_equal(shadow.coverage, shadowed_card().shadow.coverage)


def test_the_shadow_of_no_object_is_one_line(shadowed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--shadow needs an object" in refused(capsys, shadowed, "edit", "photo.png", "--shadow", "-o", "out.png")
