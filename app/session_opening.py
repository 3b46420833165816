"""Photos, samples and projects coming in: the newest wins, and everybody who looks is told what is waited for."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.export_jobs import Tell
from app.history_journal import Restored
from app.session_models import ModelGestures
from app.ui.text import say
from app.unsaved import Entry
from core.editing.apply import new_project
from core.editing.history import History
from core.errors import Cancelled, EditorError
from core.files.embedded_depth import embedded_depth
from core.files.header import Header, read_header
from core.files.photo import open_photo
from core.files.project import load_project
from core.files.samples import open_sample
from core.perception.registry import preferred_depth
from core.types.camera import Intrinsics
from core.types.depth import DepthMap
from core.types.photo import Photo
from core.types.protocols import CancelToken

Value = TypeVar("Value")
Source = tuple[Photo, DepthMap | None, Intrinsics | None]


@dataclass(frozen=True)
class OpenedFile:
    """Which photo came from a file of its own, and that file's header."""

    photo_id: str
    header: Header | None


class OpeningGestures(ModelGestures):
    """Each returns when the photo is there; its last failure stays in the state until the next one begins.

    Each raises InvalidInput for what cannot be opened, and Cancelled when it was stopped or another one began.
    """

    opened_file: OpenedFile | None = None

    def open_photo(self, source: bytes | Path, name: str) -> None:
        """Open a picture file; depth that came inside it is used."""

        def read() -> Source:
            photo = open_photo(source, name)
            self.opened_file = OpenedFile(photo.id, read_header(source))
            return photo, embedded_depth(source), None

        self._open_source(name, read)

    def open_sample(self, name: str) -> None:
        """Open one of the samples."""
        self._open_source(name, lambda: open_sample(name))

    def load_project(self, source: Path | bytes, name: str = "") -> None:
        """Continue a saved project."""
        name = name or say("top.project")

        def work(tell: Tell) -> None:
            project = load_project(source, called=name)
            tell(say("status.opening", name=name))
            self._replace_history(History.begin(project, "Opened project"))

        self._opened(name, work)

    def resume(self, take: Callable[[], tuple[Entry, Restored]]) -> None:
        """Go on with the unsaved work that `take` brings, where it was left; what it took is never given up again.

        Listeners hear of steps that could not be read.
        """

        def work(_: Tell) -> None:
            entry, restored = take()
            self._replace_history(restored.history, entry)
            if restored.lost:
                self.report(say("unsaved.lost", name=restored.history.project.photo.name, count=restored.lost))

        self._opened(say("unsaved.work"), work)

    def receiving(self, name: str) -> AbstractContextManager[Callable[[float], None]]:
        """While inside, a file is on its way; the value tells the share that has come, and raises Cancelled."""
        return self.openings.shown(say("status.receiving", name=name), CancelToken())

    def _open_source(self, name: str, read: Callable[[], Source]) -> None:
        quick, named = preferred_depth(), self.services.depth_backend

        def work(tell: Tell) -> tuple[Photo, bool]:
            photo, depth, intrinsics = read()
            if depth is None:
                tell(say("status.estimating", name=name))
            with self.in_turn():
                estimate = self.services.geometry(photo, depth, intrinsics, quick)
            tell(say("status.opening", name=name))
            self._untold = photo.notices
            self._replace_history(History.begin(new_project(photo, estimate)))
            return photo, depth is None

        photo, is_estimated = self._opened(name, work)
        if is_estimated and named not in (None, quick):
            # It may take a minute: the photo is there meanwhile, with depth that says what it is.
            self.use_depth_backend(named)
        threading.Thread(target=self._prepare_clicks, args=(photo,), name="embedding").start()

    def _opened(self, name: str, work: Callable[[Tell], Value]) -> Value:
        self.openings.cancel()
        self._not_opened = None
        try:
            return self.openings.run(say("status.opening", name=name), None, work, CancelToken())
        except Cancelled:
            raise
        except EditorError as refusal:
            self._not_opened = str(refusal)
            self._notify("progress")
            raise
