"""Analytic scenes with exact depth, for laws about motion and visibility."""

from dataclasses import dataclass

import numpy as np

from core.maths.camera import pixel_rays
from core.types.camera import Camera, Intrinsics
from core.types.depth import DepthEstimate, DepthMap, Ground
from core.types.mask import Mask
from core.types.photo import Photo
from core.types.scene import Scene

WIDTH, HEIGHT = 96, 72
CAMERA = Intrinsics(80.0, 80.0, (WIDTH - 1) / 2, (HEIGHT - 1) / 2, WIDTH, HEIGHT)


@dataclass(frozen=True)
class AnalyticScene:
    photo: Photo
    estimate: DepthEstimate
    mask: Mask

    @property
    def scene(self) -> Scene:
        return Scene(CAMERA, Camera(CAMERA), self.estimate.ground)


def textured_photo(width: int = WIDTH, height: int = HEIGHT, dtype: type = np.uint8) -> Photo:
    """Smooth waves and a little noise, the same every time."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 7) + np.cos(y / 9), np.sin((x + y) / 11), np.cos(x / 5 - y / 8)], axis=-1)
    noise = np.random.default_rng(7).normal(0, 0.05, waves.shape)
    unit = np.clip(0.5 + 0.22 * waves + noise, 0.02, 0.98)
    pixels = np.rint(unit * np.iinfo(dtype).max).astype(dtype)
    return Photo("waves.png", pixels, np.rint(unit * 255).astype(np.uint8))


def depth_estimate(values: np.ndarray, ground: Ground | None = None) -> DepthEstimate:
    depth = DepthMap(values.astype(np.float32), np.ones(values.shape, bool), "metric", "analytic")
    return DepthEstimate(depth, CAMERA, ground)


def card_before_wall(card_z: float = 2.0, wall_z: float = 4.0, dtype: type = np.uint8) -> AnalyticScene:
    """A fronto-parallel square card (24 px wide) in front of a wall."""
    values = np.full((HEIGHT, WIDTH), wall_z)
    coverage = np.zeros((HEIGHT, WIDTH), np.uint8)
    coverage[24:48, 36:60] = 255
    values[coverage > 0] = card_z
    return AnalyticScene(textured_photo(dtype=dtype), depth_estimate(values), Mask(coverage))


def slanted_floor(height: float = 1.0, tilt: float = 0.6) -> AnalyticScene:
    """A plane that fills the picture: the ground seen by a camera tilted down by `tilt` radians."""
    up = (0.0, -float(np.cos(tilt)), -float(np.sin(tilt)))
    rays = pixel_rays(CAMERA).astype(np.float64)
    values = -height / (rays @ np.array(up))
    coverage = np.zeros((HEIGHT, WIDTH), np.uint8)
    coverage[30:50, 40:60] = 255
    return AnalyticScene(textured_photo(), depth_estimate(values, Ground(up, height)), Mask(coverage))


def sphere_before_wall(radius: float = 0.6, centre_z: float = 2.5, wall_z: float = 5.0) -> AnalyticScene:
    """A sphere on the optical axis in front of a wall."""
    rays = pixel_rays(CAMERA).astype(np.float64)
    a = (rays**2).sum(-1)
    b = -2 * rays[..., 2] * centre_z
    root = b**2 - 4 * a * (centre_z**2 - radius**2)
    hit = root > 0
    values = np.full((HEIGHT, WIDTH), wall_z)
    values[hit] = ((-b - np.sqrt(np.maximum(root, 0))) / (2 * a))[hit]
    return AnalyticScene(textured_photo(), depth_estimate(values), Mask(hit.astype(np.uint8) * 255))
