"""What the page draws of the photo's proposed objects."""

from typing import TYPE_CHECKING, Any

import cv2

from core.maths.mask import outline
from core.perception.everything import Proposal

if TYPE_CHECKING:
    from app.session import Session

# From this overlap on an object is the proposal that was taken.
_TAKEN = 0.7


def proposals_in_view(session: "Session") -> list[dict[str, Any]]:
    """Index, polygons in photo pixels and area in square pixels of every proposal that is no object yet."""
    width = session.project.photo.width
    return [
        {"index": index, "outline": _outline(proposal, width), "area": float((proposal.coverage >= 128).sum())}
        for index, proposal in enumerate(session.proposals)
        if not _is_taken(session, proposal)
    ]


def _outline(proposal: Proposal, photo_width: int) -> list[list[tuple[float, float]]]:
    enlarge = photo_width / proposal.coverage.shape[1]
    shapes = ((shape + 0.5) * enlarge - 0.5 for shape in outline(proposal.coverage))
    return [[(float(x), float(y)) for x, y in shape] for shape in shapes]


def _is_taken(session: "Session", proposal: Proposal) -> bool:
    rows, columns = proposal.coverage.shape
    proposed = proposal.coverage >= 128
    for item in session.project.scene.objects:
        taken = cv2.resize(item.mask.coverage, (columns, rows), interpolation=cv2.INTER_AREA) >= 128
        if (taken & proposed).sum() >= _TAKEN * max(1, (taken | proposed).sum()):
            return True
    return False
