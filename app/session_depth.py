"""Gestures that say how far things are: a file, a lens, the layout's lines, a brush, a known distance."""

import numpy as np

from app.session_core import SessionCore
from core.editing.layers import resized_coverage
from core.editing.measure import distance
from core.files.depth import read_depth
from core.maths import mask as masks
from core.maths.bands import reciprocal
from core.maths.camera import intrinsics_from_fov
from core.maths.depth_fit import fitted_to
from core.maths.retouch import Touch, retouched
from core.types import edits
from core.types.depth import DepthEstimate, Layout

# With fewer measured pixels than this a file tells distances, not shapes.
_SPARSE_SHARE = 0.25
_RETOUCHED = ", retouched"
_SOFT = 0.3  # share of the brush's radius that has its full strength
_DONE = {"push": "pushed back", "pull": "pulled nearer", "flatten": "flattened", "smooth": "smoothed"}


class DepthGestures(SessionCore):
    """Each gesture is one undo step."""

    def use_depth_file(self, source: bytes, name: str, units_per_scene_unit: float | None) -> None:
        """Take depth from a file of any size with the photo's shape; a sparse one sizes the depth there is."""
        depth = read_depth(source, units_per_scene_unit, name=name)
        project = self.project
        if depth.scale != "affine" and depth.valid.mean() < _SPARSE_SHARE:
            depth = fitted_to(project.depth, depth)
        estimate = self.services.geometry(project.photo, depth, project.scene.source_intrinsics)
        self._commit(depth_edit(estimate), f"Depth from {name}")

    def set_field_of_view(self, degrees: float) -> None:
        """Say how wide the photo's lens was (angle across the longer side)."""
        project = self.project
        intrinsics = intrinsics_from_fov(degrees, project.photo.width, project.photo.height)
        if project.layout is not None:
            estimate = self.services.layout_depth(project.photo, intrinsics, project.layout)
        else:
            estimate = self.services.geometry(project.photo, project.depth, intrinsics)
        self._commit(depth_edit(estimate), f"Field of view {degrees:g}°")

    def set_layout(self, horizon: float, ground_end: float) -> None:
        """Move the handles of the layout guess (fractions of the photo's height)."""
        project = self.project
        estimate = self.services.layout_depth(
            project.photo, project.scene.source_intrinsics, Layout(horizon, ground_end)
        )
        self._commit(depth_edit(estimate), "Layout moved")

    def retouch_depth(
        self, points: list[tuple[float, float]], radius: float, touch: Touch, strength: float = 0.5
    ) -> None:
        """Brush over the depth map, in photo pixels; within the selected object's mask if one is selected."""
        project, depth = self.project, self.project.depth
        photo = project.photo
        scale = depth.width / photo.width
        path = (np.array(points, np.float64) + 0.5) * scale - 0.5
        stroke = masks.stroke(path, max(radius * scale, 0.5), _SOFT, depth.width, depth.height)
        item = self.selected_object
        if item is not None:
            stroke = np.minimum(stroke, resized_coverage(item.mask, (depth.width, depth.height)))
        inverse = reciprocal(np.where(depth.valid, depth.values, np.float32(0)))
        weight = stroke.astype(np.float32) / np.float32(255)
        changed = retouched(inverse, depth.valid, weight, touch, strength, radius * scale)
        touched = depth.valid & (weight > 0) & (changed > 0)
        values = np.where(touched, reciprocal(changed), depth.values)
        source = depth.source if depth.source.endswith(_RETOUCHED) else depth.source + _RETOUCHED
        new = depth.changed(values, source=source)
        scene = project.scene
        self._commit(edits.SetDepth(new, scene.source_intrinsics, scene.ground), f"Depth {_DONE[touch]}")

    def measure(self, start: tuple[float, float], end: tuple[float, float]) -> float:
        """Scene units between what two photo pixels show."""
        return distance(self.project, start, end)

    def set_distance(self, start: tuple[float, float], end: tuple[float, float], metres: float) -> None:
        """Say how far apart two photo pixels really are: the scene is in metres from then on."""
        self._commit(edits.SetDistance(start, end, metres), f"Scaled to {metres:g} m")


def depth_edit(estimate: DepthEstimate) -> edits.SetDepth:
    """The edit that uses an estimate."""
    return edits.SetDepth(estimate.depth, estimate.intrinsics, estimate.ground, estimate.layout)
