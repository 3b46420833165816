"""Which of the objects that were found in a photo are worth a layer each, and how they share its pixels."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.editing.apply import apply_all
from core.editing.layers import resized_coverage, rim_width
from core.editing.peel_order import ordered_objects
from core.errors import InvalidInput
from core.maths.depth import inverse_depth
from core.maths.mask import HALF, clean, inside, widened
from core.perception.everything import Proposal
from core.types.depth import DepthMap
from core.types.edits import AddObject, RenameObject
from core.types.mask import Mask
from core.types.project import Project
from core.types.protocols import CancelToken

MOST_OBJECTS = 8
LARGEST_NUMBER = 64

_FOUND = "found-"

_SURE = 0.28  # rating from which a proposal is taken
_PART = 0.8  # share of the smaller mask within the larger one from which it is a part of it
_LEFT = 0.5  # share of a whole that its parts must leave: more of them say nothing that the whole does not
_WHOLE = 0.7  # a whole that is less sure than this, compared with such parts, does not take their place
_BESIDE, _STEP = 8, 1.03  # pixels beside their border, and ratio of depths there, that part an object from another
_SMALLEST = 0.003  # share of the photo


def check_number(most: int) -> None:
    """Raises InvalidInput for a number of objects that cannot be peeled off."""
    if not 1 <= most <= LARGEST_NUMBER:
        raise InvalidInput(f"The number of objects must lie between 1 and {LARGEST_NUMBER}, got {most}.")


def with_found_objects(project: Project, found: Sequence[Proposal], most: int = MOST_OBJECTS) -> Project:
    """The project with at most `most` of the proposals (surest first) cut out too; the rest stays in the background.

    A part and its whole are two objects where the part leaves half of the whole and, in measured depth, stands before
    it; else only the whole is one. Raises InvalidInput when nothing sure enough was found.
    """
    check_number(most)
    chosen = _chosen(project.depth, _unlike(project, found), most)
    masks = _shared_out([proposal.mask_for(project.photo) for proposal in chosen])
    if not masks and not project.scene.objects:
        raise InvalidInput("No object stands out in this photo clearly enough; cut one out by a click or give a mask.")
    added = [AddObject(f"{_FOUND}{n}", mask, f"{_FOUND}{n}") for n, mask in enumerate(masks)]
    return _numbered(apply_all(project, added))


def _numbered(project: Project) -> Project:
    """Found objects named by number from front to back."""
    order = ordered_objects(project, CancelToken())
    names = [item.id for item in order if item.id.startswith(_FOUND)]
    return apply_all(project, [RenameObject(name, f"Object {n + 1}") for n, name in enumerate(names)])


def _unlike(project: Project, found: Sequence[Proposal]) -> list[Proposal]:
    """Proposals that are not already cut out, nor a part of what is."""
    kept = []
    for proposal in found:
        height, width = proposal.coverage.shape
        own = inside(proposal.coverage)
        taken = [inside(resized_coverage(item.mask, (width, height))) for item in project.scene.objects]
        if all(np.count_nonzero(own & other) < _PART * np.count_nonzero(own) for other in taken):
            kept.append(proposal)
    return kept


def _chosen(depth: DepthMap, found: Sequence[Proposal], most: int) -> list[Proposal]:
    """The surest that are large enough and neither another's parts nor its rest."""
    inverse = _measured(depth, found)
    kept: list[Proposal] = []
    for proposal in found:
        if len(kept) == most or proposal.rating < _SURE:
            break
        if inside(proposal.coverage).mean() < _SMALLEST:
            continue
        parts = [other for other in kept if _is_part(other, proposal)]
        if not _is_left(proposal, parts) or any(_is_flush(part, proposal, inverse) for part in parts):
            if proposal.rating < _WHOLE * max(part.rating for part in parts):
                continue
            kept = [other for other in kept if other not in parts]
        wholes = [other for other in kept if _is_part(proposal, other)]
        if any(_is_flush(proposal, whole, inverse) for whole in wholes):
            continue
        if all(_is_left(whole, [part for part in (*kept, proposal) if _is_part(part, whole)]) for whole in wholes):
            kept.append(proposal)
    return kept


def _measured(depth: DepthMap, found: Sequence[Proposal]) -> Float32[np.ndarray, "h w"] | None:
    """Inverse depth at the proposals' size where it is good enough to tell a part from its whole."""
    if not found or depth.tolerance or depth.upright_objects:
        return None
    height, width = found[0].coverage.shape
    return inverse_depth(depth, width, height)


def _is_flush(part: Proposal, whole: Proposal, inverse: Float32[np.ndarray, "h w"] | None) -> bool:
    """Whether a part is known not to stand before the rest of its whole."""
    if inverse is None:
        return False
    own = inside(part.coverage)
    rest = inside(whole.coverage) & ~own
    before, behind = widened(rest, _BESIDE) & own, widened(own, _BESIDE) & rest
    if not (before.any() and behind.any()):
        return False
    return float(np.median(inverse[before])) < _STEP * float(np.median(inverse[behind]))


def _is_part(part: Proposal, whole: Proposal) -> bool:
    own, other = inside(part.coverage), inside(whole.coverage)
    area = np.count_nonzero(own)
    return bool(area < np.count_nonzero(other) and np.count_nonzero(own & other) >= _PART * area)


def _is_left(whole: Proposal, parts: list[Proposal]) -> bool:
    """Whether enough is left of it without its parts."""
    left = inside(whole.coverage).copy()
    area = np.count_nonzero(left)
    for part in parts:
        left &= ~inside(part.coverage)
    return bool(np.count_nonzero(left) >= _LEFT * area)


def _shared_out(masks: list[Mask]) -> list[Mask]:
    """The masks without specks; what a part leaves of its whole only as a thin line beside it is the part's.

    At the photo's own size nothing may be left of one.
    """
    if not masks:
        return []
    height, width = masks[0].coverage.shape
    rim = rim_width((width, height))
    shapes = [clean(mask.coverage, _SMALLEST * height * width / 4) for mask in masks]
    areas = [np.count_nonzero(inside(shape)) for shape in shapes]
    for small in sorted(range(len(shapes)), key=lambda i: areas[i]):
        for large in range(len(shapes)):
            common = np.count_nonzero(inside(shapes[small]) & inside(shapes[large]))
            if areas[large] > areas[small] and common >= _PART * areas[small]:
                line = _thin_rest(shapes[large], shapes[small], rim)
                shapes[small] = np.where(line, np.maximum(shapes[small], shapes[large]), shapes[small])
    shared = zip(masks, shapes, strict=True)
    return [replace(mask, coverage=shape, id="") for mask, shape in shared if inside(shape).any()]


def _thin_rest(whole: UInt8[np.ndarray, "H W"], part: UInt8[np.ndarray, "H W"], rim: int) -> Bool[np.ndarray, "H W"]:
    """Pixels of the whole beside the part, in lines of less than two rims' width."""
    rest = (whole > 0) & (part < HALF)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
    thick = cv2.morphologyEx(rest.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0
    return rest & ~thick & widened(inside(part), 2 * rim)
