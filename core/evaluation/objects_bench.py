"""How many of a photo's known objects are among those proposed all at once."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.evaluation.mask_set import KnownPhoto, known_photos
from core.maths.mask import overlap
from core.perception.everything import find_objects
from core.types.protocols import CancelToken, SegmentationBackend

_FOUND, _FOUND_WELL = 0.5, 0.75


@dataclass(frozen=True)
class ObjectsRow:
    """One back-end on one photo: the best overlap (0..1) that any proposal has with each known object."""

    backend: str
    source: str
    file: str
    overlaps: tuple[float, ...]
    proposals: int
    seconds: float


def run_objects_bench(
    backends: Sequence[SegmentationBackend], folder: Path, photos_per_source: int = 15, smallest: float = 0.005
) -> Iterator[ObjectsRow]:
    """Rows for photos with objects of at least `smallest` of the picture. Raises InvalidInput without an index."""
    for known in known_photos(folder, photos_per_source):
        wanted = known.object_ids(smallest)
        if wanted:
            yield from (_row(backend, known, wanted) for backend in backends)


def objects_report(rows: list[ObjectsRow]) -> list[dict[str, str | float]]:
    """Shares of the known objects found, proposals and seconds a photo, per source and for all."""
    groups: dict[tuple[str, str], list[ObjectsRow]] = defaultdict(list)
    for row in rows:
        groups[row.source, row.backend].append(row)
    for row in rows:
        groups["all", row.backend].append(row)
    lines: list[dict[str, str | float]] = []
    for (source, backend), group in groups.items():
        overlaps = np.array([overlap for row in group for overlap in row.overlaps])
        lines.append(
            {
                "source": source,
                "backend": backend,
                "objects": float(overlaps.size),
                f"found@{_FOUND:g}": float((overlaps >= _FOUND).mean()),
                f"found@{_FOUND_WELL:g}": float((overlaps >= _FOUND_WELL).mean()),
                "proposals": float(np.mean([row.proposals for row in group])),
                "seconds": float(np.mean([row.seconds for row in group])),
            }
        )
    return lines


def _row(backend: SegmentationBackend, known: KnownPhoto, wanted: list[int]) -> ObjectsRow:
    started = time.perf_counter()
    proposals = find_objects(backend, known.photo, CancelToken())
    seconds = time.perf_counter() - started
    masks = [proposal.mask_for(known.photo).coverage >= 128 for proposal in proposals]
    best = tuple(
        max((overlap(mask, known.ids == object_id, known.counted) for mask in masks), default=0.0)
        for object_id in wanted
    )
    return ObjectsRow(backend.info.name, known.source, known.file, best, len(proposals), seconds)
