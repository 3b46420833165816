"""A card on a floor with a shadow that is known exactly: floor times ratio, in linear light."""

from dataclasses import dataclass

import cv2
import numpy as np

from core.editing.apply import apply_all, new_project
from core.maths.camera import pixel_rays
from core.maths.colour import coded_pixels
from core.types.camera import Intrinsics
from core.types.depth import DepthEstimate, DepthMap, Ground
from core.types.edits import AddObject, Edit, SetShadow
from core.types.mask import Mask
from core.types.photo import Photo
from core.types.project import Project

WIDTH, HEIGHT = 320, 240
CAMERA = Intrinsics(300.0, 300.0, (WIDTH - 1) / 2, (HEIGHT - 1) / 2, WIDTH, HEIGHT)
TILT, ABOVE = 0.6, 1.0
UP = (0.0, -float(np.cos(TILT)), -float(np.sin(TILT)))
AWAY = np.array([0.0, -np.sin(TILT), np.cos(TILT)])
FOOT = (-0.05, 1.9)
"""Where the card's middle stands on the floor: right and away of the point below the camera."""
CARD = (0.3, 0.4)
RADII = (0.34, 0.2)
"""Of the shadow's ellipse around the foot, scene units on the floor."""


@dataclass(frozen=True, eq=False)
class Shadowed:
    photo: Photo
    lit: np.ndarray
    """The floor alone, as the photo would show it without card and shadow."""
    ratio: np.ndarray
    card: Mask
    shadow: Mask
    estimate: DepthEstimate

    def project(self, *more: Edit, shadow: bool = True) -> Project:
        """The card is cut out as "card", with its shadow."""
        taken = [SetShadow("card", self.shadow)] if shadow else []
        cut = [AddObject("card", self.card, "Card"), *taken, *more]
        return apply_all(new_project(self.photo, self.estimate), cut)


def floor_points() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Right and away of the floor under every pixel, and its depth."""
    rays = pixel_rays(CAMERA).astype(np.float64)
    depth = -ABOVE / (rays @ np.array(UP))
    right, away = ground_coordinates(rays * depth[..., None])
    return right, away, depth


def ground_coordinates(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Right and away on the floor of points in world axes."""
    return points[..., 0], points @ AWAY


def shadow_ratio(
    right: np.ndarray, away: np.ndarray, foot: tuple[float, float] = FOOT, deep: float = 0.3
) -> np.ndarray:
    """Ratio of an elliptic shadow with a penumbra of a quarter of its radius."""
    across, along = (right - foot[0]) / RADII[0], (away - foot[1]) / RADII[1]
    edge = np.clip((1 - np.hypot(across, along)) / 0.25, 0, 1)
    return 1 - (1 - deep) * edge * edge * (3 - 2 * edge)


def shadowed_card(
    texture: float = 0.12, dtype: type = np.uint8, tint: tuple[float, float, float] = (1, 1, 1)
) -> Shadowed:
    """A red card, upright and facing the camera, on a mottled floor whose light falls off to the right."""
    right, away, depth = floor_points()
    noise = np.random.default_rng(4).normal(0, 1, (HEIGHT, WIDTH, 1))
    mottled = 1 + texture * np.clip(cv2.GaussianBlur(noise, (0, 0), 1.0) * 2, -2, 2)[..., None]
    falling = (1 - 0.25 * (right + 0.5))[..., None]
    lit = np.clip(np.array([0.42, 0.36, 0.28]) * mottled * falling, 0, 0.95)
    ratio = shadow_ratio(right, away)[..., None] ** np.array(tint)
    seen = lit * ratio
    # The card: upright through the foot, its plane across the camera's line of sight along the floor.
    rays = pixel_rays(CAMERA).astype(np.float64)
    card_depth = FOOT[1] / (rays @ AWAY)
    at = rays * card_depth[..., None]
    above = at @ np.array(UP) + ABOVE
    on_card = (np.abs(at[..., 0] - FOOT[0]) < CARD[0] / 2) & (above >= 0) & (above < CARD[1])
    seen[on_card] = (0.5, 0.06, 0.05)
    depth = np.where(on_card, card_depth, depth).astype(np.float32)
    estimate = DepthEstimate(
        DepthMap(depth, np.ones(depth.shape, bool), "metric", "analytic"), CAMERA, Ground(UP, ABOVE)
    )
    pixels, lit_pixels = (coded_pixels(light.astype(np.float32), np.dtype(dtype)) for light in (seen, lit))
    srgb = coded_pixels(seen.astype(np.float32), np.dtype(np.uint8))
    card = Mask(np.where(on_card, np.uint8(255), np.uint8(0)))
    there = ((ratio[..., 1] < 0.97) & ~on_card).astype(np.uint8)
    shadow = Mask(cv2.dilate(there, np.ones((5, 5), np.uint8)) * np.uint8(255) * ~on_card)
    return Shadowed(Photo("card.png", pixels, srgb), lit_pixels, ratio, card, shadow, estimate)
