"""A small photo for tests of the studio's doors."""

import numpy as np

from core.files.png import encode_png

WIDTH, HEIGHT = 96, 72


def square_photo() -> bytes:
    """PNG of a bright square that stands on a dark ground."""
    rng = np.random.default_rng(0)
    pixels = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    pixels[20:52, 30:62] = (220, 190, 150)
    return encode_png(pixels + rng.integers(0, 6, pixels.shape, dtype=np.uint8))
