"""What lies in a folder of training data: photos, clips of frames, RGB-D clips, and depth beside them.

A folder has `photos`, `images`, `clips` or `rgbd` in it, each with an optional table of the same name (licences,
intrinsics), or it is itself a folder of pictures. `weak_depth` holds 8-bit inverse depth, in folders that are named
after the pictures' folder (its last path parts joined by `_`). A folder with `masks` and an `index.csv` (file, mask,
source, kind, licence) has photos with the objects' numbers at every pixel.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from core.errors import InvalidInput
from core.files.source import read_source
from core.training.packed import NOT_STATED
from core.types.camera import Intrinsics, Pose

_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".avif"})
_PHOTO_FOLDERS = ("photos", "images")
_MASK_TABLE = "index.csv"
_MASK_COLUMNS = "file", "mask", "source", "kind", "licence"
_MAX_BYTES = 50_000_000
_LONGEST_SET_NAME = 4


@dataclass(frozen=True)
class Shot:
    """One picture on disk. `weak_depth` is 8-bit inverse depth, `depth` measured, `mask` object numbers, or None."""

    picture: Path
    weak_depth: Path | None = None
    depth: Path | None = None
    world_from_camera: Pose | None = None
    mask: Path | None = None


@dataclass(frozen=True)
class Clip:
    """Pictures of one place in the order they were taken; a photo is a clip of one.

    `source` is where they are from, a clip's own name when no table tells. `focals` are fx, fy, cx, cy in the
    pictures' pixels, None when unknown. `regions`: the masks tell areas that someone drew, not whole objects.
    """

    name: str
    licence: str
    shots: tuple[Shot, ...]
    focals: tuple[float, float, float, float] | None = None
    source: str = NOT_STATED
    regions: bool = False

    def intrinsics(self, width: int, height: int) -> Intrinsics | None:
        """The camera for pictures of that size."""
        return None if self.focals is None else Intrinsics(*self.focals, width, height)


def find_clips(folders: Iterable[Path], leave_out: tuple[str, ...] = ()) -> tuple[Clip, ...]:
    """Everything in the folders, but for what has a word of `leave_out` in its licence.

    Raises InvalidInput for a folder that does not exist, a broken table, or when nothing is left.
    """
    every = tuple(folders)
    for folder in every:
        if not folder.is_dir():
            raise InvalidInput(f"There is no folder {folder}; give one with photos, clips or rgbd in it.")
    depths = [folder / "weak_depth" for folder in every if (folder / "weak_depth").is_dir()]
    found = [clip for folder in every for clip in _clips_of(folder, depths)]
    kept = tuple(clip for clip in found if not any(word.lower() in clip.licence.lower() for word in leave_out))
    if not kept:
        left_out = f" with a licence without {', '.join(leave_out)}" if found else ""
        raise InvalidInput(f"No picture{left_out} was found in {', '.join(map(str, every))}; give another folder.")
    return kept


def with_depth(clips: Iterable[Clip]) -> tuple[Clip, ...]:
    """The clips less the shots that have neither measured nor weak depth. Raises InvalidInput when none is left."""
    found = (
        replace(clip, shots=tuple(shot for shot in clip.shots if shot.depth is not None or shot.weak_depth is not None))
        for clip in clips
    )
    kept = tuple(clip for clip in found if clip.shots)
    if not kept:
        raise InvalidInput("No picture has depth beside it; put weak_depth or rgbd beside the photos.")
    return kept


def with_masks(clips: Iterable[Clip]) -> tuple[Clip, ...]:
    """The clips less the shots that have no objects' numbers. Raises InvalidInput when none is left."""
    found = (replace(clip, shots=tuple(shot for shot in clip.shots if shot.mask is not None)) for clip in clips)
    kept = tuple(clip for clip in found if clip.shots)
    if not kept:
        raise InvalidInput("No picture has a mask; give a folder with index.csv and masks.")
    return kept


def _clips_of(folder: Path, depths: list[Path]) -> list[Clip]:
    if (folder / "masks").is_dir() and (folder / _MASK_TABLE).is_file():
        return _masked(folder)
    found: list[Clip] = []
    known = False
    for name in _PHOTO_FOLDERS:
        if (folder / name).is_dir():
            known = True
            found += _photos(folder / name, _table(folder / f"{name}.csv", "file"), depths)
    for name in ("clips", "rgbd"):
        if (folder / name).is_dir():
            known = True
            rows = _table(folder / f"{name}.csv", "clip")
            subfolders = sorted(path for path in (folder / name).iterdir() if path.is_dir())
            for path in subfolders:
                row = rows.get(path.name, {})
                found.append(_rgbd(path, row) if name == "rgbd" else _frames(path, row, depths))
    return found if known else _photos(folder, {}, depths)


def _photos(folder: Path, rows: dict[str, dict[str, str]], depths: list[Path]) -> list[Clip]:
    weak = _weak_depth(folder, depths)
    return [
        Clip(
            path.relative_to(folder).as_posix(),
            rows.get(path.name, {}).get("licence", NOT_STATED),
            (Shot(path, weak.get(path.stem)),),
            source=rows.get(path.name, {}).get("source", NOT_STATED),
        )
        for path in _pictures(folder.rglob("*"))
    ]


def _masked(folder: Path) -> list[Clip]:
    found = []
    for name, row in _table(folder / _MASK_TABLE, "file").items():
        lacking = [column for column in _MASK_COLUMNS if not row.get(column)]
        if lacking:
            raise InvalidInput(f"{folder / _MASK_TABLE} lacks {', '.join(lacking)} of {name}; add it.")
        picture, mask = folder / name, folder / row["mask"]
        for path in (picture, mask):
            if not path.is_file():
                raise InvalidInput(f"{folder / _MASK_TABLE} names {path}, which does not exist; add it or take it out.")
        shots = (Shot(picture, mask=mask),)
        found.append(Clip(name, row["licence"], shots, source=row["source"], regions=row["kind"] == "region"))
    return found


def _frames(folder: Path, row: dict[str, str], depths: list[Path]) -> Clip:
    weak = _weak_depth(folder, depths)
    shots = tuple(Shot(path, weak.get(path.stem)) for path in _pictures(folder.iterdir()))
    if not shots:
        raise InvalidInput(f"The clip {folder} has no frames; fill or remove it.")
    return Clip(folder.name, row.get("licence", NOT_STATED), shots, source=row.get("source", folder.name))


def _rgbd(folder: Path, row: dict[str, str]) -> Clip:
    frames = [path for path in _pictures(folder.iterdir()) if path.suffix.lower() != ".png"]
    if not frames:
        raise InvalidInput(f"The clip {folder} has no colour frames (JPEG); fill or remove it.")
    poses = _poses(folder / "poses.txt", len(frames))
    shots = []
    for path, pose in zip(frames, poses, strict=True):
        depth = path.with_suffix(".png")
        if not depth.is_file():
            raise InvalidInput(f"{path} has no depth {depth.name} beside it; add it or move the frame to clips.")
        shots.append(Shot(path, None, depth, pose))
    try:
        fx, fy, cx, cy = (float(row[name]) for name in ("fx", "fy", "cx", "cy"))
    except (KeyError, ValueError) as error:
        raise InvalidInput(f"rgbd.csv lacks fx, fy, cx, cy of the clip {folder.name}; add them.") from error
    source = row.get("source", folder.name)
    return Clip(folder.name, row.get("licence", NOT_STATED), tuple(shots), (fx, fy, cx, cy), source)


def _pictures(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.suffix.lower() in _PICTURES and path.is_file())


def _weak_depth(folder: Path, depths: list[Path]) -> dict[str, Path]:
    """Depth pictures by the stem of the picture they belong to."""
    parts = folder.resolve().parts
    for count in range(min(_LONGEST_SET_NAME, len(parts)), 0, -1):
        for place in depths:
            candidate = place / "_".join(parts[-count:])
            if candidate.is_dir():
                return {path.stem: path for path in candidate.glob("*.png")}
    return {}


def _table(path: Path, key: str) -> dict[str, dict[str, str]]:
    """Rows of a CSV file by one of its columns; none when there is no file."""
    if not path.is_file():
        return {}
    text = read_source(path, path.name, _MAX_BYTES).decode("utf-8", "replace")
    rows = list(csv.DictReader(text.splitlines()))
    if rows and key not in rows[0]:
        raise InvalidInput(f"{path} has no column {key}; its columns are {', '.join(rows[0])}.")
    return {row[key]: row for row in rows}


def _poses(path: Path, count: int) -> list[Pose | None]:
    """world_from_camera of each frame: 16 numbers a line."""
    if not path.is_file():
        return [None] * count
    lines = read_source(path, path.name, _MAX_BYTES).decode("utf-8", "replace").split("\n")
    try:
        matrices = [_matrix(line) for line in lines if line.strip()]
    except ValueError as error:
        raise InvalidInput(f"{path} must hold 16 numbers a line; {error}.") from error
    if len(matrices) != count:
        raise InvalidInput(f"{path} has {len(matrices)} poses for {count} frames; give one a frame.")
    return [Pose(matrix) for matrix in matrices]


def _matrix(line: str) -> Float64[np.ndarray, "4 4"]:
    """The rotation is made exact again: text keeps six digits."""
    matrix = np.array(line.split(), dtype=np.float64).reshape(4, 4)
    if np.isfinite(matrix).all():
        left, _, right = np.linalg.svd(matrix[:3, :3])
        if np.abs(left @ right - matrix[:3, :3]).max() < 1e-2:
            matrix[:3, :3] = left @ right
    return matrix
