"""From folders of pictures to the compact files that training reads."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from safetensors.numpy import save

from core.errors import InvalidInput
from core.files.atomic import write_atomically
from core.files.depth import read_depth
from core.files.mask import read_object_ids
from core.files.photo import open_photo
from core.files.source import read_source
from core.maths.bands import reciprocal
from core.maths.camera import resized
from core.maths.depth import inverse_depth, relative_from_affine
from core.maths.sizes import size_within
from core.training.packed import FORMAT, SHARD_NAME, shard_paths
from core.training.sources import Clip, Shot
from core.types.depth import DepthMap

JPEG_QUALITY = 92
_MAX_DEPTH_BYTES = 50_000_000
# Of measured inverse depth: a step moves no pixel by a tenth, and noise below it would double the files.
_DEPTH_LEVELS = 4095
# Inverse depth that 0 and 255 of weak depth are taken for where it is kept as it is.
_ASSUMED_RANGE = (0.125, 1.0)
_UNFINISHED = ".part"
_NOTHING = np.zeros(0, np.uint8)


@dataclass(eq=False)
class _Gathered:
    """The views of one shard so far."""

    pictures: list[np.ndarray] = field(default_factory=list)
    depths: list[np.ndarray] = field(default_factory=list)
    depth_ranges: list[tuple[float, float]] = field(default_factory=list)
    focals: list[np.ndarray] = field(default_factory=list)
    poses: list[np.ndarray] = field(default_factory=list)
    masks: list[np.ndarray] = field(default_factory=list)
    clips: list[dict[str, object]] = field(default_factory=list)
    size_bytes: int = 0

    def encoded(self) -> bytes:
        arrays = {
            "picture": np.concatenate(self.pictures),
            "picture_ends": np.cumsum([len(data) for data in self.pictures]),
            "depth": np.concatenate(self.depths),
            "depth_ends": np.cumsum([len(data) for data in self.depths]),
            "depth_range": np.array(self.depth_ranges, np.float32),
            "focals": np.stack(self.focals),
            "world_from_camera": np.stack(self.poses),
            "mask": np.concatenate(self.masks),
            "mask_ends": np.cumsum([len(data) for data in self.masks]),
        }
        return save(arrays, {"format": FORMAT, "clips": json.dumps(self.clips)})


def pack(
    clips: Sequence[Clip],
    folder: Path,
    longest_side_pixels: int,
    shard_bytes: int = 60_000_000,
    progress: Callable[[float], None] | None = None,
    quality: int = JPEG_QUALITY,
    plain_depth: bool = False,
) -> list[Path]:
    """Write the clips' pictures, at most so large, to shards of about `shard_bytes`; returns their paths.

    `plain_depth` keeps depth as it was given, for `PackedSet.stored_depth`: holes of measured depth are 0, weak depth
    is neither sharpened nor enlarged.
    Raises InvalidInput for a picture that cannot be read or when `folder` holds a pack already, EditorError when a
    shard cannot be written.
    """
    if shard_paths(folder):
        raise InvalidInput(f"{folder} holds packed pictures already; remove them or choose another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    # Under other names until all are there: half a pack would be taken for a whole one.
    written: list[Path] = []
    gathered = _Gathered()

    def flush() -> None:
        nonlocal gathered
        written.append(folder / f"{SHARD_NAME.format(len(written))}{_UNFINISHED}")
        write_atomically(written[-1], gathered.encoded())
        gathered = _Gathered()

    for number, clip in enumerate(clips):
        _add(gathered, clip, longest_side_pixels, quality, plain_depth)
        if gathered.size_bytes >= shard_bytes:
            flush()
        if progress is not None:
            progress((number + 1) / len(clips))
    if gathered.clips:
        flush()
    return [path.replace(path.with_suffix("")) for path in written]


def _add(gathered: _Gathered, clip: Clip, longest: int, quality: int, plain_depth: bool) -> None:
    encoded_depth = _plain_depth if plain_depth else _encoded_depth
    has_depth = True
    for shot in clip.shots:
        photo = open_photo(shot.picture)
        width, height = size_within(photo.width, photo.height, longest, least=8)
        small = cv2.resize(photo.srgb, (width, height), interpolation=cv2.INTER_AREA)
        data, depth_range = encoded_depth(shot, width, height)
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        gathered.pictures.append(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].reshape(-1))
        gathered.depths.append(data)
        gathered.depth_ranges.append(depth_range)
        camera = clip.intrinsics(photo.width, photo.height)
        camera = None if camera is None else resized(camera, width, height)
        focals = [np.nan] * 4 if camera is None else [camera.fx, camera.fy, camera.cx, camera.cy]
        gathered.focals.append(np.array(focals, np.float64))
        pose = shot.world_from_camera
        gathered.poses.append(np.full((4, 4), np.nan) if pose is None else pose.matrix)
        gathered.masks.append(_mask(shot, (photo.width, photo.height), (width, height)))
        gathered.size_bytes += len(gathered.pictures[-1]) + len(data) + len(gathered.masks[-1])
        has_depth &= bool(len(data))
    gathered.clips.append(
        {
            "name": clip.name,
            "source": clip.source,
            "licence": clip.licence,
            "views": len(clip.shots),
            "has_depth": has_depth,
            "regions": clip.regions,
        }
    )


def _encoded_depth(shot: Shot, width: int, height: int) -> tuple[np.ndarray, tuple[float, float]]:
    """A gray PNG, and the inverse depths that its 0 and its largest value stand for."""
    if shot.depth is not None:
        return _levels(inverse_depth(read_depth(shot.depth), width, height), least=1)
    if shot.weak_depth is not None:
        return _encoded_weak_depth(shot.weak_depth, width, height)
    return _NOTHING, (0.0, 0.0)


def _plain_depth(shot: Shot, width: int, height: int) -> tuple[np.ndarray, tuple[float, float]]:
    """As `_encoded_depth`, but with holes, and with weak depth as it is."""
    if shot.depth is not None:
        depth = read_depth(shot.depth)
        inverse = reciprocal(np.where(depth.valid, depth.values, np.float32(0)))
        return _levels(cv2.resize(inverse, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), least=0)
    if shot.weak_depth is not None:
        data = read_source(shot.weak_depth, shot.weak_depth.name, _MAX_DEPTH_BYTES)
        return np.frombuffer(data, np.uint8), _ASSUMED_RANGE
    return _NOTHING, (0.0, 0.0)


def _mask(shot: Shot, photo_size: tuple[int, int], size: tuple[int, int]) -> UInt8[np.ndarray, "_"]:
    """Objects' numbers as a gray PNG; no number is made up between two."""
    if shot.mask is None:
        return _NOTHING
    ids = read_object_ids(shot.mask)
    if ids.shape[::-1] != photo_size:
        raise InvalidInput(
            f"{shot.mask} is {ids.shape[1]}x{ids.shape[0]} and its picture {photo_size[0]}x{photo_size[1]}; "
            "a mask must have the picture's size."
        )
    small = cv2.resize(ids, size, interpolation=cv2.INTER_NEAREST_EXACT)
    return cv2.imencode(".png", small)[1].reshape(-1)


def _levels(inverse: np.ndarray, least: int) -> tuple[np.ndarray, tuple[float, float]]:
    top = float(inverse.max())
    stored = np.rint(inverse * (_DEPTH_LEVELS / max(top, 1e-6))).clip(least, _DEPTH_LEVELS).astype(np.uint16)
    return cv2.imencode(".png", stored)[1].reshape(-1), (0.0, top * np.iinfo(np.uint16).max / _DEPTH_LEVELS)


def _encoded_weak_depth(path: Path, width: int, height: int) -> tuple[np.ndarray, tuple[float, float]]:
    """8-bit inverse depth of unknown scale and shift becomes relative depth; a flat one is left out."""
    data = read_source(path, path.name, _MAX_DEPTH_BYTES)
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if stored is None:
        raise InvalidInput(f"{path} is no picture; weak depth must be 8-bit gray PNG.")
    values = (stored.astype(np.float32) + 1) / 256
    near, far = np.quantile(values, (0.98, 0.02))
    if not near > far:
        return _NOTHING, (0.0, 0.0)
    relative = relative_from_affine(DepthMap(values, np.ones(values.shape, bool), "affine", "weak depth"))
    # Steps are sharpened at the pictures' size; half of it is kept, as finer detail is not known.
    inverse = inverse_depth(relative, width, height)
    inverse = cv2.resize(inverse, (-(-width // 2), -(-height // 2)), interpolation=cv2.INTER_NEAREST_EXACT)
    low, high = float(inverse.min()), float(inverse.max())
    scaled = np.rint((inverse - low) * (255 / max(high - low, 1e-6))).astype(np.uint8)
    return cv2.imencode(".png", scaled)[1].reshape(-1), (low, max(high, low + 1e-6))
