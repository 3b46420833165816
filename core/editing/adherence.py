"""Does a picture show what was asked for? Masks and motion are estimated anew from it and compared with the edit.

Edit adherence as the LRAS paper measures it (overlap of the object, found again where it should stand, with where it
was sent), and two questions more: is it gone from where it stood, and has everything else moved as asked.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from core.editing.compositor import visible_coverage
from core.editing.layers import SourceView, cut_objects, drawn_objects, resized_coverage, source_view
from core.editing.memo import Memo
from core.editing.motion import camera_at_home, placed_objects
from core.files.profile import srgb_of
from core.maths.bands import reciprocal
from core.maths.clicks import deepest_point
from core.maths.mask import overlap
from core.maths.optical_flow import OpticalFlow, dense_inverse_search, near_enough
from core.types.flow import FlowField
from core.types.frame import Frame
from core.types.mask import Click, Prompt
from core.types.photo import Photo
from core.types.project import Project
from core.types.protocols import CancelToken, Embedding, SegmentationBackend

Picture = UInt8[np.ndarray, "H W 3"]
Area = Bool[np.ndarray, "H W"]

# Below this overlap in the photo itself, the back-end does not know the object and can tell nothing of it.
_KNOWN = 0.3
_LEAST_SHARE = 5e-4
_STILL_PIXELS = 0.5


@dataclass(frozen=True)
class Adherence:
    """Shares 0..1, None where there was nothing to ask.

    `found`: overlap of moved objects, clicked where they should stand, with where they were sent. `gone`: 1 less the
    overlap of what a click on an emptied place finds with the object's old outline. `moved`: pixels of the photo that
    the picture shows where the flow sends them. Overlaps are relative to what the same click finds in the photo.
    """

    found: float | None
    gone: float | None
    moved: float | None

    @property
    def score(self) -> float | None:
        """The mean of what could be asked."""
        told = [part for part in (self.found, self.gone, self.moved) if part is not None]
        return float(np.mean(told)) if told else None


def adherence(
    project: Project,
    frame: Frame,
    segmentation: SegmentationBackend,
    memo: Memo,
    cancel: CancelToken,
    optical_flow: OpticalFlow = dense_inverse_search,
) -> Adherence:
    """How far the frame is what the project asks for. Raises Cancelled between its questions."""
    height, width = frame.invented.shape
    view = source_view(project, (width, height), memo)
    icc_profile = project.photo.icc_profile
    source, result = srgb_of(view.pixels, icc_profile), srgb_of(frame.pixels, icc_profile)
    moved = motion_share(source, result, frame.flow, optical_flow)
    if not cut_objects(project) and not drawn_objects(project):
        return Adherence(None, None, moved)
    before = _Clicked(segmentation, source)
    cancel.check()
    after = _Clicked(segmentation, result)
    asked = _Asked(project, frame, view, memo, before, after)
    found = asked.found(cancel)
    return Adherence(found, asked.gone(cancel), moved)


def motion_share(source: Picture, result: Picture, asked: FlowField, optical_flow: OpticalFlow) -> float | None:
    """The share of moving, visible source pixels that the result shows where the field sends them.

    The result is brought back along the field; what motion is left must be within a pixel and 5 % of what was asked.
    None when nothing moves.
    """
    length = np.linalg.norm(asked.flow, axis=-1)
    shown = asked.visible & np.isfinite(length)
    moving = shown & (length > _STILL_PIXELS)
    if not moving.any():
        return None
    rows, columns = length.shape
    there = np.where(shown[..., None], asked.flow, np.float32(0))
    x = there[..., 0] + np.arange(columns, dtype=np.float32)
    y = there[..., 1] + np.arange(rows, dtype=np.float32)[:, None]
    back = cv2.remap(result, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    left = optical_flow(source, np.where(shown[..., None], back, source))
    return float(near_enough(left, length)[moving].mean())


class _Clicked:
    """A picture that a mask back-end has looked at."""

    def __init__(self, segmentation: SegmentationBackend, picture: Picture) -> None:
        self._segmentation = segmentation
        self._embedding: Embedding = segmentation.prepare(Photo("edited picture", picture, picture))

    def overlap(self, area: Area) -> float:
        """How much of `area` a click into its middle finds."""
        prompt = Prompt(clicks=(Click(*deepest_point(area)),))
        found = self._segmentation.segment(self._embedding, prompt)[0]
        return overlap(found.coverage >= 128, area)


@dataclass(frozen=True, eq=False)
class _Asked:
    """The two questions about objects."""

    project: Project
    frame: Frame
    view: SourceView
    memo: Memo
    before: _Clicked
    after: _Clicked

    def found(self, cancel: CancelToken) -> float | None:
        nearest = reciprocal(self.frame.depth)
        told = []
        for item, sprite in placed_objects(self.project, drawn_objects(self.project), self.view, self.memo):
            cancel.check()
            where = np.zeros(nearest.shape, bool)
            where[sprite.window] = visible_coverage(sprite, nearest[sprite.window]) >= 128
            known = self._known(resized_coverage(item.mask, self.view.size) >= 128)
            if where.mean() >= _LEAST_SHARE and known is not None:
                told.append(min(1.0, self.after.overlap(where) / known))
        return float(np.mean(told)) if told else None

    def gone(self, cancel: CancelToken) -> float | None:
        if not camera_at_home(self.project.scene):
            return None
        told = []
        for item in cut_objects(self.project):
            cancel.check()
            stood = resized_coverage(item.mask, self.view.size) >= 128
            emptied = stood & ~self.frame.moved
            known = self._known(stood)
            if 2 * emptied.sum() >= stood.sum() and known is not None:
                told.append(1 - min(1.0, self.after.overlap(emptied) / known))
        return float(np.mean(told)) if told else None

    def _known(self, area: Area) -> float | None:
        if area.mean() < _LEAST_SHARE:
            return None
        found = self.before.overlap(area)
        return found if found >= _KNOWN else None
