"""A card before a card before a wall, with known depth, soft edges and colours that no other surface has."""

from dataclasses import dataclass

import cv2
import numpy as np

from core.editing.apply import apply_all, new_project
from core.types.camera import Intrinsics
from core.types.depth import DepthEstimate, DepthMap
from core.types.edits import AddObject
from core.types.mask import Mask
from core.types.photo import Photo
from core.types.project import Project

WIDTH, HEIGHT = 240, 180
FRONT_Z, MIDDLE_Z, WALL_Z = 2.0, 3.0, 5.0
RED, BLUE = np.array([0.85, 0.1, 0.12]), np.array([0.1, 0.2, 0.8])


@dataclass(frozen=True)
class Cards:
    """`front` and `middle` are whole coverages 0..1, as if nothing stood before them."""

    project: Project
    front: np.ndarray
    middle: np.ndarray


def rectangle(x0: int, y0: int, x1: int, y1: int, softness: float) -> np.ndarray:
    shape = np.zeros((HEIGHT, WIDTH), np.float32)
    shape[y0:y1, x0:x1] = 1
    return cv2.GaussianBlur(shape, (0, 0), softness) if softness else shape


def cards(dtype: type = np.uint8, softness: float = 0.8) -> Cards:
    """A red card hides the right end of a blue one; the wall is grey-green with a fine grain."""
    full = np.iinfo(dtype).max
    grain = np.random.default_rng(3).normal(0, 0.02, (HEIGHT, WIDTH, 1))
    picture = np.array([0.45, 0.55, 0.45]) + grain
    front, middle = rectangle(120, 50, 190, 130, softness), rectangle(50, 70, 160, 150, softness)
    for coverage, colour in ((middle, BLUE), (front, RED)):
        picture = coverage[..., None] * (colour + 0.3 * grain) + (1 - coverage[..., None]) * picture
    pixels = np.rint(picture.clip(0, 1) * full).astype(dtype)
    photo = Photo("cards.png", pixels, np.rint(picture.clip(0, 1) * 255).astype(np.uint8))
    values = np.full((HEIGHT, WIDTH), WALL_Z)
    values[middle >= 0.5], values[front >= 0.5] = MIDDLE_Z, FRONT_Z
    depth = DepthMap(values.astype(np.float32), np.ones(values.shape, bool), "metric", "analytic")
    camera = Intrinsics(200.0, 200.0, (WIDTH - 1) / 2, (HEIGHT - 1) / 2, WIDTH, HEIGHT)
    project = new_project(photo, DepthEstimate(depth, camera))
    visible = middle * (1 - front)
    masks = [Mask(np.rint(255 * coverage).astype(np.uint8)) for coverage in (visible, front)]
    added = [AddObject("middle", masks[0], "Middle card"), AddObject("front", masks[1], "Front card")]
    return Cards(apply_all(project, added), front, middle)
