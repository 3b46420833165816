"""Rendered pictures with exact depth and object numbers, made from a seed as fast as photos are read."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from jaxtyping import Float32, Int32, UInt8

from core.maths.camera import intrinsics_from_fov
from core.maths.raycast import NOTHING, render_solids, texture_levels
from core.training.places import draw_place
from core.training.solids import CALM_TEXTURES
from core.training.textures import Picture, calm_textures, fractal_noise, made_textures, photo_textures
from core.types.camera import Intrinsics

Levels = tuple[UInt8[np.ndarray, "K _ _ 3"], ...]
_SKY_NOISE = 128
_TEXTURE_SIDE = 128
_MADE_TEXTURES, _PHOTO_TEXTURES = 96, 96


@dataclass(frozen=True, eq=False)
class Synthetic:
    """A picture, its z in metres (0: sky), the number of the thing at every pixel (-1: sky), and the camera."""

    picture: UInt8[np.ndarray, "H W 3"]
    depth: Float32[np.ndarray, "H W"]
    things: Int32[np.ndarray, "H W"]
    intrinsics: Intrinsics


def place_textures(random: np.random.Generator, photos: Iterable[Picture]) -> Levels:
    """Made ones, and cuttings of the first photos."""
    makers = ((calm_textures, CALM_TEXTURES), (made_textures, _MADE_TEXTURES))
    parts = [make(random, count, _TEXTURE_SIDE) for make, count in makers]
    cut = list(islice(photos, _PHOTO_TEXTURES))
    if cut:
        parts.append(photo_textures(random, cut, _TEXTURE_SIDE))
    return texture_levels(np.concatenate(parts))


def synthetic(random: np.random.Generator, textures: Levels, width: int, height: int) -> Synthetic:
    """A place by chance; `textures` comes from `place_textures`."""
    seen = draw_place(random, len(textures[0]))
    camera = intrinsics_from_fov(seen.field_of_view_deg, width, height)
    solids = seen.scene.solids(seen.camera_from_world)
    drawn = render_solids(solids, camera, seen.light, textures, draw_sky(random, width, height, seen.light.haze))
    things = np.append(np.array(seen.scene.things, np.int32), NOTHING)[drawn.solid]
    return Synthetic(drawn.picture, drawn.depth, things.astype(np.int32), camera)


def draw_sky(
    random: np.random.Generator, width: int, height: int, haze: tuple[float, float, float]
) -> Float32[np.ndarray, "H W 3"]:
    """A sky by chance, sRGB 0..255: from haze below to blue or gray above, with clouds."""
    top = np.array([random.uniform(40, 220), random.uniform(110, 230), random.uniform(170, 255)])
    down = np.linspace(0, 1, height)[:, None, None] ** random.uniform(0.5, 2)
    colours = top + (np.array(haze) - top) * down
    clouds = fractal_noise(random, _SKY_NOISE, 2)
    cover = np.clip((clouds - random.uniform(0.3, 0.9)) * random.uniform(1, 6), 0, 1)
    cover = cv2.resize(cover.astype(np.float32), (width, height))[..., None]
    return (colours + (random.uniform(190, 255) - colours) * cover).astype(np.float32)
