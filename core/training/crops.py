"""Square cut-outs of packed pictures, with the camera that would have taken them."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from core.maths.camera import cropped, intrinsics_from_fov, resized
from core.training.config import PairSettings, PictureSettings
from core.training.packed import InverseDepth, Picture, View
from core.types.camera import Intrinsics

# Half the crops are windows with square pixels, as the editor cuts them; the rest are squashed, as for depth.
_SQUARE_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Square:
    """A picture of side x side pixels with its inverse depth and camera.

    `objects` numbers whole objects where someone outlined them: 0 none, 255 not told.
    """

    picture: Picture
    inverse_depth: InverseDepth | None
    intrinsics: Intrinsics
    objects: UInt8[np.ndarray, "S S"] | None = None


@dataclass(frozen=True)
class Cut:
    """Which window is cut out, and the field of view that stands in for an unknown one."""

    x: int
    y: int
    width: int
    height: int
    field_of_view_deg: float


def draw_cut(view: View, pictures: PictureSettings, pairs: PairSettings, random: np.random.Generator) -> Cut:
    """A random square, or a window of the picture's own shape; how large, `PictureSettings` tells."""
    height, width = view.picture.shape[:2]
    scale = np.sqrt(random.uniform(pictures.smallest_crop_share, 1.0))
    is_square = random.random() < _SQUARE_SHARE
    fov = float(random.uniform(*pairs.field_of_view_deg))
    sides = (min(width, height),) * 2 if is_square else (width, height)
    across, down = (max(8, round(side * scale)) for side in sides)
    x, y = (int(random.integers(0, room + 1)) for room in (width - across, height - down))
    return Cut(x, y, across, down, fov)


def square(view: View, cut: Cut, side: int, objects: UInt8[np.ndarray, "H W"] | None = None) -> Square:
    """The window, resized to a square; `objects` are the view's."""
    window = slice(cut.y, cut.y + cut.height), slice(cut.x, cut.x + cut.width)
    camera = view.intrinsics
    if camera is None:
        height, width = view.picture.shape[:2]
        camera = intrinsics_from_fov(cut.field_of_view_deg, width, height)
    camera = resized(cropped(camera, cut.x, cut.y, cut.width, cut.height), side, side)
    shrinks = cut.width * cut.height > side * side
    picture = cv2.resize(
        view.picture[window], (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    inverse = view.inverse_depth
    if inverse is not None:
        inverse = cv2.resize(inverse[window], (side, side), interpolation=cv2.INTER_LINEAR)
    if objects is not None:
        objects = cv2.resize(objects[window], (side, side), interpolation=cv2.INTER_NEAREST_EXACT)
    return Square(picture, inverse, camera, objects)


def mirrored(square: Square) -> Square:
    """Left and right exchanged."""
    camera = square.intrinsics
    inverse, objects = square.inverse_depth, square.objects
    return Square(
        np.ascontiguousarray(square.picture[:, ::-1]),
        None if inverse is None else np.ascontiguousarray(inverse[:, ::-1]),
        Intrinsics(camera.fx, camera.fy, camera.width - 1 - camera.cx, camera.cy, camera.width, camera.height),
        None if objects is None else np.ascontiguousarray(objects[:, ::-1]),
    )
