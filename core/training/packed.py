"""Training pictures as a few compact files: JPEG pictures and inverse depth at the size training needs.

A shard is a safetensors file of byte arrays, so that it is mapped, not read, and can be sent elsewhere.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, UInt8, UInt16
from safetensors import SafetensorError, safe_open

from core.errors import InvalidInput
from core.types.camera import Intrinsics, Pose

NOT_STATED = "not stated"
SHARD_NAME = "pack-{:03d}.safetensors"
FORMAT = "lras-studio-pack-1"
# Where a PNG says how many bits a sample has.
_PNG_BITS = 24
Picture = UInt8[np.ndarray, "H W 3"]
InverseDepth = Float32[np.ndarray, "H W"]


@dataclass(frozen=True, eq=False)
class View:
    """One picture, its inverse depth at the same size, and what is known of its camera."""

    picture: Picture
    inverse_depth: InverseDepth | None
    intrinsics: Intrinsics | None
    world_from_camera: Pose | None


@dataclass(frozen=True)
class PackedClip:
    """Views `first` up to, not including, `stop` belong together. `regions`: masks are no whole objects."""

    name: str
    source: str
    licence: str
    first: int
    stop: int
    has_depth: bool
    regions: bool = False

    def __len__(self) -> int:
        return self.stop - self.first


@dataclass(frozen=True)
class PackedSet:
    """Every view in a folder of shards, in order. Cheap to send to another process: files are opened on use.

    Raises InvalidInput on first use when the folder has no shard or one is damaged.
    """

    folder: Path

    @cached_property
    def clips(self) -> tuple[PackedClip, ...]:
        return tuple(
            PackedClip(
                clip["name"],
                clip.get("source", NOT_STATED),
                clip["licence"],
                first + shard.start,
                stop + shard.start,
                clip["has_depth"],
                clip.get("regions", False),
            )
            for shard in self._shards
            for clip, first, stop in shard.clips()
        )

    @property
    def licences(self) -> dict[str, int]:
        """How many views there are of each licence."""
        counts: dict[str, int] = {}
        for clip in self.clips:
            counts[clip.licence] = counts.get(clip.licence, 0) + len(clip)
        return counts

    def __len__(self) -> int:
        return sum(shard.count for shard in self._shards)

    def view(self, index: int) -> View:
        """The picture and all that is known of it."""
        shard = self._shard(index)
        return shard.view(index - shard.start)

    def stored_depth(self, index: int) -> UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"] | None:
        """Inverse depth up to a factor, as packed with `plain_depth`: 16 bits measured (0: hole), 8 bits weak."""
        shard = self._shard(index)
        return shard.stored_depth(index - shard.start)

    def depth_bits(self, index: int) -> int:
        """Bits of a view's stored depth, 0 for none: told without decoding it."""
        shard = self._shard(index)
        return shard.depth_bits(index - shard.start)

    def has_mask(self, index: int) -> bool:
        """Told without decoding it."""
        shard = self._shard(index)
        return shard.has_mask(index - shard.start)

    def mask(self, index: int) -> UInt8[np.ndarray, "H W"] | None:
        """The number of the object at every pixel of a view: 0 none, 255 not told."""
        shard = self._shard(index)
        return shard.mask(index - shard.start)

    def _shard(self, index: int) -> "_Shard":
        return next(shard for shard in reversed(self._shards) if shard.start <= index)

    @cached_property
    def _shards(self) -> tuple["_Shard", ...]:
        paths = shard_paths(self.folder)
        if not paths:
            raise InvalidInput(f"{self.folder} holds no packed pictures; make them with `launch.py train pack`.")
        shards, start = [], 0
        for path in paths:
            shards.append(_Shard(path, start))
            start += shards[-1].count
        return tuple(shards)

    def __getstate__(self) -> dict[str, Path]:
        return {"folder": self.folder}


class _Shard:
    """One file, mapped. Its views are numbered from `start` in the whole set."""

    def __init__(self, path: Path, start: int) -> None:
        self.start = start
        try:
            # As tensors, which are mapped; arrays would be copied.
            with safe_open(path, "pt") as stored:
                described = stored.metadata() or {}
                arrays = {name: stored.get_tensor(name).numpy() for name in stored.keys()}  # noqa: SIM118 - not a dict
        except (SafetensorError, OSError) as error:
            raise InvalidInput(f"{path} is truncated or damaged; pack the pictures again.") from error
        if described.get("format") != FORMAT:
            raise InvalidInput(f"{path} is no pack of this version; pack the pictures again.")
        self._described = json.loads(described["clips"])
        self._arrays = arrays
        self.count = len(arrays["picture_ends"])

    def clips(self) -> Iterator[tuple[dict[str, Any], int, int]]:
        first = 0
        for clip in self._described:
            yield clip, first, first + clip["views"]
            first += clip["views"]

    def view(self, index: int) -> View:
        picture = self._decoded("picture", index, cv2.IMREAD_COLOR_RGB)
        height, width = picture.shape[:2]
        (fx, fy, cx, cy), matrix = self._arrays["focals"][index].tolist(), self._arrays["world_from_camera"][index]
        return View(
            picture,
            self._inverse_depth(index, width, height),
            None if math.isnan(fx) else Intrinsics(fx, fy, cx, cy, width, height),
            None if np.isnan(matrix).any() else Pose(matrix),
        )

    def depth_bits(self, index: int) -> int:
        data = self._bytes("depth", index)
        return int(data[_PNG_BITS]) if len(data) > _PNG_BITS else 0

    def stored_depth(self, index: int) -> np.ndarray | None:
        return self._decoded("depth", index, cv2.IMREAD_UNCHANGED) if self._bytes("depth", index).size else None

    def has_mask(self, index: int) -> bool:
        # Packs of before masks were kept have no such array.
        return "mask_ends" in self._arrays and bool(self._bytes("mask", index).size)

    def mask(self, index: int) -> np.ndarray | None:
        return self._decoded("mask", index, cv2.IMREAD_UNCHANGED) if self.has_mask(index) else None

    def _inverse_depth(self, index: int, width: int, height: int) -> InverseDepth | None:
        stored = self.stored_depth(index)
        if stored is None:
            return None
        low, high = self._arrays["depth_range"][index]
        levels = 65535 if stored.dtype == np.uint16 else 255
        inverse = low + stored.astype(np.float32) * ((high - low) / np.float32(levels))
        return cv2.resize(inverse, (width, height), interpolation=cv2.INTER_LINEAR)

    def _decoded(self, name: str, index: int, how: int) -> np.ndarray:
        decoded = cv2.imdecode(self._bytes(name, index), how)
        if decoded is None:
            raise InvalidInput(f"The {name} of packed view {index} is damaged; pack the pictures again.")
        return decoded

    def _bytes(self, name: str, index: int) -> UInt8[np.ndarray, "N"]:
        ends = self._arrays[f"{name}_ends"]
        return self._arrays[name][ends[index - 1] if index else 0 : ends[index]]


def shard_paths(folder: Path) -> list[Path]:
    """The shards in a folder, in order."""
    return sorted(folder.glob(SHARD_NAME.replace("{:03d}", "[0-9][0-9][0-9]")))
