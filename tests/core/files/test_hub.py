"""Networks of others: what the manifest says of them, where they are found, how they are fetched."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from faulty_server import CONTENT, Server, serving

from core.errors import EditorError, InvalidInput
from core.files.hub import HubFile, HubModel, addresses, find, get, hub_model, hub_models, missing
from core.types.protocols import CancelToken

HALF = len(CONTENT) // 2
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TINY = HubModel(
    "tiny", "depth", "depth-pro", "Tiny", "MIT", 5 * 10**8, "https://huggingface.co/someone/Tiny-hf/resolve/abc123",
    (HubFile("config.json"), HubFile("model.safetensors", len(CONTENT), None, SHA256)),
)  # fmt: skip
LOOSE = replace(TINY, base="https://example.org/sam", files=(HubFile("loose_01.pth"),))


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any model."""
    for variable in ("HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LRAS_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def put(folder: Path, model: HubModel = TINY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file in model.files:
        (folder / file.path).write_bytes(b"x")
    return folder


def test_the_manifest_tells_what_each_model_is_and_costs() -> None:
    models = hub_models()
    assert len({model.name for model in models}) == len(models)
    assert {model.kind for model in models} == {"depth", "mask"}
    for model in models:
        assert model.licence
        assert model.memory > 10**8
        assert all(url.startswith("https://") for url in addresses(model))
        assert {file.path for file in model.files} == {"config.json", "model.safetensors"} or model.family == "sam"
        weights = model.files[-1]
        assert (weights.size or weights.about or 0) > 5 * 10**7
        assert weights.sha256 is None or len(weights.sha256) == 64
    assert hub_model("sam-vit-h").files[0].path == "sam_vit_h_4b8939.pth"
    with pytest.raises(InvalidInput, match=r"choose one of: .*sam-vit-b"):
        hub_model("sam-vit-z")


def test_costs_are_said_in_words() -> None:
    assert TINY.cost == "1 MB to fetch, 0.5 GB of memory, licence MIT"
    guess = replace(TINY, files=(HubFile("config.json"), HubFile("model.safetensors", about=2 * 10**9)))
    assert guess.cost.startswith("about 2,000 MB")


def test_what_is_not_there_is_said_with_the_command_that_fetches_it() -> None:
    assert find(TINY) is None
    assert missing(TINY) == f"Tiny is not on this machine; 'launch.py models get tiny' fetches it ({TINY.cost})."


@pytest.mark.parametrize("place", ["weights/tiny", "weights/Tiny-hf"])
def test_local_folders_are_found(home: Path, place: str) -> None:
    assert find(TINY) is None
    folder = put(home / place)
    assert find(TINY) == folder
    assert missing(TINY) is None
    (folder / "config.json").unlink()
    assert find(TINY) is None


def test_a_loose_checkpoint_in_the_weights_folder_is_found(home: Path) -> None:
    assert LOOSE.repository is None
    assert find(LOOSE) is None
    assert put(home / "weights", LOOSE) == find(LOOSE)
    put(home / "weights")
    assert find(TINY) is None


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        (None, "home/.cache/huggingface/hub"),
        ("XDG_CACHE_HOME", "named/huggingface/hub"),
        ("HF_HOME", "named/hub"),
        ("HF_HUB_CACHE", "named"),
    ],
)
def test_a_hugging_face_cache_is_found(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None, place: str
) -> None:
    if variable is not None:
        monkeypatch.setenv(variable, str(home / "named"))
    folder = put(home / place / "models--someone--Tiny-hf" / "snapshots" / "abc123")
    assert find(TINY) == folder


def test_of_several_cached_versions_ours_comes_first_then_the_branch_then_any(home: Path) -> None:
    cache = home / "home/.cache/huggingface/hub/models--someone--Tiny-hf"
    any_one = put(cache / "snapshots" / "0000")
    assert find(TINY) == any_one
    branch = put(cache / "snapshots" / "ffff")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("ffff")
    assert find(TINY) == branch
    ours = put(cache / "snapshots" / "abc123")
    assert find(TINY) == ours
    own = put(home / "weights" / "tiny")
    assert find(TINY) == own


def test_a_mirror_and_an_endpoint_stand_in_for_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert addresses(TINY)[0] == "https://huggingface.co/someone/Tiny-hf/resolve/abc123/config.json"
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert addresses(TINY)[1] == "https://mirror.example/someone/Tiny-hf/resolve/abc123/model.safetensors"
    assert addresses(LOOSE) == ["https://example.org/sam/loose_01.pth"]
    assert addresses(TINY, "http://near/by")[0] == "http://near/by/config.json"
    with pytest.raises(InvalidInput, match="must begin with https"):
        addresses(TINY, "ftp://near")


def fetched(server: Server, home: Path, model: HubModel = TINY) -> Path:
    return get(model, home / "weights", server.base, lambda *_: None, CancelToken())


def test_a_fetched_model_is_found(server: Server, home: Path) -> None:
    folder = fetched(server, home)
    assert server.paths == ["/files/config.json", "/files/model.safetensors"]
    assert find(TINY) == folder
    assert (folder / "model.safetensors").read_bytes() == CONTENT


def test_an_interrupted_model_is_not_found_and_goes_on_where_it_stopped(server: Server, home: Path) -> None:
    server.cuts = [len(CONTENT), HALF, 0, 0, 0]
    with pytest.raises(EditorError, match=f"{HALF} bytes are kept"):
        fetched(server, home)
    assert find(TINY) is None
    server.asked.clear()
    assert fetched(server, home) == find(TINY)
    assert [asked.get("Range") for asked in server.asked] == [f"bytes={HALF}-"]


def test_a_model_with_another_hash_is_refused(server: Server, home: Path) -> None:
    server.content = CONTENT[::-1]
    with pytest.raises(EditorError, match="it was deleted"):
        fetched(server, home)
    assert find(TINY) is None
