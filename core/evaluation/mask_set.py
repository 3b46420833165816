"""Photos whose objects are known, for the benchmarks of masks."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8

from core.errors import InvalidInput
from core.files.mask import read_object_ids
from core.files.photo import open_photo
from core.types.photo import Photo

_BACKGROUND, _IGNORE = 0, 255


@dataclass(frozen=True, eq=False)
class KnownPhoto:
    """A photo and the number of the object at every pixel: 0 none, 255 not to be counted."""

    photo: Photo
    ids: UInt8[np.ndarray, "H W"]
    source: str
    file: str

    @property
    def counted(self) -> Bool[np.ndarray, "H W"]:
        return self.ids != _IGNORE

    def object_ids(self, smallest: float) -> list[int]:
        """The objects of at least that share of the photo."""
        numbers, areas = np.unique(self.ids, return_counts=True)
        kept = (areas >= smallest * self.ids.size) & ~np.isin(numbers, (_BACKGROUND, _IGNORE))
        return numbers[kept].tolist()


def known_photos(folder: Path, per_source: int) -> Iterator[KnownPhoto]:
    """The first photos of each source in `folder/index.csv`, in its order; drawn regions are left out.

    Raises InvalidInput when the folder has no index.
    """
    index = folder / "index.csv"
    if not index.is_file():
        raise InvalidInput(f"There is no index.csv in {folder}; give the folder of a mask benchmark.")
    taken: dict[str, list[dict[str, str]]] = defaultdict(list)
    with index.open(newline="") as lines:
        for entry in csv.DictReader(lines):
            if entry["kind"] == "object" and len(taken[entry["source"]]) < per_source:
                taken[entry["source"]].append(entry)
    for entries in taken.values():
        for entry in entries:
            path = folder / entry["file"]
            photo, ids = open_photo(path, path.name), read_object_ids(folder / entry["mask"])
            yield KnownPhoto(photo, ids, entry["source"], entry["file"])
