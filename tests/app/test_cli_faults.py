"""Bad input on the command line: one line on stderr and exit code 2, or a clear result; nothing written, no trace."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import refused, run

from core.files.photo import open_photo

WIDTH, HEIGHT = 64, 48
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(3).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    picture = cv2.GaussianBlur(noise, (0, 0), 3)
    for name in ("photo.png", "photo.jpg"):
        cv2.imwrite(name, picture)
    np.save("depth.npy", np.full((HEIGHT, WIDTH), 2, np.float32))
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[16:32, 20:40] = 255
    cv2.imwrite("mask.png", mask)
    cv2.imwrite("empty.png", mask * 0)
    cv2.imwrite("full.png", mask * 0 + 255)
    return tmp_path


def cut_in_half(name: str) -> None:
    data = Path(name).read_bytes()
    Path(name).write_bytes(data[: len(data) // 2])


DAMAGE: dict[str, Callable[[], object]] = {
    "cut jpg": lambda: cut_in_half("photo.jpg"),
    "cut png": lambda: cut_in_half("photo.png"),
    "text": lambda: [Path(name).write_text("no picture") for name in ("photo.png", "photo.jpg")],
    "empty": lambda: [Path(name).write_bytes(b"") for name in ("photo.png", "photo.jpg")],
    "missing": lambda: [Path(name).unlink() for name in ("photo.png", "photo.jpg")],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_photos_that_cannot_be_opened(folder: Path, capsys: pytest.CaptureFixture[str], damage: str) -> None:
    DAMAGE[damage]()
    photo = "photo.jpg" if damage == "cut jpg" else "photo.png"
    for command in (("edit",), ("depth",), ("cloud",), ("mask", "--point", "3,3")):
        out = "o.ply" if command == ("cloud",) else "o.png"
        assert photo in refused(capsys, folder, command[0], photo, *command[1:], "-o", out)


def test_a_mislabelled_photo_is_opened_by_its_content(folder: Path) -> None:
    os.replace("photo.jpg", "wrong.png")
    assert run("edit", "wrong.png", "-o", "o.png") == 0


@pytest.mark.parametrize(("height", "width"), [(1, 1), (20000, 1), (1, 20000)])
def test_photos_of_extreme_shape(folder: Path, height: int, width: int) -> None:
    cv2.imwrite("thin.png", np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8))
    assert run("edit", "thin.png", "--orbit", "5,5", "-o", "o.png") == 0
    assert open_photo(Path("o.png")).pixels.shape == (height, width, 3)
    assert run("depth", "thin.png", "-o", "z.npy") == 0
    assert run("cloud", "thin.png", "-o", "c.ply") == 0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((HEIGHT, WIDTH), np.nan), "no positive, finite depth"),
        (np.full((HEIGHT, WIDTH), -1.0), "no positive, finite depth"),
        (np.ones((HEIGHT, HEIGHT)), "another shape"),
        (np.array(["a"]), "array of numbers"),
    ],
)
def test_depth_that_cannot_be_used(
    folder: Path, capsys: pytest.CaptureFixture[str], values: np.ndarray, words: str
) -> None:
    np.save("bad.npy", values)
    assert words in refused(capsys, folder, "edit", "photo.png", "--depth", "bad.npy", "-o", "o.png")


def test_depth_with_holes_or_of_another_size_is_used(folder: Path) -> None:
    partly = np.full((HEIGHT, WIDTH), 2.0)
    partly[10:20] = np.nan
    partly[20:25] = -3
    np.save("partly.npy", partly)
    np.save("small.npy", np.full((HEIGHT // 4, WIDTH // 4), 2.0))
    for name in ("partly.npy", "small.npy"):
        assert run("edit", "photo.png", "--depth", name, "--orbit", "4,0", "-o", "o.png", "--depth-out", "z.npy") == 0
        assert np.isfinite(np.load("z.npy")).all()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--mask", "empty.png", "--remove"), "is empty: nothing"),
        (("--select", "900,900", "--remove"), "outside"),
        (("--select", "-3,5", "--remove"), "outside"),
        (("--select", "nan,5", "--remove"), "finite"),
        (("--select", "5", "--remove"), "needs 2"),
        (("--select", "a,b", "--remove"), "numbers"),
        (("--move", "1,0,0"), "--select"),
        (("--duplicate",), "--select"),
        (("--mask", "mask.png", "--remove", "--move", "1,0,0"), "--remove"),
        (("--mask", "mask.png", "--select", "5,5"), "not allowed with"),
        (("--mask", "mask.png", "--scale", "0"), "scale"),
        (("--mask", "mask.png", "--move", "inf,0,0"), "finite"),
        (("--mask", "mask.png", "--turn", "nan"), "finite"),
        (("--mask", "none.png", "--remove"), "no file"),
        (("--depth-scale", "5"), "--depth FILE"),
        (("--depth", "depth.npy", "--depth-scale", "0"), "positive"),
        (("--intrinsics", "0,100,5,5"), "positive"),
        (("--engine", "lras"), "lras"),
        (("--engine", "magic"), "choose from"),
        (("--seed", "-1"), "whole number"),
        (("--edits", "photo.png"), "JSON"),
        (("--flow", "photo.png"), "flow file"),
        (("--pose", "photo.png"), "numbers only"),
        (("--depth-out", "o.png"), "another output"),
        (("--flow-out", "f.png"), ".flo"),
        (("--project-out", "p.zip"), ".lras"),
        (("--uncovered-out", "nowhere/u.png"), "does not exist"),
    ],
)
def test_flags_that_make_no_sense(
    folder: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], words: str
) -> None:
    assert words in refused(capsys, folder, "edit", "photo.png", *flags, "-o", "o.png")


@pytest.mark.parametrize("out", ["photo.png", "o.gif", "o", ".", "nowhere/o.png"])
def test_places_that_cannot_be_written(folder: Path, capsys: pytest.CaptureFixture[str], out: str) -> None:
    photo = Path("photo.png").read_bytes()
    refused(capsys, folder, "edit", "photo.png", "-o", out)
    assert Path("photo.png").read_bytes() == photo


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (np.zeros((4, 4)), "last row"),
        (np.diag([2.0, 1, 1, 1]), "rotation"),
        (np.diag([-1.0, 1, 1, 1]), "mirrors"),
        (np.eye(3), "16 numbers"),
        (np.full((4, 4), np.nan), "finite"),
    ],
)
def test_poses_that_are_not_rigid(
    folder: Path, capsys: pytest.CaptureFixture[str], rows: np.ndarray, words: str
) -> None:
    np.savetxt("pose.txt", rows)
    assert words in refused(capsys, folder, "edit", "photo.png", "--pose", "pose.txt", "-o", "o.png")


def test_pose_and_orbit_exclude_each_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savetxt("pose.txt", np.eye(4))
    assert "--pose" in refused(capsys, folder, "edit", "photo.png", "--pose", "pose.txt", "--dolly", "1", "-o", "o.png")


@pytest.mark.parametrize(
    "flags",
    [
        ("--mask", "mask.png", "--move", "0,0,-10"),
        ("--mask", "mask.png", "--move", "100,0,0"),
        ("--mask", "mask.png", "--move", "1e300,0,1e308"),
        ("--mask", "mask.png", "--scale", "100"),
        ("--mask", "mask.png", "--turn", "90"),
        ("--mask", "full.png", "--remove"),
        ("--mask", "full.png", "--slide", "0.1,0.1"),
        ("--dolly", "2"),
        ("--dolly", "50"),
        ("--orbit", "180,0"),
        ("--orbit", "0,90"),
        ("--truck", "1e9,0"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_objects_and_cameras_beyond_the_picture_give_a_picture(folder: Path, flags: tuple[str, ...]) -> None:
    assert run("edit", "photo.png", "--depth", "depth.npy", *flags, "-o", "o.png", "--flow-out", "f.flo") == 0
    assert open_photo(Path("o.png")).pixels.shape == (HEIGHT, WIDTH, 3)


def test_an_object_behind_the_camera_leaves_only_its_hole(folder: Path) -> None:
    words = ("edit", "photo.png", "--depth", "depth.npy", "--mask", "mask.png")
    assert run(*words, "--move", "0,0,-10", "-o", "gone.png") == 0
    assert run(*words, "--remove", "-o", "removed.png") == 0
    gone, removed = (open_photo(Path(name)).pixels for name in ("gone.png", "removed.png"))
    assert np.array_equal(gone, removed)


def archive(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries.items():
            packed.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"PK\3\4junk",
        archive({"../../evil.txt": b"x", "project.json": b"{}"}),
        archive({"/etc/evil": b"x"}),
        archive({"project.json": b"0" * 20_000_000}),
        archive({}),
    ],
    ids=["junk", "escape", "absolute", "bomb", "nothing"],
)
def test_projects_that_are_not_safe(folder: Path, capsys: pytest.CaptureFixture[str], data: bytes) -> None:
    Path("p.lras").write_bytes(data)
    refused(capsys, folder, "replay", "p.lras", "-o", "o.png")
    assert not (folder.parent / "evil.txt").exists()


def test_a_project_is_not_a_photo(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.lras").write_bytes(b"x")
    assert "replay p.lras" in refused(capsys, folder, "edit", "p.lras", "-o", "o.png")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mask", "photo.png", "-o", "o.png"), "--point"),
        (("mask", "photo.png", "--point", "5,5,neg", "-o", "o.png"), "only clicks that take away"),
        (("mask", "photo.png", "--point", "5,5", "-o", "o.jpg"), ".png"),
        (("mask", "photo.png", "--point", "5,5,maybe", "-o", "o.png"), "numbers"),
        (("depth", "photo.png", "--colours", "-o", "o.npy"), "--colours"),
        (("cloud", "photo.png", "-o", "o.png"), ".ply"),
        (("cloud", "photo.png", "--max-points", "0", "-o", "o.ply"), "at least 1"),
        (("edit", "sample:nothing", "-o", "o.png"), "coffee"),
        (("bench", "warp", "nowhere"), "index.json"),
        (("bench", "fill", "nowhere"), "index.json"),
        (("bench", "click", "nowhere"), "index.csv"),
        (("nothing",), "choose from"),
    ],
)
def test_other_commands_refuse_too(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert said in refused(capsys, folder, *words)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of files")
def test_a_full_disk_leaves_nothing_half_written(folder: Path) -> None:
    """The picture still fits under the limit, the flow field does not: neither may appear."""
    code = (
        "import resource, sys; from app.cli import main; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (15000, 15000)); sys.exit(main(sys.argv[1:]))"
    )
    words = ["edit", str(folder / "photo.png"), "-o", str(folder / "o.png"), "--flow-out", str(folder / "f.flo")]
    before = {path.name for path in folder.iterdir()}
    # Compiled kernels are kept on disk too, which the limit would refuse.
    variables = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert "could not be written" in done.stderr
    assert {path.name for path in folder.iterdir()} == before
