"""Cameras as nerfstudio's transforms.json, and poses as a 4x4 matrix in text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from core.errors import InvalidInput
from core.files.header import Header
from core.files.source import name_of, read_source
from core.files.strict_json import read_json
from core.maths.axes import AXES_FROM_WORLD, AXES_IN_WORDS
from core.maths.camera import as_stored
from core.maths.rigid import invert
from core.types.camera import Camera, Intrinsics, Pose
from core.types.geometry import Axes

_LARGEST_POSE_TEXT = 1_000_000
# nerfstudio's cameras look along -z with y up, and its pixel centres lie at +0.5.
_OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
_CENTRE_SHIFT = 0.5
_AXES_BY_WORDS: dict[str, Axes] = {words: axes for axes, words in AXES_IN_WORDS.items()}


@dataclass(frozen=True)
class CameraShot:
    """One camera and the name of the picture it took."""

    file_path: str
    camera: Camera


@dataclass(frozen=True)
class CameraPath:
    """Cameras for a file whose world has these axes."""

    shots: tuple[CameraShot, ...]
    axes: Axes = "opencv"


def stored_shots(file_path: str, camera: Camera, header: Header | None) -> tuple[CameraShot, ...]:
    """The camera of an upright picture, fit for its file with that header; none where no camera fits.

    That is a mirrored picture, and a file whose first picture is not the one that was opened.
    """
    stored = as_stored(camera, 1 if header is None else header.orientation)
    if stored is None:
        return ()
    k = stored.intrinsics
    return (CameraShot(file_path, stored),) if header is None or header.size == (k.width, k.height) else ()


def encode_transforms(path: CameraPath) -> bytes:
    """A transforms.json of nerfstudio with intrinsics per frame; the world is the photo's camera frame in its axes."""
    frames = []
    axes_from_world = _axes_from_world(path.axes)
    for shot in path.shots:
        k = shot.camera.intrinsics
        world_from_camera = axes_from_world @ invert(shot.camera.camera_from_world).matrix @ _OPENGL_FROM_OPENCV
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
    document = {"camera_model": "OPENCV", "axes": AXES_IN_WORDS[path.axes], "frames": frames}
    return json.dumps(document, indent=2).encode()


def read_transforms(source: Path | bytes, name: str = "") -> CameraPath:
    """The cameras of a transforms.json, intrinsics per frame or for all frames; of other axes when it names them.

    Raises InvalidInput when a field is missing, a pose is not rigid or the lens is distorted.
    """
    name = name or name_of(source, "The camera file")
    document = read_json(source, name)
    try:
        frames = document["frames"]
        axes = _AXES_BY_WORDS.get(str(document.get("axes")), "opencv")  # nerfstudio itself has no such field
        return CameraPath(tuple(_shot({**document, **frame}, axes) for frame in frames), axes)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from error
    except KeyError as error:
        raise InvalidInput(f"{name} lacks the field {error}; export it again from nerfstudio.") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(f"{name} is not a transforms.json file; export it again from nerfstudio.") from error


def _axes_from_world(axes: Axes) -> Float64[np.ndarray, "4 4"]:
    matrix = np.eye(4)
    matrix[:3, :3] = AXES_FROM_WORLD[axes]
    return matrix


def _shot(frame: Mapping[str, Any], axes: Axes) -> CameraShot:
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
    axes_from_camera = _matrix_4x4(frame["transform_matrix"]) @ _OPENGL_FROM_OPENCV
    world_from_camera = Pose(_axes_from_world(axes).T @ axes_from_camera)
    return CameraShot(str(frame["file_path"]), Camera(intrinsics, invert(world_from_camera)))


def read_pose_text(path: Path) -> Pose:
    """A rigid pose from text with 16 numbers, row by row; # starts a comment.

    Raises InvalidInput when there are not 16 numbers or they are no rigid transform.
    """
    data = read_source(path, path.name, _LARGEST_POSE_TEXT)
    lines = data.decode("utf-8", "replace").splitlines()
    words = " ".join(line.partition("#")[0] for line in lines).replace(",", " ").split()
    numbers = [_number(word, path.name) for word in words]
    if len(numbers) != 16:
        raise InvalidInput(f"{path.name} must hold the 16 numbers of a 4x4 matrix, it has {len(numbers)}.")
    try:
        return Pose(np.array(numbers).reshape(4, 4))
    except InvalidInput as error:
        raise InvalidInput(f"{path.name}: {error}") from error


def _number(word: str, name: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise InvalidInput(f"{name} must hold numbers only, got {word!r:.40}.") from error


def _matrix_4x4(rows: object) -> Float64[np.ndarray, "4 4"]:
    matrix = np.array(rows, dtype=np.float64)
    if matrix.shape != (4, 4):
        raise InvalidInput(f"A transform_matrix must be 4x4, got {matrix.shape}.")
    return matrix
