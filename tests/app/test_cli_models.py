"""`launch.py models` and the back-ends that commands are told to use."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_hub
from command_line import run
from faulty_server import CONTENT, Server, serving
from studio_photo import HEIGHT, WIDTH, square_photo

from core.files import hub
from core.files.depth import read_depth
from core.files.mask import read_mask

METRIC = "depth-anything-indoor"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any model, and a photo."""
    for variable in ("HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LRAS_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(square_photo())
    return tmp_path


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def test_the_list_tells_size_memory_licence_and_what_is_here(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models") == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if " sam-vit-h " in line]
    assert line.split()[1:] == ["SAM", "ViT-H", "2.6", "GB", "6.1", "GB", "no", "Apache-2.0"]
    (home / "weights").mkdir()
    (home / "weights" / "sam_vit_h_4b8939.pth").write_bytes(b"x")
    assert run("models", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert next(row for row in found["mask"] if row["name"] == "sam-vit-h")["unavailable"] is None
    assert "not on this machine" in next(row for row in found["depth"] if row["name"] == METRIC)["unavailable"]
    assert next(row for row in found["depth"] if row["name"] == "layout")["download_bytes"] is None


def test_nothing_is_fetched_before_size_and_licence_are_told_and_agreed_to(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("models", "get", "sam-vit-b", "--mirror", server.base) == 2
    printed = capsys.readouterr()
    assert "375 MB to fetch, 3.1 GB of memory, licence Apache-2.0" in printed.out
    assert f"{server.base}/sam_vit_b_01ec64.pth" in printed.out
    assert "--yes" in printed.err
    assert not server.asked


def test_a_model_is_fetched_from_a_mirror_once(
    home: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = json.loads(hub._MANIFEST.read_text())
    for model in stored["models"]:
        model["files"] = [{"path": file["path"]} for file in model["files"]]
    (home / "hub.json").write_text(json.dumps(stored))
    monkeypatch.setattr(hub, "_MANIFEST", home / "hub.json")
    get = ("models", "get", METRIC, "--mirror", server.base, "--yes")
    assert run(*get) == 0
    assert (home / "weights" / METRIC / "model.safetensors").read_bytes() == CONTENT
    asked = len(server.asked)
    capsys.readouterr()
    assert run(*get) == 0
    assert "already here" in capsys.readouterr().out
    assert len(server.asked) == asked
    assert run(*get, "--folder", "elsewhere") == 0
    assert (home / "elsewhere" / METRIC / "config.json").is_file()


def test_what_a_server_sends_instead_of_the_authors_file_is_refused(
    home: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("models", "get", "sam-vit-b", "--mirror", server.base, "--yes") == 2
    assert f"offers {len(CONTENT)} bytes where 375042383 were expected" in capsys.readouterr().err
    assert not list(home.glob("weights/**/*.pth*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("depth", "photo.png", "-o", "z.npy", "--depth-backend", "depth-pro"), "'launch.py models get depth-pro'"),
        (("cloud", "photo.png", "-o", "c.ply", "--depth-backend", "crystal"), "choose one of: embedded, layout"),
        (
            ("mask", "photo.png", "--point", "40,30", "-o", "m.png", "--mask-backend", "sam-vit-h"),
            "models get sam-vit-h",
        ),
        (
            ("edit", "photo.png", "--select", "40,30", "-o", "o.png", "--mask-backend", "sam2.1-tiny"),
            "models get sam2.1",
        ),
        (("models", "get", "crystal"), "choose one of: depth-anything-small"),
    ],
)
def test_a_named_one_that_is_not_here_is_one_sentence_and_never_replaced(
    home: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert run(*words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert [path.name for path in home.iterdir()] == ["photo.png"]


def test_depth_comes_from_a_file_or_from_a_back_end(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(home / "depth.npy", np.ones((HEIGHT, WIDTH), np.float32))
    assert run("depth", "photo.png", "--depth", "depth.npy", "--depth-backend", "layout", "-o", "z.npy") == 2
    assert "give only one of them" in capsys.readouterr().err


def test_commands_use_the_named_ones_and_say_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_hub.save_depth_anything(home / "weights" / METRIC, 20)
    tiny_hub.save_sam2(home / "weights" / "sam2.1-tiny")
    assert run("depth", "photo.png", "--depth-backend", METRIC, "-o", "z.npy") == 0
    assert read_depth(home / "z.npy").values.max() <= 20
    assert run("mask", "photo.png", "--point", "40,30", "--mask-backend", "sam2.1-tiny", "-o", "m.png") == 0
    assert read_mask(home / "m.png", WIDTH, HEIGHT).coverage[30, 40] >= 128
    capsys.readouterr()
    chosen = ("--depth-backend", METRIC, "--mask-backend", "sam2.1-tiny")
    assert run("edit", "photo.png", "--select", "40,30", *chosen, "--json", "-o", "out.png") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["depth"] == {"source": "Depth Anything V2, indoor metres", "scale": "metric"}
    assert report["masks"] == ["SAM 2.1 tiny"]
