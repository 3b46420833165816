"""A case of 3DEditBench drawn by hand: a card of one colour before a wall moves, every pixel known."""

import numpy as np

from core.maths.rigid import pose
from core.types.camera import Intrinsics
from core.types.edit_case import EditCase

SIDE = 96
CAMERA = Intrinsics(100.0, 100.0, (SIDE - 1) / 2, (SIDE - 1) / 2, SIDE, SIDE)
CARD_Z, WALL_Z = 2.0, 4.0
# (right, down) in metres, and the same in pixels of the card: 100 px * 0.4 m / 2 m = 20 px.
MOVED, SHIFT = (0.4, 0.16), (20, 8)
CARD_COLOUR = (200, 40, 30)


def card_case(name: str = "card.hdf5") -> EditCase:
    """The card, 24 x 24 pixels, slides by SHIFT; the wall is a gentle gradient with waves."""
    y, x = np.mgrid[:SIDE, :SIDE]
    waves = np.sin(x / 9.0) + np.cos(y / 7.0)
    wall = np.stack([90 + 12 * waves, 120 + 0.5 * x, 140 - 0.4 * y + 8 * waves], axis=-1).astype(np.uint8)
    mask = np.zeros((SIDE, SIDE), bool)
    mask[20:44, 16:40] = True
    mask_after = np.roll(mask, SHIFT[::-1], (0, 1))
    points = np.array([[18.0, 22], [37, 22], [18, 41], [37, 41], [28, 30]])
    return EditCase(
        name, _with_card(wall, mask), _with_card(wall, mask_after), CAMERA, pose(np.eye(3), (*MOVED, 0.0)),
        points, points + SHIFT, np.array([[10.0, 90], [80, 90], [50, 70]]), (28.0, 32.0), mask,
        np.where(mask, np.float32(CARD_Z), np.float32(WALL_Z)), wall, mask_after,
    )  # fmt: skip


def _with_card(wall: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask[..., None], np.array(CARD_COLOUR, np.uint8), wall)
