import json
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from core.errors import InvalidInput
from core.files.cameras import CameraPath, CameraShot, encode_transforms, read_pose_text, read_transforms
from core.maths.rigid import pose, rotation_from_euler_deg
from core.types.camera import Camera, Intrinsics
from core.types.geometry import Axes

INTRINSICS = Intrinsics(500.0, 510.0, 319.5, 239.5, 640, 480)
CAMERA = Camera(INTRINSICS, pose(rotation_from_euler_deg(10, -20, 5), (0.1, 0.2, -0.3)))
PATH = CameraPath((CameraShot("a.png", CAMERA), CameraShot("b.png", Camera(INTRINSICS))))


@pytest.mark.parametrize("axes", get_args(Axes))
def test_cameras_survive_in_any_axes(tmp_path, axes):
    path = tmp_path / "transforms.json"
    path.write_bytes(encode_transforms(replace(PATH, axes=axes)))
    assert json.loads(path.read_text())["axes"].startswith(axes)
    again = read_transforms(path)
    assert again.axes == axes
    assert [shot.file_path for shot in again.shots] == ["a.png", "b.png"]
    for before, after in zip(PATH.shots, again.shots, strict=True):
        assert after.camera.intrinsics == before.camera.intrinsics
        assert np.allclose(after.camera.camera_from_world.matrix, before.camera.camera_from_world.matrix, atol=1e-12)


def test_file_has_opengl_axes_and_half_pixel_centres():
    frames = json.loads(encode_transforms(PATH))["frames"]
    matrix = np.array(frames[0]["transform_matrix"])
    world_from_camera = np.linalg.inv(CAMERA.camera_from_world.matrix)
    # Columns: the camera's right, up and backward directions in the world, and its place.
    assert np.allclose(matrix[:3, 0], world_from_camera[:3, 0])
    assert np.allclose(matrix[:3, 1], -world_from_camera[:3, 1])
    assert np.allclose(matrix[:3, 2], -world_from_camera[:3, 2])
    assert np.allclose(matrix[:3, 3], world_from_camera[:3, 3])
    assert (frames[0]["cx"], frames[0]["cy"]) == (320.0, 240.0)


def test_intrinsics_may_be_common_to_all_frames():
    document = {"w": 64, "h": 48, "fl_x": 50, "cx": 32, "cy": 24}
    document["frames"] = [{"file_path": "x.png", "transform_matrix": np.eye(4).tolist()}]
    (shot,) = read_transforms(json.dumps(document).encode()).shots
    assert shot.camera.intrinsics == Intrinsics(50, 50, 31.5, 23.5, 64, 48)


@pytest.mark.parametrize(
    "change",
    [
        {"transform_matrix": (2 * np.eye(4)).tolist()},
        {"transform_matrix": [[1, 2], [3, 4]]},
        {"transform_matrix": "no"},
        {"fl_x": -1},
        {"w": None},
        {"k1": 0.1},
    ],
)
def test_bad_cameras_get_one_sentence(change):
    document = json.loads(encode_transforms(PATH))
    document["frames"][1].update(change)
    with pytest.raises(InvalidInput, match=r"^c\.json.*\.$"):
        read_transforms(json.dumps(document).encode(), "c.json")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"frames": 3}', b'{"frames": [{}]}', b"[" * 100_000])
def test_bad_camera_files_get_one_sentence(data):
    with pytest.raises(InvalidInput, match=r"^c\.json.*\.$"):
        read_transforms(data, "c.json")


def test_a_text_too_long_for_sixteen_numbers_is_not_taken_in(tmp_path):
    path = tmp_path / "pose.txt"
    path.write_bytes(b"1 " * 1_000_000)
    with pytest.raises(InvalidInput, match="limit"):
        read_pose_text(path)


def test_pose_text_is_read_with_commas_and_comments(tmp_path):
    path = tmp_path / "pose.txt"
    path.write_text("# target_from_source\n1 0 0 0.5\n0,1,0,0\n0 0 1 0 # z\n0 0 0 1\n")
    assert read_pose_text(path).translation.tolist() == [0.5, 0, 0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 2 3",
        "a b",
        "0 " * 16,
        "2 0 0 0 0 2 0 0 0 0 2 0 0 0 0 1",
        "-1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
        "nan 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
        "1 0 0 0 0 1 0 0 0 0 1 0 0 0 1 1",
    ],
)
def test_singular_and_non_rigid_poses_get_one_sentence(text, tmp_path):
    path = tmp_path / "pose.txt"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"^pose\.txt.*\.$"):
        read_pose_text(path)


def test_a_wrong_file_is_not_repeated_to_the_person(tmp_path):
    path = tmp_path / "pose.txt"
    path.write_text("1 2 " + "secret" * 1000)
    with pytest.raises(InvalidInput, match="numbers only") as told:
        read_pose_text(path)
    assert len(str(told.value)) < 100
