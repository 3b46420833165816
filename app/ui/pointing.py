"""From a place in the shown picture back to the photo: what a click means after things have moved."""

from typing import TYPE_CHECKING

import numpy as np

from core.errors import InvalidInput
from core.types.scene import SceneObject

if TYPE_CHECKING:
    from app.session import Session

# A source pixel counts as shown at a place when it lands within this many frame pixels of it.
_REACH = 1.5


def click(session: "Session", x: float, y: float, positive: bool, refine: bool) -> None:
    """A click in the picture: select the object shown there, cut out a new one, or refine the selected one.

    `refine` adds to the selected object even where another one is shown.
    Raises InvalidInput on an invented pixel.
    """
    photo_x, photo_y = photo_pixel(session, x, y)
    shown, selected = _shown_at(session, photo_x, photo_y), session.selected_object
    if positive and not refine and shown is not None:
        session.select(shown.id)
        return
    if positive and selected is not None and not selected.is_untouched:
        session.select(None)
    session.click(photo_x, photo_y, positive)


def photo_pixel(session: "Session", x: float, y: float) -> tuple[float, float]:
    """The photo pixel that the picture shows at (x, y). Raises InvalidInput where it shows none."""
    frame, project = session.frame, session.project
    if frame is None or len(session.state.steps) == 1:
        return x, y
    flow, visible = frame.flow.flow, frame.flow.visible
    rows, columns = visible.shape
    scale_x, scale_y = columns / project.photo.width, rows / project.photo.height
    here_x, here_y = (x + 0.5) * scale_x - 0.5, (y + 0.5) * scale_y - 0.5
    row, column = np.indices(visible.shape, dtype=np.float32)
    apart = np.hypot(column + flow[..., 0] - np.float32(here_x), row + flow[..., 1] - np.float32(here_y))
    apart = np.where(visible & np.isfinite(apart), apart, np.inf)
    nearest = int(np.argmin(apart))
    if apart.flat[nearest] > _REACH:
        raise InvalidInput("The picture is invented here; click on something that the photo shows.")
    found_row, found_column = divmod(nearest, columns)
    return (found_column + 0.5) / scale_x - 0.5, (found_row + 0.5) / scale_y - 0.5


def require_photo_view(session: "Session") -> None:
    """Raises InvalidInput unless the picture is taken by the photo's own camera."""
    if not session.state.camera.at_home:
        raise InvalidInput("Areas are drawn on the photo itself; press Home to go back to its view first.")


def _shown_at(session: "Session", x: float, y: float) -> SceneObject | None:
    column, row = round(x), round(y)
    for item in reversed(session.project.scene.objects):
        rows, columns = item.mask.coverage.shape
        if item.hidden or not (0 <= row < rows and 0 <= column < columns):
            continue
        if item.mask.coverage[row, column] >= 128:
            return item
    return None
