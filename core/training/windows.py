"""Turned, mirrored and scaled windows of pictures and of the fields that belong to them."""

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

Matrix = Float64[np.ndarray, "3 3"]
_BLURRED_BELOW = 0.75


def window_from_area(
    middle: tuple[float, float],
    area: tuple[float, float],
    size: tuple[int, int],
    angle: float = 0.0,
    mirrored: bool = False,
) -> Matrix:
    """Affine map of pixel centres that takes an area (width, height in pixels) around `middle` to `size`.

    The area is turned by `angle` radians around its middle before.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    to_middle = np.array([[1, 0, -middle[0]], [0, 1, -middle[1]], [0, 0, 1]])
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    across, down = size[0] / area[0], size[1] / area[1]
    sign = -1 if mirrored else 1
    grow = np.array([[sign * across, 0, size[0] / 2 - 0.5], [0, down, size[1] / 2 - 0.5], [0, 0, 1]])
    return grow @ turn @ to_middle


def cut_picture(
    picture: UInt8[np.ndarray, "h w 3"], window_from_picture: Matrix, size: tuple[int, int]
) -> UInt8[np.ndarray, "H W 3"]:
    """What the window shows; beyond the picture it is mirrored. Blurred before where it shrinks much."""
    zoom = float(abs(np.linalg.det(window_from_picture[:2, :2])) ** 0.5)
    if zoom < _BLURRED_BELOW:  # a window samples single pixels
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / zoom)
    return cv2.warpAffine(
        picture, window_from_picture[:2], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    ).astype(np.uint8, copy=False)


def cut_numbers(
    numbers: UInt8[np.ndarray, "h w"], window_from_picture: Matrix, size: tuple[int, int], beyond: int
) -> UInt8[np.ndarray, "H W"]:
    """As `cut_picture` for numbers that must not be mixed; `beyond` stands where there is no picture."""
    return cv2.warpAffine(
        numbers, window_from_picture[:2], size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT,
        borderValue=(beyond,),
    ).astype(np.uint8, copy=False)  # fmt: skip
