"""The real server, stopped by a signal whatever it is doing: within seconds, without a trace, with its work kept."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
# What a process may still take for; a busy machine takes longer than seconds.
ENDING = 60.0


def python(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "launch.py"), *words]


class Server:
    """`launch.py ui` with a page that opened a session."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.variables = {**os.environ, "XDG_STATE_HOME": str(folder), **variables}
        words = python("ui", "--no-browser", "--port", "0")
        self.process = subprocess.Popen(
            words, cwd=ROOT, env=self.variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().split()[2].rstrip("/")
        self.key = self.post("")["key"]

    def post(self, path: str, content: bytes = b"{}") -> Any:
        place = f"{self.address}/studio{path}"
        asked = urllib.request.Request(place, content, {"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(asked, timeout=PATIENCE) as reply:
            return json.loads(reply.read())

    def gesture(self, **fields: Any) -> Any:
        return self.post(f"/{self.key}/gesture", json.dumps(fields).encode())

    def upload(self, name: str, content: bytes) -> Any:
        return self.post(f"/{self.key}/upload/photo?name={name}", content)

    @property
    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.address}/studio/{self.key}/state", timeout=PATIENCE) as reply:
            return json.loads(reply.read())

    def meanwhile(self, act: Callable[[], object]) -> None:
        """A page that waits for an answer, which need not come."""

        def ask() -> None:
            with suppress(OSError, urllib.error.HTTPError, HTTPException, WebSocketException, ValueError):
                act()

        threading.Thread(target=ask, daemon=True).start()

    def until(self, holds: Callable[[dict[str, Any]], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds(self.state):
            assert time.monotonic() < deadline, self.state
            time.sleep(0.01)


@pytest.fixture(scope="module")
def picture() -> bytes:
    """Large enough that all that is done with it takes a moment."""
    noise = np.random.default_rng(0).integers(0, 255, (90, 120, 3)).astype(np.uint8)
    encoded = cv2.imencode(".png", cv2.resize(noise, (2400, 1800), interpolation=cv2.INTER_CUBIC))[1]
    return encoded.tobytes()


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server; with "compiles" one that never compiled anything before."""
    fresh = {"NUMBA_CACHE_DIR": str(tmp_path / "compiled")} if getattr(request, "param", "") == "compiles" else {}
    running = Server(tmp_path, **fresh)
    yield running
    if running.process.poll() is None:
        running.process.kill()
    running.process.communicate()


def waiting(server: Server, picture: bytes) -> None:
    heard = threading.Event()

    def listen() -> None:
        with connect(f"{server.address.replace('http', 'ws')}/studio/{server.key}/events") as news:
            for _ in news:
                heard.set()

    server.meanwhile(listen)
    assert heard.wait(PATIENCE)


def opening(server: Server, picture: bytes) -> None:
    server.meanwhile(lambda: server.upload("large.png", picture))
    server.until(lambda state: state["opening"]["running"])


def clicking(server: Server, picture: bytes) -> None:
    """The first click waits for the network and for what it has to look at."""
    server.upload("large.png", picture)
    server.meanwhile(lambda: server.gesture(type="click", x=1200, y=900))


def exporting(server: Server, picture: bytes) -> None:
    server.upload("large.png", picture)
    server.gesture(type="orbit", yaw=5, pitch=2)
    place = f"{server.address}/studio/{server.key}/export/picture.png"
    server.meanwhile(lambda: urllib.request.urlopen(place, timeout=PATIENCE).read())
    server.until(lambda state: state["export"]["running"])


def loading(server: Server, picture: bytes) -> None:
    server.upload("large.png", picture)
    server.meanwhile(lambda: server.gesture(type="engine", engine="lras-small"))
    server.until(lambda state: state["models"]["running"] or state["engine"] == "lras-small")


@pytest.mark.parametrize(
    ("doing", "sign", "server"),
    [
        pytest.param(waiting, signal.SIGINT, "", id="a page waits"),
        pytest.param(opening, signal.SIGTERM, "", id="opening"),
        pytest.param(opening, signal.SIGINT, "compiles", id="compiling"),
        pytest.param(clicking, signal.SIGINT, "", id="looking at the photo"),
        pytest.param(loading, signal.SIGTERM, "", id="loading an engine"),
    ],
    indirect=["server"],
)
def test_the_server_ends_in_good_order_whatever_it_does(
    server: Server, doing: Callable[[Server, bytes], None], sign: signal.Signals, picture: bytes
) -> None:
    doing(server, picture)
    stopped(server, sign)


def test_what_was_acknowledged_is_there_after_an_export_was_broken_off(server: Server, picture: bytes) -> None:
    exporting(server, picture)
    stopped(server, signal.SIGTERM)
    words = python("recover", "--json")
    left = subprocess.run(words, cwd=ROOT, env=server.variables, capture_output=True, text=True, check=True)
    assert [(entry["name"], entry["steps"]) for entry in json.loads(left.stdout)] == [("large.png", 1)]


def stopped(server: Server, sign: signal.Signals) -> None:
    server.process.send_signal(sign)
    _, err = server.process.communicate(timeout=ENDING)
    assert (server.process.returncode, err) == (128 + sign, "")
