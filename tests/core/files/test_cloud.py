import numpy as np
import pytest

from core.files.cloud import encode_pcd, encode_ply, encode_ply_ascii, encode_xyz
from core.types.geometry import PointCloud

RNG = np.random.default_rng(4)
CLOUD = PointCloud(RNG.normal(0, 3, (50, 3)).astype(np.float32), RNG.integers(0, 256, (50, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("encode", "extension"), [(encode_ply, "ply"), (encode_ply_ascii, "ply"), (encode_pcd, "pcd"), (encode_xyz, "xyz")]
)
def test_open3d_reads_points_and_colours_back(encode, extension, tmp_path):
    import open3d

    path = tmp_path / f"cloud.{extension}"
    path.write_bytes(encode(CLOUD))
    again = open3d.io.read_point_cloud(str(path))
    assert np.array_equal(np.asarray(again.points, np.float32), CLOUD.points)
    if extension != "xyz":  # Open3D takes only the coordinates of this format
        assert np.array_equal(np.rint(np.asarray(again.colors) * 255), CLOUD.colours)


def test_trimesh_reads_both_plys_back():
    import io

    import trimesh

    for encode in (encode_ply, encode_ply_ascii):
        again = trimesh.load(io.BytesIO(encode(CLOUD)), file_type="ply")
        assert np.array_equal(again.vertices.astype(np.float32), CLOUD.points)
        assert np.array_equal(again.colors[:, :3], CLOUD.colours)


def test_xyz_lines_hold_six_numbers():
    rows = np.loadtxt(encode_xyz(CLOUD).decode().splitlines())
    assert np.array_equal(rows[:, :3].astype(np.float32), CLOUD.points)
    assert np.array_equal(rows[:, 3:], CLOUD.colours)


def test_empty_cloud_is_a_valid_file():
    empty = PointCloud(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8))
    assert b"element vertex 0" in encode_ply(empty)
    assert encode_xyz(empty) == b""


def test_long_clouds_keep_every_row():
    many = PointCloud(np.arange(750_003, dtype=np.float32).reshape(-1, 3), np.zeros((250_001, 3), np.uint8))
    lines = encode_xyz(many).splitlines()
    assert len(lines) == 250_001
    assert lines[100_000] == b"300000 300001 300002 0 0 0"
    assert lines[-1] == b"750000 750001 750002 0 0 0"
