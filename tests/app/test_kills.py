"""The server is killed at random moments, fifty times: every acknowledged edit is back, in every one."""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from studio_photo import HEIGHT, WIDTH, square_photo

from app.history_journal import restore
from app.state import SessionState, project_state
from app.ui.snapshot import snapshot
from app.unsaved import Unsaved, owner_of
from core.editing.history import History
from core.files.journal import encode_line, read_lines

KILLS = 50
LONGEST_LIFE = 0.5
ROOT = Path(__file__).resolve().parents[2]
# What a session's state tells of its project and its history.
TOLD = ("photo_name", "width", "height", "depth_title", "depth_scale", "layout", "fov_deg", "camera", "engine", "seed")
TOLD += ("steps", "step", "order", "unit")


@dataclass
class Server:
    """One life of a studio."""

    process: int
    port: int

    def call(self, method: str, path: str, body: Any = None, content: bytes | None = None) -> tuple[int, Any]:
        """Raises OSError or HTTPException when the server died."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        data = content if content is not None else None if body is None else json.dumps(body)
        connection.request(method, f"/studio{path}", data, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        answer = json.loads(reply.read())
        connection.close()
        return reply.status, answer


class Servers:
    """Starts a studio as often as one was killed."""

    def __init__(self) -> None:
        paths = os.pathsep.join(map(str, (ROOT, ROOT / "tests", ROOT / "tests" / "app")))
        self._maker = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("mortal_server.py"))],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, folder: Path) -> Server:
        assert self._maker.stdin is not None
        assert self._maker.stdout is not None
        print(folder, file=self._maker.stdin, flush=True)
        process, port = map(int, self._maker.stdout.readline().split())
        return Server(process, port)

    def close(self) -> None:
        assert self._maker.stdin is not None
        self._maker.stdin.close()
        self._maker.wait(30)


@pytest.fixture
def servers() -> Iterator[Servers]:
    made = Servers()
    yield made
    made.close()


@dataclass
class Tab:
    """What a page was told before its server died."""

    server: Server
    unsaved: Unsaved
    chance: random.Random
    key: str = ""
    entry: Path | None = None
    first_record: int = 0
    first_revision: int = 0
    acknowledged: int = 0
    told: dict[int, dict] = field(default_factory=dict)
    opened: threading.Event = field(default_factory=threading.Event)

    def open_photo(self, name: str) -> None:
        self.key = self.server.call("POST", "")[1]["key"]
        status, answer = self.server.call("POST", f"/{self.key}/upload/photo?name={name}", content=square_photo())
        assert status == 200, answer
        self._opened()

    def go_on(self, entry_id: str) -> None:
        self.key = self.server.call("POST", "")[1]["key"]
        status, answer = self.server.call("POST", f"/{self.key}/unsaved/{entry_id}/open")
        assert status == 200, answer
        self._opened()

    def edit_until_it_dies(self) -> None:
        while True:
            asked = self._gesture(self.told[max(self.told)])
            status, answer = self.server.call("POST", f"/{self.key}/gesture", asked)
            assert status in (200, 422), answer
            if status == 200:
                self.acknowledged = answer["revision"]
                self._ask_state()

    def _ask_state(self) -> dict:
        _, state = self.server.call("GET", f"/{self.key}/state")
        self.told[state["revision"]] = state
        return state

    def _gesture(self, state: dict) -> dict:
        chance, objects = self.chance, [item["id"] for item in state["objects"]]
        points = [[chance.uniform(0, WIDTH - 1), chance.uniform(0, HEIGHT - 1)] for _ in range(4)]
        strokes = {"points": points}
        free = [
            {"type": "lasso", "points": [[30, 20], [62, 20], [62, 52], [30, 52], points[0]]},
            {"type": "select", "object": None},
            {"type": "orbit", "yaw": chance.uniform(-9, 9), "pitch": chance.uniform(-4, 4)},
            {"type": "home"},
            {"type": "layout", "horizon": chance.uniform(0.1, 0.4), "ground_end": chance.uniform(0.5, 0.9)},
            {"type": "retouch", **strokes, "radius": 6, "touch": chance.choice(["push", "pull", "smooth"])},
            {"type": "distance", "start": [5, 60], "end": [80, 66], "metres": chance.uniform(0.5, 3)},
            {"type": "variation", "seed": chance.randrange(1000)},
            {"type": "undo"},
            {"type": "redo"},
            {"type": "goto", "index": chance.randrange(len(state["steps"]))},
        ]
        if not objects:
            return chance.choice(free)
        item = chance.choice(objects)
        of_object = [
            {"type": "place", "object": item, "translation": [chance.uniform(-0.3, 0.3), 0, 0], "scale": 1.1},
            {"type": "slide", "object": item, "right": chance.uniform(-0.3, 0.3), "away": chance.uniform(-0.1, 0.3)},
            {"type": "hide", "object": item, "hidden": chance.random() < 0.5},
            {"type": "duplicate", "object": item},
            {"type": "release", "object": item},
            {"type": "rename", "object": item, "label": f"T\u00fcr {chance.randrange(99)}"},
            {"type": "brush", **strokes, "radius": 4, "add": True},
            {"type": "brush", **strokes, "radius": 4, "shadow": True},
        ]
        return chance.choice(free + of_object)

    def _opened(self) -> None:
        state = self._ask_state()
        self.first_revision = self.acknowledged = state["revision"]
        (self.entry,) = [path for path in self.unsaved.folder.iterdir() if _owner(path) == owner_of(self.key)]
        self.first_record = len(records(self.entry))
        self.opened.set()

    # ---- after its death

    def check(self, scratch: Path) -> int:
        """Whether all that was acknowledged is there, exactly; how many edits that were."""
        if self.entry is None:
            return 0
        edits = self.acknowledged - self.first_revision
        assert len(records(self.entry)) - self.first_record >= edits
        assert restore(self.entry).lost == 0
        revision = max(self.told)
        history = self._history_after(self.first_record + revision - self.first_revision, scratch)
        assert shown(history) == {name: self.told[revision][name] for name in TOLD} | {
            "objects": [{**item, "selected": False} for item in self.told[revision]["objects"]]
        }
        return edits

    def _history_after(self, count: int, scratch: Path) -> History:
        """The entry's history as it was when it had so many records."""
        assert self.entry is not None
        scratch.mkdir()
        (scratch / "blobs").symlink_to(self.entry / "blobs")
        (scratch / "000001.log").write_bytes(b"".join(map(encode_line, records(self.entry)[:count])))
        return restore(scratch).history


def records(entry: Path) -> list[dict]:
    """Steps and moves, in the order in which they were written."""
    lines = read_lines(max(entry.glob("*.log")).read_bytes())
    assert lines.damaged == 0
    return [record for record in lines.records if "project" in record or "show" in record]


def shown(history: History) -> dict[str, Any]:
    """What a page would be told."""
    project = project_state(history.project, None)
    state = SessionState(0, **project, steps=tuple(step.label for step in history.steps), step=history.index)  # type: ignore[arg-type]
    told = json.loads(json.dumps(snapshot(state)))
    return {name: told[name] for name in (*TOLD, "objects")}


def _owner(folder: Path) -> str:
    try:
        return (folder / "owner").read_text()
    except OSError:
        return ""


def live(act: Callable[[], None]) -> threading.Thread:
    """Do something until the server dies under it."""

    def run() -> None:
        with suppress(OSError, http.client.HTTPException):
            act()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_every_acknowledged_edit_is_back_after_each_of_fifty_kills(servers: Servers, tmp_path: Path):
    unsaved = Unsaved(tmp_path / "unsaved")
    chance = random.Random(16)
    chained: str | None = None
    edits = 0
    for life in range(KILLS):
        server = servers.start(unsaved.folder)
        tabs = [Tab(server, unsaved, random.Random(chance.random())) for _ in range(2)]

        def first(tab: Tab = tabs[0], life: int = life) -> None:
            tab.open_photo(f"photo{life}.png")
            tab.edit_until_it_dies()

        def second(tab: Tab = tabs[1], chained: str | None = chained) -> None:
            if chained is None:
                tab.open_photo("chained.png")
            else:
                tab.go_on(chained)
            tab.edit_until_it_dies()

        pages = [live(first), live(second)]
        if chance.random() < 0.8:
            assert all(tab.opened.wait(60) for tab in tabs)
        time.sleep(chance.uniform(0.0, LONGEST_LIFE))
        os.kill(server.process, signal.SIGKILL)
        for page in pages:
            page.join(60)
            assert not page.is_alive()
        edits += sum(tab.check(tmp_path / f"{life} {number}") for number, tab in enumerate(tabs))
        assert not any(work.held for work in unsaved.listed())
        if tabs[1].entry is not None:
            chained = tabs[1].entry.name
    assert edits > 2 * KILLS
