"""Cases of 3DEditBench in HDF5: a photo, an object's rigid motion, and the photo taken after it.

The public keys are those of the benchmark's own description; three more are ours and optional, see `EditCase`.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from core.errors import InvalidInput
from core.files.atomic import write_atomically
from core.types.camera import Intrinsics, Pose
from core.types.edit_case import EditCase, Picture, Points

SUFFIXES = (".h5", ".hdf5")

_LEAST_POINTS = 3
_MOST_VALUES = 100_000_000
# Annotated points may lie on the picture's very border, whichever way that is counted.
_SLACK = 1.0


def case_files(folder: Path) -> list[Path]:
    """The folder's .h5 and .hdf5 files by name. Raises InvalidInput when there is none."""
    found = sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES) if folder.is_dir() else []
    if not found:
        raise InvalidInput(f"{folder} holds no .h5 or .hdf5 file; give the folder of 3DEditBench or one made by this.")
    return found


def read_cases(folder: Path, limit: int | None = None) -> Iterator[EditCase]:
    """The cases of a folder, by name, at most `limit`. Raises InvalidInput."""
    for path in case_files(folder)[:limit]:
        yield read_case(path)


def read_case(path: Path) -> EditCase:
    """One file. Raises InvalidInput for a file that is damaged, lacks a key, or holds something else under one."""
    import h5py

    try:
        with h5py.File(path, "r") as stored:
            return _Reader(stored, path.name).case()
    except OSError as error:
        raise InvalidInput(f"{path} is missing, damaged or no HDF5 file; download or make it again.") from error


def write_case(path: Path, case: EditCase) -> None:
    """The case as a file that `read_case` and the benchmark's own runner read. Raises EditorError."""
    import h5py

    k, stream = case.intrinsics, io.BytesIO()
    whole_points = np.rint(case.object_points)
    # The benchmark's runner looks pixels up at these points, so whole ones are stored as integers.
    first = whole_points.astype(np.int64) if np.array_equal(whole_points, case.object_points) else case.object_points
    arrays: dict[str, Any] = {
        "image1": case.before,
        "image2": case.after,
        "K": np.array([[k.fx, 0.0, k.cx], [0.0, k.fy, k.cy], [0.0, 0.0, 1.0]]),
        "R": case.motion.rotation,
        "T": case.motion.translation,
        "object_points_image1": first,
        "object_points_image2": case.object_points_after,
        "ground_points_image1": case.ground_points,
        "point_prompt": np.array(case.click),
        "GT_segment": case.mask.astype(np.uint8),
        "depth_image1": case.depth,
        "background": case.background,
        "GT_segment_image2": None if case.mask_after is None else case.mask_after.astype(np.uint8),
    }
    with h5py.File(stream, "w") as stored:
        for key, array in arrays.items():
            if array is not None:
                packed = {"compression": "gzip", "shuffle": True} if array.ndim > 1 and array.size > 64 else {}
                stored.create_dataset(key, data=array, **packed)
    write_atomically(path, stream.getvalue())


def motion_from_arrays(rotation: np.ndarray, translation: np.ndarray) -> Pose:
    """X' = R X + T as a pose. Raises InvalidInput when R is no rotation or a shape is wrong."""
    if rotation.shape != (3, 3) or translation.size != 3:
        raise InvalidInput(f"R must be 3x3 and T have three numbers, got shapes {rotation.shape}, {translation.shape}.")
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, translation.ravel()
    return Pose(matrix)


def intrinsics_from_array(k: np.ndarray, width: int, height: int) -> Intrinsics:
    """[fx 0 cx; 0 fy cy; 0 0 1] for a picture of that size. Raises InvalidInput for anything else."""
    if k.shape != (3, 3) or not np.allclose(k[[0, 1, 2, 2, 2], [1, 0, 0, 1, 2]], (0, 0, 0, 0, 1), atol=1e-6):
        raise InvalidInput("K must be the camera matrix [fx 0 cx; 0 fy cy; 0 0 1].")
    fx, fy, cx, cy = (float(k[at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2)))
    if not (0 <= cx <= width and 0 <= cy <= height):
        raise InvalidInput(f"K's principal point ({cx:g}, {cy:g}) lies outside the {width}x{height} picture.")
    return Intrinsics(fx, fy, cx, cy, width, height)


class _Reader:
    """What is checked while one open file becomes a case; every refusal names the file and the key."""

    def __init__(self, stored: Any, name: str) -> None:
        self._stored, self._name = stored, name

    def case(self) -> EditCase:
        before = self._picture("image1", None)
        shape = before.shape[:2]
        points, moved = self._points("object_points_image1", shape), self._points("object_points_image2", shape)
        if len(points) != len(moved):
            raise self._refused("object_points_image2", f"{len(moved)} points where image1 has {len(points)}")
        click = self._points("point_prompt", shape, least=1)
        if len(click) != 1:
            raise self._refused("point_prompt", f"{len(click)} points; it must be one")
        mask = self._mask("GT_segment", shape)
        optional = {key: key in self._stored for key in ("depth_image1", "background", "GT_segment_image2")}
        return EditCase(
            self._name,
            before,
            self._picture("image2", shape),
            self._intrinsics(shape),
            self._motion(),
            points,
            moved,
            self._points("ground_points_image1", shape),
            (float(click[0, 0]), float(click[0, 1])),
            mask,
            self._depth(shape) if optional["depth_image1"] else None,
            self._picture("background", shape) if optional["background"] else None,
            self._mask("GT_segment_image2", shape) if optional["GT_segment_image2"] else None,
        )

    def _refused(self, key: str, what: str) -> InvalidInput:
        return InvalidInput(f"{self._name} holds {what} under {key!r}; the format is described in docs/evaluation.md.")

    def _array(self, key: str, dimensions: int) -> np.ndarray:
        """The numbers of a key, axes of length 1 before the wanted ones left out."""
        import h5py

        found = self._stored.get(key)
        if not isinstance(found, h5py.Dataset):
            raise self._refused(key, "nothing" if found is None else "a group")
        if found.dtype.kind not in "buif":
            raise self._refused(key, f"values of type {found.dtype}")
        shape = tuple(found.shape)
        while len(shape) > dimensions and shape[0] == 1:
            shape = shape[1:]
        if len(shape) != dimensions or np.prod(shape) > _MOST_VALUES:
            raise self._refused(key, f"an array of shape {found.shape}")
        array = np.asarray(found[()]).reshape(shape)
        if not np.isfinite(array).all():
            raise self._refused(key, "numbers that are not finite")
        return array

    def _picture(self, key: str, shape: tuple[int, ...] | None) -> Picture:
        array = self._array(key, 3)
        if array.dtype != np.uint8 or array.shape[2] != 3 or (shape is not None and array.shape[:2] != shape):
            raise self._refused(key, f"{array.dtype} values of shape {array.shape}, not an RGB picture of uint8")
        return array

    def _mask(self, key: str, shape: tuple[int, ...]) -> Bool[np.ndarray, "H W"]:
        array = self._array(key, 3 if self._ends_in_one(key) else 2)
        array = array[..., 0] if array.ndim == 3 else array
        values = np.unique(array)
        if array.shape != shape or values.size != 2 or values[0] != 0 or values[1] not in (1, 255):
            raise self._refused(
                key, f"an array of shape {array.shape} that is no mask of 0 and 1 of the picture's size"
            )
        return array > 0

    def _ends_in_one(self, key: str) -> bool:
        shape = getattr(self._stored.get(key), "shape", ())
        return len(shape) == 3 and shape[2] == 1

    def _depth(self, shape: tuple[int, ...]) -> Float32[np.ndarray, "H W"]:
        array = self._array("depth_image1", 2)
        if array.shape != shape or array.dtype.kind != "f" or array.min() < 0 or not array.any():
            raise self._refused(
                "depth_image1", f"{array.dtype} values of shape {array.shape}, not depth of the picture"
            )
        return array.astype(np.float32)

    def _points(self, key: str, shape: tuple[int, ...], least: int = _LEAST_POINTS) -> Points:
        array = np.atleast_2d(self._array(key, 1 if key == "point_prompt" and self._is_flat(key) else 2))
        if array.shape[1] != 2 or len(array) < least:
            raise self._refused(key, f"an array of shape {array.shape}, not {least} or more points (x, y)")
        points = array.astype(np.float64)
        if points.min() < -_SLACK or (points > np.array(shape[::-1]) - 1 + _SLACK).any():
            raise self._refused(key, "a point outside the picture")
        return points

    def _is_flat(self, key: str) -> bool:
        return len(getattr(self._stored.get(key), "shape", ())) == 1

    def _motion(self) -> Pose:
        rotation, moved = self._array("R", 2), self._array("T", 1 if self._is_flat("T") else 2)
        try:
            return motion_from_arrays(rotation, moved)
        except InvalidInput as error:
            raise self._refused("R and T", f"no rigid motion ({error})") from error

    def _intrinsics(self, shape: tuple[int, ...]) -> Intrinsics:
        try:
            return intrinsics_from_array(self._array("K", 2), shape[1], shape[0])
        except InvalidInput as error:
            raise self._refused("K", f"no camera ({error})") from error
