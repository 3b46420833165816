"""The session's state as JSON for the page's script."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.state import SessionState

if TYPE_CHECKING:
    from app.session import Session


def snapshot(state: SessionState) -> dict[str, Any]:
    """Plain values only; the same names as in SessionState."""
    return asdict(state)


def probe(session: "Session", x: float, y: float) -> dict[str, Any]:
    """What the picture holds at a pixel of it: depth (None where unknown) and whether it is invented."""
    frame, photo = session.frame, session.project.photo
    if frame is None:
        return {"depth": None, "invented": False}
    rows, columns = frame.invented.shape
    column, row = int((x + 0.5) * columns / photo.width), int((y + 0.5) * rows / photo.height)
    if not (0 <= row < rows and 0 <= column < columns):
        return {"depth": None, "invented": False}
    known = bool(frame.depth_valid[row, column])
    return {
        "depth": float(frame.depth[row, column]) if known else None,
        "invented": bool(frame.invented[row, column]),
    }


def arrows(session: "Session", across: int = 16) -> list[list[float]]:
    """A grid of moved pixels as [x, y, dx, dy], in shares of the picture's width."""
    import numpy as np

    frame = session.frame
    if frame is None:
        return []
    flow, visible = frame.flow.flow, frame.flow.visible
    rows, columns = visible.shape
    step = max(1, columns // across)
    found = []
    for row in range(step // 2, rows, step):
        for column in range(step // 2, columns, step):
            dx, dy = flow[row, column]
            if visible[row, column] and np.hypot(dx, dy) > 0.5:
                found.append([column / columns, row / columns, float(dx) / columns, float(dy) / columns])
    return found
