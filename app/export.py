"""What the studio hands to the browser: the shown step at full size, in any format of the one table."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from app.export_jobs import Tell
from app.ui.text import say
from core.editing.takeaway import UNRENDERED, Result, take, take_unrendered
from core.errors import InvalidInput
from core.files.formats import Format, Kind, as_download, formats_of, own_format
from core.types.protocols import CancelToken

if TYPE_CHECKING:
    from app.session import Session
    from core.types.project import Project

_OWN = "own"
_PEELED: Kind = "peeled"


def export(session: "Session", kind: str, extension: str, cancel: CancelToken | None = None) -> tuple[str, bytes]:
    """File name and content. `extension` may also be a format's name, or "own" for a picture as it came.

    Formats of several files come as a ZIP; the session's state tells how far it is. Raises InvalidInput for an
    unknown kind or format, or when there is nothing of that kind (no photo, no object selected); EngineFailed as
    rendering does; Cancelled within a moment of `cancel` or of the session's own.
    """
    cancel = cancel or CancelToken()
    project = session.project
    chosen = chosen_format(kind, extension, project)
    peels = chosen.kind == _PEELED
    stem = f"{Path(project.photo.name).stem}-{'peeled' if peels else 'edited'}"
    item = session.selected_object

    def make(tell: Tell) -> tuple[str, bytes]:
        if chosen.kind in UNRENDERED:
            value = take_unrendered(project, chosen.kind, stem, None if item is None else item.id)
            return as_download(chosen.encode(value, stem), stem)
        made = (_peeled if peels else _rendered)(session, project, chosen.kind, tell, cancel)
        tell(say("export.writing", format=chosen.title))
        begun = time.perf_counter()
        content = chosen.encode(made(), stem)
        session.estimate.learn_writing(chosen.name, time.perf_counter() - begun, project.photo)
        return as_download(content, stem)

    if chosen.kind in UNRENDERED:
        expected = None
    else:
        expected = session.peeling_seconds(chosen.name) if peels else session.export_seconds(chosen.name)
    begins = say("export.peeling", share="0%") if peels else say("export.rendering")
    return session.exports.run(begins, expected, make, cancel)


def _rendered(
    session: "Session", project: "Project", kind: Kind, _tell: Tell, cancel: CancelToken
) -> Callable[[], Any]:
    """What takes the value from the full-size frame, once that is made."""
    engine, memo = session.services.engine(project.settings.engine), session.services.memo
    frame = session.full_frame(project, cancel)
    return lambda: take(Result(project, frame, engine, memo), kind)


def _peeled(session: "Session", project: "Project", _kind: Kind, tell: Tell, cancel: CancelToken) -> Callable[[], Any]:
    made = session.peeled(project, tell, cancel)
    return lambda: made


def chosen_format(kind: str, extension: str, project: "Project") -> Format:
    """Raises InvalidInput listing what there is."""
    if kind not in get_args(Kind):
        raise InvalidInput(f"There is no export called {kind!r}; choose one of {', '.join(get_args(Kind))}.")
    if kind == "picture" and extension == _OWN:
        return own_format(project.photo.file_format)
    offered = formats_of(cast(Kind, kind))
    for item in offered:
        if extension == item.name or extension.lower() in item.extensions:
            return item
    known = ", ".join(item.name for item in offered)
    raise InvalidInput(f"A {kind} cannot be written as {extension!r}; choose one of {known}.")
