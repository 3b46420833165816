"""Pictures that only a drag in the page needs: the object in the hand and what lies behind it."""

from typing import TYPE_CHECKING

import cv2
import numpy as np
from jaxtyping import UInt8

from app import pictures
from app.ui.hand import Cutout
from core.editing.apply import apply
from core.editing.render import render
from core.types.edits import HideObject
from core.types.project import Project

if TYPE_CHECKING:
    from app.session import Session

BEHIND_SIDE = 960


def behind(session: "Session", object_id: str) -> bytes:
    """JPEG of the picture without one object, as good as it is to be had at once."""
    project = session.project
    project.scene.object(object_id)
    without: Project = apply(project, HideObject(object_id))
    memo, photo = session.services.memo, project.photo
    engine = session.services.engine(project.settings.engine)
    # The first frame is a quick guess, or the final one when this plate is already known.
    frame = next(render(without, engine, memo, BEHIND_SIDE))
    return _jpeg(pictures.frame_srgb(frame, photo))


def cutout_png(cut: Cutout) -> bytes:
    """PNG with alpha."""
    _, encoded = cv2.imencode(".png", cv2.cvtColor(cut.rgba, cv2.COLOR_RGBA2BGRA), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()


def _jpeg(rgb: UInt8[np.ndarray, "H W 3"]) -> bytes:
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
    return encoded.tobytes()
