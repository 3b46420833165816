"""A studio as its own process, and pages of it without a browser: the routes and sockets that a page uses."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Studio:
    """A running studio: its address and its process."""

    address: str
    pid: int


@contextlib.contextmanager
def studio(*options: str) -> Iterator[Studio]:
    """A studio on a free port, its unsaved work in a folder of its own."""
    command = [sys.executable, "launch.py", "ui", "--no-browser", "--port", "0", *options]
    with tempfile.TemporaryDirectory() as state:
        environment = {**os.environ, "XDG_STATE_HOME": state}
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                found = re.search(r"http://\S+", line)
                if found is None:
                    raise SystemExit(f"the studio did not start: {line!r}")
                shown = urlsplit(found.group())
                yield Studio(f"{shown.scheme}://{shown.netloc}", _own_process(process.pid))
            finally:
                process.terminate()
                process.wait(PATIENCE_S)


class Tab:
    """What one browser tab does, from opening the page to closing it."""

    def __init__(self, running: Studio) -> None:
        self._client = httpx.Client(base_url=running.address, timeout=PATIENCE_S)
        self._address = running.address
        self._sockets: list[ClientConnection] = []
        self._readers: list[threading.Thread] = []
        self._told = threading.Condition()
        self._state: dict[str, Any] = {}
        self._revision = 0
        self._client.get("/").raise_for_status()
        self.key: str = self._client.post("/studio").raise_for_status().json()["key"]
        self._open(f"/studio/{self.key}/events", hear=self._hear)

    @property
    def state(self) -> dict[str, Any]:
        """The session as the page was told last."""
        return self._state

    def open_photo(self, photo: bytes, name: str) -> None:
        """As dropped on the page."""
        self._ask(f"upload/photo?name={name}", content=photo)

    def gesture(self, kind: str, **fields: Any) -> None:
        """One of the page's gestures."""
        self._ask("gesture", json={"type": kind, **fields})

    def settle(self) -> None:
        """Until the picture of the last gesture is there. Raises TimeoutError when it does not come."""
        with self._told:
            if not self._told.wait_for(self._is_done, PATIENCE_S):
                raise TimeoutError(f"no picture after {PATIENCE_S:g} s; the last news were {self._state.get('job')}")

    def open_space(self) -> None:
        """The 3D view, as its frame opens it."""
        self._client.post(f"/studio/{self.key}/space", json={}).raise_for_status()
        self._client.get(f"/viewport/{self.key}/").raise_for_status()
        self._open(f"/viewport/{self.key}/events")
        self._open(f"/viewport/{self.key}/", f"viser-v{version('viser')}")

    def close(self) -> None:
        """As a closed tab: its sockets close and nothing is said."""
        for socket in self._sockets:
            socket.close()
        for reader in self._readers:
            reader.join(PATIENCE_S)
        self._client.close()

    def _ask(self, path: str, **body: Any) -> None:
        answer = self._client.post(f"/studio/{self.key}/{path}", **body).raise_for_status().json()
        self._revision = answer["revision"]

    def _hear(self, message: str | bytes) -> None:
        news = json.loads(message)
        with self._told:
            self._state = news.get("state", self._state)
            self._told.notify_all()

    def _is_done(self) -> bool:
        state = self._state
        return bool(state) and state["revision"] >= self._revision and not state["job"]["running"]

    def _open(
        self, path: str, protocol: str | None = None, hear: Callable[[str | bytes], None] = lambda _: None
    ) -> None:
        socket = connect(
            self._address.replace("http", "ws", 1) + path,
            origin=self._address,  # type: ignore[arg-type]
            subprotocols=None if protocol is None else [protocol],  # type: ignore[list-item]
            max_size=None,
            compression=None,
        )
        self._sockets.append(socket)
        self._readers.append(threading.Thread(target=_read_all, args=(socket, hear), daemon=True))
        self._readers[-1].start()


def _read_all(socket: ClientConnection, hear: Callable[[str | bytes], None]) -> None:
    with contextlib.suppress(ConnectionClosed):
        for message in socket:
            hear(message)


def _own_process(pid: int) -> int:
    """The process that serves: launch.py starts it as a child where it has to change the interpreter."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    below = children.read_text().split() if children.is_file() else []
    return int(below[0]) if below else pid
