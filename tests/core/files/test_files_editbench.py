"""The 3DEditBench format: what is written is read, variants are taken, everything else is refused by name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from core.errors import InvalidInput
from core.files.editbench import case_files, read_case, read_cases, write_case
from core.maths.rigid import axis_rotation, pose
from core.types.camera import Intrinsics
from core.types.edit_case import EditCase

SIDE = 48


def case() -> EditCase:
    random = np.random.default_rng(0)
    before, after, background = random.integers(0, 255, (3, SIDE, SIDE, 3), dtype=np.uint8)
    mask = np.zeros((SIDE, SIDE), bool)
    mask[10:30, 12:28] = True
    points = np.array([[14.0, 12], [25, 14], [20, 28], [15, 25]])
    return EditCase(
        "case.hdf5", before, after, Intrinsics(50.0, 51.0, 23.5, 24.0, SIDE, SIDE),
        pose(axis_rotation((0.1, 1, 0), 0.4), (0.1, -0.02, 0.3)), points, points + 1.25,
        np.array([[2.0, 40], [40, 44], [44, 33]]), (20.0, 20.0), mask,
        random.random((SIDE, SIDE), np.float32), background, np.roll(mask, 2, 1),
    )  # fmt: skip


def written(tmp_path: Path, made: EditCase) -> Path:
    path = tmp_path / made.name
    write_case(path, made)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    made = case()
    read = read_case(written(tmp_path, made))
    for name in ("before", "after", "object_points", "object_points_after", "ground_points", "mask"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))
    for name in ("depth", "background", "mask_after"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))
    assert (read.name, read.intrinsics, read.click) == (made.name, made.intrinsics, made.click)
    np.testing.assert_allclose(read.motion.matrix, made.motion.matrix, atol=1e-15)
    with pytest.raises(ValueError, match="read-only"):
        read.mask[0, 0] = True


def test_the_keys_are_the_public_ones(tmp_path: Path) -> None:
    path = written(tmp_path, replace(case(), depth=None, background=None, mask_after=None))
    with h5py.File(path) as stored:
        assert set(stored) == {
            "image1", "image2", "K", "R", "T", "object_points_image1", "object_points_image2", "ground_points_image1",
            "point_prompt", "GT_segment",
        }  # fmt: skip
        assert stored["K"][:].tolist() == [[50, 0, 23.5], [0, 51, 24], [0, 0, 1]]
        assert stored["object_points_image1"].dtype.kind == "i"
        assert set(np.unique(stored["GT_segment"][:])) == {0, 1}
    read = read_case(path)
    assert read.depth is None
    assert read.background is None
    assert read.mask_after is None


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("T", lambda a: a[:, None]),
        ("T", lambda a: a[None]),
        ("point_prompt", lambda a: a[None].astype(np.int32)),
        ("object_points_image1", lambda a: a[None]),
        ("GT_segment", lambda a: a.astype(bool)),
        ("GT_segment", lambda a: a * np.uint8(255)),
        ("GT_segment", lambda a: a[..., None].astype(np.float64)),
        ("R", lambda a: a.astype(np.float32)),
        ("K", lambda a: a[None]),
    ],
)
def test_plausible_variants_are_read_alike(
    tmp_path: Path, key: str, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    path = written(tmp_path, case())
    first = read_case(path)
    _replace(path, key, change)
    again = read_case(path)
    np.testing.assert_array_equal(again.mask, first.mask)
    np.testing.assert_allclose(again.motion.matrix, first.motion.matrix, atol=1e-6)
    np.testing.assert_array_equal(again.object_points, first.object_points)
    assert (again.click, again.intrinsics) == (first.click, first.intrinsics)


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("image1", lambda a: a.astype(np.float32) / 255),
        ("image2", lambda a: a[:-1]),
        ("image1", lambda a: a[..., 0]),
        ("R", lambda a: 1.1 * a),
        ("R", lambda a: a @ np.diag([1.0, 1, -1])),
        ("R", lambda a: np.full((3, 3), np.nan)),
        ("T", lambda a: a[:2]),
        ("K", lambda a: a + np.array([[0, 3.0, 0], [0, 0, 0], [0, 0, 0]])),
        ("K", lambda a: a * np.array([[1.0, 1, 9], [1, 1, 1], [1, 1, 1]])),
        ("object_points_image1", lambda a: a[:2]),
        ("object_points_image1", lambda a: a + 100),
        ("object_points_image2", lambda a: a[:-1]),
        ("point_prompt", lambda a: np.stack([a, a])),
        ("GT_segment", lambda a: a * 0),
        ("GT_segment", lambda a: a * 3),
        ("GT_segment", lambda a: a[:, 1:]),
        ("depth_image1", lambda a: -a),
        ("T", lambda a: np.array(["a", "b", "c"], "S1")),
    ],
)
def test_anything_else_is_refused_by_its_key(
    tmp_path: Path, key: str, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    path = written(tmp_path, case())
    _replace(path, key, change)
    with pytest.raises(InvalidInput, match=key):
        read_case(path)


@pytest.mark.parametrize("key", ["image1", "K", "GT_segment", "ground_points_image1"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    path = written(tmp_path, case())
    with h5py.File(path, "a") as stored:
        del stored[key]
    with pytest.raises(InvalidInput, match=f"nothing under '{key}'"):
        read_case(path)


def test_a_group_in_place_of_numbers_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, case())
    with h5py.File(path, "a") as stored:
        del stored["K"]
        stored.create_group("K")
    with pytest.raises(InvalidInput, match="a group under 'K'"):
        read_case(path)


def test_no_hdf5_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"not HDF5")
    with pytest.raises(InvalidInput, match="no HDF5 file"):
        read_case(tmp_path / "a.h5")
    with pytest.raises(InvalidInput, match="missing"):
        read_case(tmp_path / "b.h5")


def test_a_folder_is_read_by_name(tmp_path: Path) -> None:
    for name in ("b.h5", "a.hdf5", "c.hdf5"):
        write_case(tmp_path / name, replace(case(), name=name))
    (tmp_path / "notes.txt").write_text("none of it")
    assert [found.name for found in read_cases(tmp_path, limit=2)] == ["a.hdf5", "b.h5"]
    with pytest.raises(InvalidInput, match="holds no"):
        case_files(tmp_path / "other")


def _replace(path: Path, key: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    with h5py.File(path, "a") as stored:
        array = change(stored[key][()])
        del stored[key]
        stored[key] = array
