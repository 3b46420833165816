"""What the studio hands to the browser: the shown step at full size, in any format of the one table."""

import time
from typing import TYPE_CHECKING, Any, cast, get_args

from app.export_jobs import Tell
from app.ui.text import say
from core.editing.takeaway import UNRENDERED, Alignment, Result, axes_of, selected_mask, take
from core.errors import InvalidInput
from core.files.cameras import CameraPath, CameraShot, stored_shots
from core.files.carrying import left_out
from core.files.formats import Format, Kind, as_download, formats_of, own_format
from core.files.privacy import private_project
from core.types.camera import Camera
from core.types.protocols import CancelToken

if TYPE_CHECKING:
    from app.session import Session
    from core.types.project import Project

_OWN = "own"
_PEELED: Kind = "peeled"


def export(
    session: "Session",
    kind: str,
    extension: str,
    cancel: CancelToken | None = None,
    aligned: Alignment | None = None,
    private: bool = False,
) -> tuple[str, bytes]:
    """File name and content. `extension` may also be a format's name, or "own" for a picture as it came.

    Formats of several files come as a ZIP; the session's state tells how far it is. `aligned` chooses the axes of what
    lies in space; `private` leaves out what says where, by whom and with which device the photo was taken. Raises
    InvalidInput for an unknown kind or format, when there is nothing of that kind (no photo, no
    object selected) and for a picture that the format cannot hold; EngineFailed as rendering does; Cancelled within a
    moment of `cancel` or of the session's own.
    """
    cancel = cancel or CancelToken()
    project = private_project(session.project) if private else session.project
    chosen = chosen_format(kind, extension, project)
    chosen.check_size(project.photo.width, project.photo.height)
    stem = chosen.export_stem(project.photo.name)
    if chosen.kind in UNRENDERED:
        value = _unrendered(session, project, chosen.kind, aligned)
        return session.exports.run(
            say("export.rendering"), None, lambda _: as_download(chosen.encode(value, stem), stem), cancel
        )
    peels = chosen.kind == _PEELED

    def make(tell: Tell) -> tuple[str, bytes]:
        made = session.peeled(project, tell, cancel) if peels else _rendered(session, project, cancel)
        tell(say("export.writing", format=chosen.title))
        begun = time.perf_counter()
        value = take(made, chosen.kind, aligned) if isinstance(made, Result) else made
        if (sentence := chosen.told(value)) is not None:
            session.tell(sentence)
        content = chosen.encode(value, stem)
        session.estimate.learn_writing(chosen.name, time.perf_counter() - begun, project.photo)
        return as_download(content, stem)

    expected = session.peeling_seconds(chosen.name) if peels else session.export_seconds(chosen.name)
    begins = say("export.peeling") if peels else say("export.rendering")
    return session.exports.run(begins, expected, make, cancel)


def left_behind(session: "Session", kind: str, extension: str) -> str:
    """What a picture of that format cannot hold of the photo's metadata, as a sentence; empty when nothing is lost."""
    chosen = chosen_format(kind, extension, session.project)
    photo = session.project.photo
    return " ".join(left_out(photo.metadata, chosen.name, photo.gray)) if chosen.kind == "picture" else ""


def _unrendered(session: "Session", project: "Project", kind: Kind, aligned: Alignment | None) -> Any:
    """The value for the kinds in `UNRENDERED`. Raises InvalidInput for a mask of no object."""
    if kind == "project":
        return project
    if kind == "mask":
        item = session.selected_object
        return selected_mask(project, None if item is None else item.id)
    return CameraPath(camera_shots(session, project), axes_of(kind, aligned))


def camera_shots(session: "Session", project: "Project") -> tuple[CameraShot, ...]:
    """The result's camera for its export in the photo's own format, and the photo's for the file that was opened."""
    own, scene, photo = own_format(project.photo.file_format), project.scene, project.photo
    result = CameraShot(own.names(own.export_stem(photo.name))[0], scene.camera)
    file = session.opened_file
    if file is None or file.photo_id != photo.id:
        return (result,)
    return result, *stored_shots(photo.name, Camera(scene.source_intrinsics), file.header)


def _rendered(session: "Session", project: "Project", cancel: CancelToken) -> Result:
    """The full-size frame with what it was made of."""
    engine, memo = session.services.engine(project.settings.engine), session.services.memo
    return Result(project, session.full_frame(project, cancel), engine, memo)


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
