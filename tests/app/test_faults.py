"""Jobs that fail, run out of memory, are stopped or die with the process: the session and its work live on."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from fakes import FlatEngine
from serving import wait_until
from test_session_finding import PATIENCE, DrawnServices

from app.pictures import behind
from app.session import Session
from app.state import Event
from app.unsaved import Unsaved
from core.editing.memo import Memo
from core.errors import Cancelled, EngineFailed
from core.files.png import encode_png
from core.types.protocols import CancelToken, EngineRequest, EngineUpdate

ROOT = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 120, 80
CARD = np.s_[20:60, 30:90]


class Moody(FlatEngine):
    """Fails as it is told, and waits while it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.waits = False
        self.begun = threading.Event()

    def render(self, request: EngineRequest, cancel: CancelToken) -> Iterator[EngineUpdate]:
        self.begun.set()
        while self.waits:
            cancel.check()
            time.sleep(0.01)
        if self.failure is not None:
            raise self.failure
        yield from super().render(request, cancel)


class MoodyServices(DrawnServices):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.painter = Moody()

    def engine(self, choice: str) -> Moody:
        return self.painter


@pytest.fixture
def services() -> MoodyServices:
    return MoodyServices()


@pytest.fixture
def session(services: MoodyServices) -> Iterator[Session]:
    opened = with_card(Session("one", services))
    yield opened
    opened.close()


def with_card(session: Session) -> Session:
    pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    pixels[CARD] = (200, 70, 50)
    session.open_photo(encode_png(pixels), "wall.png")
    session.click(60, 40)
    assert session.wait_idle(PATIENCE)
    forget_what_was_painted_ahead(session)
    return session


def forget_what_was_painted_ahead(session: Session) -> None:
    painter = session.services.engine("auto")
    assert isinstance(painter, Moody)
    wait_until(lambda: bool(painter.requests))
    session.select(None)
    session.services.memo = Memo()
    painter.begun.clear()


def opencv_without_memory() -> cv2.error:
    failure = cv2.error("Insufficient memory")
    failure.code = -4
    return failure


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (MemoryError(), "not enough memory"),
        (opencv_without_memory(), "not enough memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "not enough memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "not enough memory"),
        (EngineFailed("The network has no weights; fetch them."), "fetch them"),
        (RuntimeError("secret"), "reference"),
    ],
)
def test_a_failed_job_is_one_sentence_and_the_next_one_runs(
    session: Session, services: MoodyServices, failure: Exception, words: str
) -> None:
    heard: list[Event] = []
    session.subscribe(heard.append)
    good = session.frame
    services.painter.failure = failure
    card = session.project.scene.objects[0].id
    session.remove(card)
    assert session.wait_idle(PATIENCE)
    (error,) = [event for event in heard if event.kind == "error"]
    assert words in error.message
    assert "secret" not in error.message
    session.undo()
    assert session.wait_idle(PATIENCE)
    assert good is not None
    assert session.frame is not None
    assert np.array_equal(session.frame.pixels, good.pixels)
    services.painter.failure = None
    session.redo()
    assert session.wait_idle(PATIENCE)
    assert session.frame is not None
    assert session.frame.invented.any()


def test_one_sessions_stuck_job_holds_nobody_else_up(session: Session, services: MoodyServices) -> None:
    services.painter.waits = True
    session.remove(session.project.scene.objects[0].id)
    assert services.painter.begun.wait(PATIENCE)
    other = Session("two", services)
    other.open_sample("coffee")
    assert other.state.photo_name is not None
    session.cancel()
    assert session.wait_idle(PATIENCE)
    services.painter.waits = False
    session.refresh()
    assert session.wait_idle(PATIENCE)
    assert session.frame is not None
    assert session.frame.stage == "final"
    other.close()


def test_closing_a_session_ends_what_its_page_waits_for(session: Session, services: MoodyServices) -> None:
    services.painter.waits = True
    ended: list[str] = []

    def wait() -> None:
        try:
            behind(session, session.project.scene.objects[0].id, final=True)
        except Cancelled:
            ended.append("stopped")

    page = threading.Thread(target=wait)
    page.start()
    assert services.painter.begun.wait(PATIENCE)
    session.close()
    page.join(PATIENCE)
    assert ended == ["stopped"]


def test_a_killed_server_loses_only_the_job_that_ran(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from test_faults import MoodyServices, with_card
        from app.store import SessionStore

        session = with_card(SessionStore(MoodyServices(), Path(sys.argv[1])).create())
        services = session.services
        services.painter.waits = True
        session.remove(session.project.scene.objects[0].id)
        services.painter.begun.wait()
        print("at work", flush=True)
        time.sleep(600)
        """
    )
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "tests", ROOT / "tests" / "app")))
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline().strip() == "at work"
        server.send_signal(signal.SIGKILL)
    unsaved = Unsaved(tmp_path)
    (kept,) = unsaved.listed()
    project = unsaved.read(kept.id).project
    assert [item.hidden for item in project.scene.objects] == [True]
    assert project.photo.pixels.shape == (HEIGHT, WIDTH, 3)
