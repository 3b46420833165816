"""Cameras as nerfstudio's transforms.json, and poses as a 4x4 matrix in text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from core.errors import InvalidInput
from core.files.source import name_of, read_source
from core.files.strict_json import MAX_JSON_BYTES, parse_json
from core.maths.rigid import invert
from core.types.camera import Camera, Intrinsics, Pose

_MAX_BYTES = 50_000_000
# nerfstudio's cameras look along -z with y up, and its pixel centres lie at +0.5.
_OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
_CENTRE_SHIFT = 0.5


@dataclass(frozen=True)
class CameraShot:
    """One camera and the name of the picture it took."""

    file_path: str
    camera: Camera


def encode_transforms(shots: tuple[CameraShot, ...]) -> bytes:
    """A transforms.json of nerfstudio with intrinsics per frame; the world is the photo's camera frame (y down)."""
    frames = []
    for shot in shots:
        k = shot.camera.intrinsics
        world_from_camera = invert(shot.camera.camera_from_world).matrix @ _OPENGL_FROM_OPENCV
        frames.append(
            {
                "file_path": shot.file_path,
                "w": k.width,
                "h": k.height,
                "fl_x": k.fx,
                "fl_y": k.fy,
                "cx": k.cx + _CENTRE_SHIFT,
                "cy": k.cy + _CENTRE_SHIFT,
                "transform_matrix": world_from_camera.tolist(),
            }
        )
    return json.dumps({"camera_model": "OPENCV", "frames": frames}, indent=2).encode()


def read_transforms(source: Path | bytes, name: str = "") -> tuple[CameraShot, ...]:
    """The cameras of a transforms.json, intrinsics per frame or for all frames.

    Raises InvalidInput when a field is missing, a pose is not rigid or the lens is distorted.
    """
    name = name or name_of(source, "The camera file")
    document = parse_json(read_source(source, name, MAX_JSON_BYTES), name)
    try:
        frames = document["frames"]
        return tuple(_shot({**document, **frame}) for frame in frames)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from error
    except KeyError as error:
        raise InvalidInput(f"{name} lacks the field {error}; export it again from nerfstudio.") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(f"{name} is not a transforms.json file; export it again from nerfstudio.") from error


def _shot(frame: Mapping[str, Any]) -> CameraShot:
    distorted = [key for key in ("k1", "k2", "k3", "k4", "p1", "p2") if frame.get(key)]
    if distorted:
        raise InvalidInput(f"The lens distortion {', '.join(distorted)} is not supported; undistort the pictures.")
    intrinsics = Intrinsics(
        float(frame["fl_x"]),
        float(frame["fl_y"] if "fl_y" in frame else frame["fl_x"]),
        float(frame["cx"]) - _CENTRE_SHIFT,
        float(frame["cy"]) - _CENTRE_SHIFT,
        int(frame["w"]),
        int(frame["h"]),
    )
    world_from_camera = Pose(_matrix_4x4(frame["transform_matrix"]) @ _OPENGL_FROM_OPENCV)
    return CameraShot(str(frame["file_path"]), Camera(intrinsics, invert(world_from_camera)))


def read_pose_text(path: Path) -> Pose:
    """A rigid pose from text with 16 numbers, row by row; # starts a comment.

    Raises InvalidInput when there are not 16 numbers or they are no rigid transform.
    """
    data = read_source(path, path.name, _MAX_BYTES)
    lines = data.decode("utf-8", "replace").splitlines()
    words = " ".join(line.partition("#")[0] for line in lines).replace(",", " ").split()
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise InvalidInput(f"{path.name} must hold numbers only; {error}.") from error
    if len(numbers) != 16:
        raise InvalidInput(f"{path.name} must hold the 16 numbers of a 4x4 matrix, it has {len(numbers)}.")
    try:
        return Pose(np.array(numbers).reshape(4, 4))
    except InvalidInput as error:
        raise InvalidInput(f"{path.name}: {error}") from error


def _matrix_4x4(rows: object) -> Float64[np.ndarray, "4 4"]:
    matrix = np.array(rows, dtype=np.float64)
    if matrix.shape != (4, 4):
        raise InvalidInput(f"A transform_matrix must be 4x4, got {matrix.shape}.")
    return matrix
