"""How soon after an edit the picture follows in the studio's session: first painted, finished, and stopped."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from app.services import Services
from app.session import Session
from benchmarks.workload import large_photo, tell
from core.editing.memo import Memo
from core.engines.registry import available
from core.files.picture import encode_picture_png, picture_of
from core.types.frame import Frame
from core.types.project import EngineChoice, Settings

_PATIENCE = 600.0
_SIZE = (2000, 1500)
_BEFORE_CANCEL = 1.2
# A quick hand's time from the click on an object to letting go of it elsewhere.
_DRAG = 2.0
ENGINES: tuple[EngineChoice, ...] = ("warp", "lras-small")
Edit = Callable[[Session], None]


def main() -> None:
    """A line for each engine that can run here and each kind of edit.

    Nothing of what is uncovered is known before, but where an object is moved after it was clicked, as by hand.
    """
    runnable = {info.name for info, why_not in available() if why_not is None}
    for engine in ENGINES:
        if engine not in runnable:
            continue
        session = _opened(engine)
        base = session.state.step
        moves: list[Edit] = [partial(_slide, right=right) for right in (0.05, 0.15, 0.3)]
        turns: list[Edit] = [partial(_orbit, yaw_deg=yaw) for yaw in (2.0, 5.0, 8.0)]
        tell("live", {"engine": engine, "edit": "move", **_figures(session, base, moves)})
        tell("live", {"engine": engine, "edit": "move soon after a click", **_figures(session, base, moves, _DRAG)})
        tell("live", {"engine": engine, "edit": "orbit", **_figures(session, base, turns)})
        session.close()


def _slide(session: Session, right: float) -> None:
    session.slide(session.project.scene.objects[0].id, right, 0.05)


def _orbit(session: Session, yaw_deg: float) -> None:
    session.orbit(yaw_deg, 0.0)


def _opened(engine: EngineChoice) -> Session:
    session = Session("bench", Services())
    session.open_photo(encode_picture_png(picture_of(large_photo(_SIZE))), "cup.png")
    session.wait_idle(_PATIENCE)
    session.click(0.45 * _SIZE[0], 0.5 * _SIZE[1])
    session.set_settings(Settings(engine))
    session.wait_idle(_PATIENCE)
    return session


def _figures(session: Session, base: int, edits: list[Edit], drag: float = 0.0) -> dict[str, object]:
    """Of every edit but the first, which warms up; `drag`: for how long painting has gone on by then."""
    runs = [_run(session, base, edit, drag) for edit in edits][1:]
    return {
        **{name: [round(run[name], 2) for run in runs] for name in runs[0]},
        "cancelled_s": round(_cancelled(session, base, edits[-1]), 2),
    }


def _run(session: Session, base: int, edit: Edit, drag: float) -> dict[str, float]:
    _forget(session, base)
    if drag:
        session.select(session.project.scene.objects[0].id)
        time.sleep(drag)
    seen: list[tuple[float, Frame]] = []
    begun = time.perf_counter()

    def note(_: object) -> None:
        frame = session.frame
        if frame is not None and (not seen or frame is not seen[-1][1]):
            seen.append((time.perf_counter() - begun, frame))

    unsubscribe = session.subscribe(note)
    edit(session)
    session.wait_idle(_PATIENCE)
    unsubscribe()
    painted = [when for when, frame in seen if drag or _differs(frame, seen[0][1])]
    return {
        "invented": float(seen[-1][1].invented.mean()),
        "first_s": seen[0][0],
        "painted_s": painted[0],
        "final_s": seen[-1][0],
        "pictures": float(len(seen)),
    }


def _differs(frame: Frame, first: Frame) -> bool:
    """Whether it shows more than the first, smooth guess."""
    return not np.array_equal(frame.pixels, first.pixels)


def _cancelled(session: Session, base: int, edit: Edit) -> float:
    _forget(session, base)
    edit(session)
    time.sleep(_BEFORE_CANCEL)
    begun = time.perf_counter()
    session.cancel()
    session.wait_idle(_PATIENCE)
    return time.perf_counter() - begun


def _forget(session: Session, base: int) -> None:
    """The photo as it was at a step, nothing of it painted yet."""
    session.select(None)
    session.goto(base)
    session.wait_idle(_PATIENCE)
    session.services.memo = Memo()


if __name__ == "__main__":
    main()
