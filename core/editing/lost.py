"""Edits that leave next to nothing of what they act on: told, not refused, for they may be meant."""

import cv2
import numpy as np
from jaxtyping import Float32

from core.editing.compositor import Sprite, visible_coverage
from core.editing.layers import source_view, working_size
from core.editing.memo import Memo
from core.editing.motion import camera_at_home, is_edited, placed_objects
from core.types.frame import Frame
from core.types.project import Project
from core.types.scene import SceneObject

_LOOKED_AT_SIDE = 512
_LEAST_OF_FRAME = 1e-4
_LEAST_OF_PHOTO = 0.02
_ALL_OF_FRAME, _ALL_OF_PHOTO = 0.99, 0.9


def lost_in(project: Project, frame: Frame, memo: Memo) -> list[str]:
    """Sentences on objects that the frame does not show though they are not removed, or that hide all else.

    And on a frame that shows next to nothing of the photo, or its back.
    """
    shown = [item for item in project.scene.objects if not item.hidden]
    if not shown or not is_edited(project) or project.flow_override is not None:
        return _little_left(project, frame)
    view = source_view(project, working_size(project, _LOOKED_AT_SIDE), memo)
    width, height = view.size
    nearest = np.zeros((height, width), np.float32)
    depth = cv2.resize(frame.depth, view.size, interpolation=cv2.INTER_NEAREST)
    np.divide(1.0, depth, out=nearest, where=depth > 0)
    areas = {item.id: _area(sprite, nearest) for item, sprite in placed_objects(project, shown, view, memo)}
    gone = [item.label for item in shown if areas.get(item.id, 0) < _LEAST_OF_FRAME * width * height]
    unseen = [f"{label} is out of view, hidden or tiny in the result; move it less." for label in gone]
    filling = [
        f"{item.label} fills the whole result and hides all else; scale it less or move it away."
        for item in shown
        if areas.get(item.id, 0) > _ALL_OF_FRAME * width * height and _share(item) < _ALL_OF_PHOTO
    ]
    return unseen + filling + _little_left(project, frame)


def _share(item: SceneObject) -> float:
    """How much of the photo an object covers."""
    return float((item.mask.coverage >= 128).mean())


def _area(sprite: Sprite, nearest: Float32[np.ndarray, "H W"]) -> int:
    return int((visible_coverage(sprite, nearest[sprite.window]) >= 128).sum())


def _little_left(project: Project, frame: Frame) -> list[str]:
    behind = project.scene.camera.camera_from_world.matrix[2, 2] < 0
    if behind and project.flow_override is None:
        return ["The camera looks back at the photo, which knows nothing of its scene from behind; turn it less."]
    left = 1 - float(frame.invented.mean())
    if left >= _LEAST_OF_PHOTO:
        return []
    reason = "" if camera_at_home(project.scene) else ": the camera looks past the scene or stands beyond it"
    return [f"{100 * left:.2g} % of the result comes from the photo{reason}."]
