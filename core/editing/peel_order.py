"""Which of a photo's objects stands before which."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from core.editing.layers import object_at_rest
from core.maths.occlusion import before_at_border, front_to_back
from core.maths.sizes import size_within
from core.types.project import Project
from core.types.protocols import CancelToken
from core.types.scene import SceneObject

_COMPARED = 384  # longer side, in pixels, at which objects are compared
_REACH_SHARE = 0.012  # of the longer side: how far from a shared border depth still speaks of it
_WITHIN = 0.8  # share of an object inside a larger one from which it is a part of it, and stands before the rest
_CERTAIN = 1e3


@dataclass(frozen=True, eq=False)
class _Seen:
    """An object as it is compared."""

    inside: Bool[np.ndarray, "h w"]
    inverse_depth: Float32[np.ndarray, "h w"]

    @property
    def nearness(self) -> float:
        return float(np.median(self.inverse_depth[self.inside])) if self.inside.any() else 0.0


def ordered_objects(project: Project, cancel: CancelToken) -> list[SceneObject]:
    """The objects cut out of the photo, front to back as it shows them, without copies. Raises Cancelled.

    Two that touch are told apart by the depth on both sides of their border; the rest follows its own median depth.
    """
    items = [item for item in project.scene.objects if item.copy_of is None]
    size = size_within(project.photo.width, project.photo.height, _COMPARED)
    seen = []
    for item in items:
        cancel.check()
        at_rest = object_at_rest(project, item.mask)
        inside = cv2.resize(at_rest.coverage, size, interpolation=cv2.INTER_AREA) >= 128
        seen.append(_Seen(inside, cv2.resize(at_rest.inverse_depth, size, interpolation=cv2.INTER_AREA)))
    reach = max(2, round(_REACH_SHARE * max(size)))
    before = np.zeros((len(seen), len(seen)))
    for i, first in enumerate(seen):
        for j, second in enumerate(seen[:i]):
            cancel.check()
            before[i, j] = _before(first, second, reach)
            before[j, i] = -before[i, j]
    return [items[i] for i in front_to_back(np.array([one.nearness for one in seen], np.float64), before)]


def _before(first: _Seen, second: _Seen, reach: int) -> float:
    common = np.count_nonzero(first.inside & second.inside)
    areas = np.count_nonzero(first.inside), np.count_nonzero(second.inside)
    if common > _WITHIN * min(areas):
        return _CERTAIN if areas[0] < areas[1] else -_CERTAIN
    return before_at_border(first.inside, first.inverse_depth, second.inside, second.inverse_depth, reach)
