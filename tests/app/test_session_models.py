"""Depth and masks by networks of others, chosen in a session: looked at, fetched, used."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_hub
from conftest import FlatServices
from faulty_server import Server, serving
from serving import wait_until
from studio_photo import square_photo

from app.services import Services
from app.session import Session
from app.state import Event
from core.errors import BackendUnavailable, InvalidInput
from core.files import hub

PATIENCE = 60.0
METRIC, SAM2 = "depth-anything-indoor", "sam2.1-tiny"
BUILT_IN = "Depth network (built in)"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    tiny_hub.save_depth_anything(folder / METRIC, 20)
    tiny_hub.save_sam2(folder / SAM2)
    return folder


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def away(tmp_path: Path, tiny: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without weights, and a manifest whose addresses lead to the server with the tiny ones."""
    for variable in ("HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LRAS_WEIGHTS", str(tmp_path / "weights"))
    stored = json.loads(hub._MANIFEST.read_text())
    for model in stored["models"]:
        model["base"] = server.base
        model["files"] = [{"path": file["path"]} for file in model["files"]]
    (tmp_path / "hub.json").write_text(json.dumps(stored))
    monkeypatch.setattr(hub, "_MANIFEST", tmp_path / "hub.json")
    server.files = {file.name: file.read_bytes() for file in (tiny / METRIC).iterdir()}
    return tmp_path / "weights"


@pytest.fixture
def here(away: Path, tiny: Path) -> Path:
    """The same machine with the tiny weights in its folder."""
    away.symlink_to(tiny)
    return away


@pytest.fixture
def session() -> Iterator[Session]:
    opened = Session("test", FlatServices())
    opened.open_photo(square_photo(), "square.png")
    yield opened
    assert opened.wait_idle(PATIENCE)
    opened.close()


@pytest.fixture
def told(session: Session) -> list[Event]:
    heard: list[Event] = []
    session.subscribe(heard.append)
    return heard


def errors(told: list[Event]) -> list[str]:
    return [event.message for event in told if event.kind == "error"]


def test_looking_at_a_model_fetches_and_changes_nothing(away: Path, session: Session, server: Server) -> None:
    before = session.state
    session.consider("depth", METRIC)
    session.consider("mask", "sam-vit-h")
    assert session.state.considered == (METRIC, "sam-vit-h")
    assert (session.state.depth_title, session.state.mask_title) == (before.depth_title, before.mask_title)
    assert not server.asked
    with pytest.raises(InvalidInput, match=r"choose one of: .*layout"):
        session.consider("depth", "sam-vit-h")


def test_depth_by_a_model_is_one_step_that_says_so(here: Path, session: Session) -> None:
    assert session.state.depth_title == BUILT_IN
    session.use_depth_backend(METRIC)
    wait_until(lambda: len(session.state.steps) == 2)
    state = session.state
    assert state.steps[1] == "Depth by Depth Anything V2, indoor metres"
    assert (state.depth_title, state.depth_scale, state.unit) == ("Depth Anything V2, indoor metres", "metric", "m")
    session.undo()
    assert session.state.depth_title == BUILT_IN


def test_clicks_are_answered_by_the_chosen_model_and_say_so(here: Path, session: Session) -> None:
    session.use_mask_backend(SAM2)
    wait_until(lambda: session.state.mask_backend == SAM2)
    assert session.state.mask_title == "SAM 2.1 tiny"
    session.click(40, 30)
    assert session.project.scene.objects[0].mask.source == "SAM 2.1 tiny"


@pytest.mark.parametrize(("kind", "name"), [("depth", "depth-pro"), ("mask", "sam-vit-h")])
def test_a_model_that_is_not_here_is_never_replaced(away: Path, session: Session, kind: str, name: str) -> None:
    use = session.use_depth_backend if kind == "depth" else session.use_mask_backend
    with pytest.raises(BackendUnavailable, match=f"not on this machine; 'launch.py models get {name}'"):
        use(name)
    with pytest.raises(BackendUnavailable, match="not on this machine"):
        Services(**{f"{kind}_backend": name}).check_backends()
    assert len(session.state.steps) == 1


def test_a_model_is_fetched_and_used(away: Path, session: Session, server: Server) -> None:
    session.consider("depth", METRIC)
    session.use_considered("depth")
    wait_until(lambda: len(session.state.steps) == 2)
    assert session.state.depth_title == "Depth Anything V2, indoor metres"
    assert server.paths == ["/files/config.json", "/files/model.safetensors"]
    assert (away / METRIC / "model.safetensors").is_file()
    assert not session.state.models.running


def test_a_broken_fetch_is_told_and_goes_on_later(
    away: Path, session: Session, server: Server, told: list[Event]
) -> None:
    whole = len(server.files["model.safetensors"])
    server.cuts = [len(server.files["config.json"]), whole // 2, 0, 0, 0]
    session.use_depth_backend(METRIC, fetch=True)
    wait_until(lambda: bool(errors(told)))
    assert f"{whole // 2} bytes are kept" in errors(told)[0]
    assert len(session.state.steps) == 1
    server.asked.clear()
    session.use_depth_backend(METRIC, fetch=True)
    wait_until(lambda: len(session.state.steps) == 2)
    assert server.asked[0]["Range"] == f"bytes={whole // 2}-"


def test_weights_that_cannot_be_read_are_told(away: Path, session: Session, server: Server, told: list[Event]) -> None:
    server.files["model.safetensors"] = b"nonsense"
    session.use_depth_backend(METRIC, fetch=True)
    wait_until(lambda: bool(errors(told)))
    assert "cannot be read as DepthAnythingForDepthEstimation" in errors(told)[0]
    assert session.state.depth_title == BUILT_IN


def test_cancel_stops_what_was_started(here: Path, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[bool] = []

    class Slow:
        def estimate(self, photo, intrinsics, cancel):
            begun.append(True)
            while True:
                cancel.check()
                time.sleep(0.01)

    monkeypatch.setattr(session.services, "depth", lambda name: Slow())
    session.use_depth_backend(METRIC)
    wait_until(lambda: bool(begun))
    assert session.state.models.running
    assert session.state.models.stage == "Estimating depth by Depth Anything V2, indoor metres"
    session.cancel()
    wait_until(lambda: not session.state.models.running)
    assert len(session.state.steps) == 1


def test_a_photo_opens_at_once_and_its_depth_follows(here: Path) -> None:
    opened = Session("test", FlatServices(depth_backend=METRIC, mask_backend=SAM2))
    opened.open_photo(square_photo(), "square.png")
    assert opened.state.depth_title == BUILT_IN
    wait_until(lambda: opened.state.depth_title == "Depth Anything V2, indoor metres")
    assert opened.state.mask_title == "SAM 2.1 tiny"
    assert opened.wait_idle(PATIENCE)
    opened.close()


def test_depth_for_a_photo_that_was_closed_is_dropped(
    here: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = session.services.depth(METRIC)
    estimated: list[bool] = []

    class Late:
        def estimate(self, photo, intrinsics, cancel):
            session.open_sample("motorcycle")
            estimated.append(True)
            return real.estimate(photo, intrinsics, cancel)

    monkeypatch.setattr(session.services, "depth", lambda name: Late())
    session.use_depth_backend(METRIC)
    wait_until(lambda: bool(estimated) and not session.state.models.running)
    assert session.state.photo_name != "square.png"
    assert len(session.state.steps) == 1
