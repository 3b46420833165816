"""Textures for rendered scenes: noise of many kinds, and cuttings of photos."""

from collections.abc import Callable, Iterable

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

Picture = UInt8[np.ndarray, "H W 3"]
Texture = UInt8[np.ndarray, "S S 3"]
Atlas = UInt8[np.ndarray, "K S S 3"]
_Pattern = Callable[[np.random.Generator, int], Float32[np.ndarray, "S S"]]
_LARGEST_SHARE, _SMALLEST_SHARE = 0.9, 0.15


def made_textures(random: np.random.Generator, count: int, side: int) -> Atlas:
    """Plain, stained, striped, checked, tiled, bricked, grained and leafy squares that repeat without a seam."""
    return np.stack([_made(random, side, _PATTERNS) for _ in range(count)])


def calm_textures(random: np.random.Generator, count: int, side: int) -> Atlas:
    """Plain or faintly stained squares, as most walls, floors and furniture are."""
    return np.stack([_made(random, side, _CALM) for _ in range(count)])


def photo_textures(random: np.random.Generator, photos: Iterable[Picture], side: int) -> Atlas:
    """One cutting of each photo, mirrored both ways so that it repeats without a seam."""
    return np.stack([_cutting(random, photo, side) for photo in photos])


def smooth_noise(random: np.random.Generator, side: int, cells: int) -> Float32[np.ndarray, "S S"]:
    """Values 0..1 that change over a distance of side / cells and repeat at the sides."""
    grid = random.random((cells, cells), np.float32)
    padded = np.pad(grid, 2, mode="wrap")
    step = side // cells
    grown = cv2.resize(padded, (len(padded) * step,) * 2, interpolation=cv2.INTER_CUBIC)
    return grown[2 * step :, 2 * step :][:side, :side].clip(0, 1)


def fractal_noise(random: np.random.Generator, side: int, cells: int = 4) -> Float32[np.ndarray, "S S"]:
    """Noise of several scales, 0..1."""
    total, weight, sums = np.zeros((side, side), np.float32), 1.0, 0.0
    fall = random.uniform(0.4, 0.8)
    while cells <= side // 2:
        total += weight * smooth_noise(random, side, cells)
        sums, weight, cells = sums + weight, weight * fall, cells * 2
    return total / sums


def random_colour(random: np.random.Generator) -> Float32[np.ndarray, "3"]:
    """0..255; most things are not vivid."""
    gray = random.uniform(20, 245)
    return np.clip(gray + random.normal(0, random.choice([6.0, 20.0, 60.0]), 3), 0, 255).astype(np.float32)


def _made(random: np.random.Generator, side: int, patterns: tuple[_Pattern, ...]) -> Texture:
    pattern = patterns[int(random.integers(len(patterns)))]
    share = pattern(random, side)[..., None]
    first, second = random_colour(random), random_colour(random)
    second = first + (second - first) * random.uniform(0.1, 1.0)
    grain = random.uniform(0, 12) * (fractal_noise(random, side, 16)[..., None] - 0.5)
    return np.clip(first + (second - first) * share + grain, 0, 255).astype(np.uint8)


def _stained(random: np.random.Generator, side: int) -> np.ndarray:
    return fractal_noise(random, side, int(random.choice([2, 4, 8, 16])))


def _plain(random: np.random.Generator, side: int) -> np.ndarray:
    return 0.15 * fractal_noise(random, side)


def _striped(random: np.random.Generator, side: int) -> np.ndarray:
    count, axis = int(random.integers(1, 17)), int(random.integers(2))
    wave = np.sin(2 * np.pi * count * np.mgrid[:side, :side][axis] / side)
    return (wave > random.uniform(-0.8, 0.8)).astype(np.float32)


def _checked(random: np.random.Generator, side: int) -> np.ndarray:
    step = side // int(random.choice([2, 4, 8]))
    y, x = np.mgrid[:side, :side] // step
    return ((x + y) % 2).astype(np.float32)


def _bricked(random: np.random.Generator, side: int) -> np.ndarray:
    rows = int(random.choice([4, 8, 16]))
    columns, joint = rows // 2, max(1, side // (rows * 8))
    y, x = np.mgrid[:side, :side]
    row = y * rows // side
    shift = (row % 2) * (side // (2 * columns)) * int(random.integers(2))
    inside = (y % (side // rows) >= joint) & ((x + shift) % (side // columns) >= joint)
    column = (x + shift) % side * columns // side
    lightness = random.random((rows, columns), np.float32)[row, column]
    return np.where(inside, 0.5 + 0.5 * lightness, 0).astype(np.float32)


def _grained(random: np.random.Generator, side: int) -> np.ndarray:
    coarse = fractal_noise(random, side, 2)
    x = np.mgrid[:side, :side][1].astype(np.float32) / side
    rings = np.sin(2 * np.pi * (random.integers(3, 12) * x + random.uniform(0.5, 3) * coarse))
    return (0.5 + 0.35 * rings + 0.15 * cv2.blur(random.random((side, side), np.float32), (1, 15))).astype(np.float32)


def _leafy(random: np.random.Generator, side: int) -> np.ndarray:
    picture = np.zeros((side, side), np.float32)
    for _ in range(150):
        x, y = (int(value) for value in random.integers(0, side, 2))
        axes = (int(random.integers(2, side // 8)), int(random.integers(1, side // 16)))
        cv2.ellipse(picture, (x, y), axes, float(random.uniform(0, 180)), 0, 360, float(random.random()), -1)
    return picture


_PATTERNS = (_stained, _stained, _plain, _plain, _striped, _checked, _bricked, _grained, _leafy)
_CALM = (_plain, _plain, _grained)


def _cutting(random: np.random.Generator, photo: UInt8[np.ndarray, "H W 3"], side: int) -> Texture:
    height, width = photo.shape[:2]
    size = max(4, round(min(height, width) * random.uniform(_SMALLEST_SHARE, _LARGEST_SHARE)))
    y, x = (int(random.integers(0, room - size + 1)) for room in (height, width))
    half = cv2.resize(photo[y : y + size, x : x + size], (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    wide = np.hstack([half, half[:, ::-1]])
    return np.vstack([wide, wide[::-1]])
