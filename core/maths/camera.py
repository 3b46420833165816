"""Pinhole projection and the intrinsics that go with a picture's size."""

import numpy as np
from jaxtyping import Float, Float32, Float64

from core.errors import InvalidInput
from core.types.camera import Camera, Intrinsics, Pose
from core.types.photo import Photo

DEFAULT_FOV_DEG = 55.0
FULL_FRAME_DIAGONAL_MM = 43.2666
# How the stored picture's x and y follow from the upright one's, by EXIF orientation.
_STORED_FROM_UPRIGHT = {1: ((1, 0), (0, 1)), 3: ((-1, 0), (0, -1)), 6: ((0, 1), (-1, 0)), 8: ((0, -1), (1, 0))}


def intrinsics_from_fov(fov_deg: float, width: int, height: int) -> Intrinsics:
    """Square pixels, centred; `fov_deg` is the angle across the longer side, 1..170 degrees."""
    if not 1.0 <= fov_deg <= 170.0:
        raise InvalidInput(f"The field of view must lie between 1 and 170 degrees, got {fov_deg:g}.")
    focal = max(width, height) / (2.0 * np.tan(np.radians(fov_deg) / 2.0))
    return Intrinsics(focal, focal, (width - 1) / 2.0, (height - 1) / 2.0, width, height)


def fov_deg(intrinsics: Intrinsics) -> float:
    """Angle across the longer side in degrees, for a centred principal point."""
    if intrinsics.width >= intrinsics.height:
        side, focal = intrinsics.width, intrinsics.fx
    else:
        side, focal = intrinsics.height, intrinsics.fy
    return float(np.degrees(2.0 * np.arctan(side / (2.0 * focal))))


def intrinsics_of_photo(photo: Photo) -> Intrinsics:
    """From the EXIF focal length (35 mm equivalent, by the diagonal), else the default field of view."""
    if photo.focal_35mm is None:
        return intrinsics_from_fov(DEFAULT_FOV_DEG, photo.width, photo.height)
    focal = photo.focal_35mm * float(np.hypot(photo.width, photo.height)) / FULL_FRAME_DIAGONAL_MM
    return Intrinsics(focal, focal, (photo.width - 1) / 2.0, (photo.height - 1) / 2.0, photo.width, photo.height)


def focal_35mm(intrinsics: Intrinsics) -> float:
    """35 mm equivalent focal length in millimetres, by the diagonal."""
    diagonal = float(np.hypot(intrinsics.width, intrinsics.height))
    return (intrinsics.fx + intrinsics.fy) / 2.0 * FULL_FRAME_DIAGONAL_MM / diagonal


def resized(intrinsics: Intrinsics, width: int, height: int) -> Intrinsics:
    """The same camera after resizing its picture (pixel centres at integers)."""
    sx, sy = width / intrinsics.width, height / intrinsics.height
    return Intrinsics(
        fx=intrinsics.fx * sx,
        fy=intrinsics.fy * sy,
        cx=(intrinsics.cx + 0.5) * sx - 0.5,
        cy=(intrinsics.cy + 0.5) * sy - 0.5,
        width=width,
        height=height,
    )


def cropped(intrinsics: Intrinsics, x: int, y: int, width: int, height: int) -> Intrinsics:
    """The same camera after cutting out the window with top-left pixel (x, y)."""
    return Intrinsics(intrinsics.fx, intrinsics.fy, intrinsics.cx - x, intrinsics.cy - y, width, height)


def as_stored(camera: Camera, orientation: int) -> Camera | None:
    """The camera of the same picture before EXIF orientation 1, 3, 6 or 8 turned it upright; None for mirrored ones.

    A camera can be rolled about its axis, but it cannot take a mirrored picture.
    """
    if orientation not in _STORED_FROM_UPRIGHT:
        return None
    roll = np.eye(4)
    roll[:2, :2] = _STORED_FROM_UPRIGHT[orientation]
    k = camera.intrinsics
    turn = roll[:2, :2]
    width, height = abs(turn) @ (k.width, k.height)
    fx, fy = abs(turn) @ (k.fx, k.fy)
    # Where an axis is turned round, it is counted from its last pixel.
    cx, cy = turn @ (k.cx, k.cy) + np.where(turn.sum(axis=1) < 0, (width - 1, height - 1), 0)
    stored = Intrinsics(float(fx), float(fy), float(cx), float(cy), int(width), int(height))
    return Camera(stored, Pose(roll @ camera.camera_from_world.matrix))


def pixel_rays(intrinsics: Intrinsics) -> Float32[np.ndarray, "H W 3"]:
    """Directions with z = 1 through every pixel centre."""
    rays = np.empty((intrinsics.height, intrinsics.width, 3), np.float32)
    rays[..., 0] = (np.arange(intrinsics.width) - intrinsics.cx) / intrinsics.fx
    rays[..., 1] = ((np.arange(intrinsics.height) - intrinsics.cy) / intrinsics.fy)[:, None]
    rays[..., 2] = 1.0
    return rays


def unproject(
    intrinsics: Intrinsics, xy: Float[np.ndarray, "*batch 2"], z: Float[np.ndarray, "*batch"]
) -> Float64[np.ndarray, "*batch 3"]:
    """Points in camera axes at depth `z` seen at pixels `xy`."""
    x = (xy[..., 0] - intrinsics.cx) / intrinsics.fx
    y = (xy[..., 1] - intrinsics.cy) / intrinsics.fy
    return np.stack([x * z, y * z, np.asarray(z, dtype=np.float64)], axis=-1).astype(np.float64, copy=False)


def project(intrinsics: Intrinsics, points: Float[np.ndarray, "*batch 3"]) -> Float64[np.ndarray, "*batch 2"]:
    """Pixels of points in camera axes; NaN for points at or behind the camera's plane."""
    z = np.asarray(points[..., 2], dtype=np.float64)
    z = np.where(z > 0, z, np.nan)
    x = intrinsics.fx * points[..., 0] / z + intrinsics.cx
    y = intrinsics.fy * points[..., 1] / z + intrinsics.cy
    return np.stack([x, y], axis=-1)
