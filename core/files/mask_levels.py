"""What the numbers of a mask file mean: coverage, or the labels of objects."""

import cv2
import numpy as np
from jaxtyping import Shaped, UInt8

from core.errors import InvalidInput

# A mask that is coverage reaches (nearly) full coverage somewhere; one with so few levels that does not holds labels.
_FULL_FROM = 0.97
_MOST_LABELS = 64
_TOLD_LABELS = 8


def coverage_of_levels(
    levels: Shaped[np.ndarray, "H W"], full: float | None, name: str, label: int | None = None
) -> UInt8[np.ndarray, "H W"]:
    """Coverage 0..255 of one object from stored numbers, of which `full` stands for fully covered, None for labels.

    One number beside 0 marks the object, whatever it is: 1, 100, 255. `label` says which of several is meant. Raises
    InvalidInput for a mask that is empty, of several labels of which none is chosen, or nowhere mostly covered.
    """
    if label is not None:
        return _chosen(levels, label, name)
    top = float(levels.max(initial=0))
    if not top > 0:
        raise InvalidInput(f"{name} is empty: nothing in it is above 0; make what belongs to the object white.")
    if full is not None and full > 255 and 128 <= top <= 255:
        full = 255  # eight bits in a larger file
    found = _distinct(levels, np.inf if full is None else _MOST_LABELS)
    if found is not None and len(found) == 1:
        return np.where(levels > 0, np.uint8(255), np.uint8(0))
    if found is not None and (full is None or top < _FULL_FROM * full):
        raise InvalidInput(
            f"{name} holds {len(found)} labels ({_listed(found)}) and a mask is of one object; "
            "choose one (--mask-label N on the command line) or give a mask of that object alone."
        )
    assert full is not None  # labels are never too many to be told
    if top < 0.5 * full:
        raise InvalidInput(
            f"No pixel of {name} is more than {100 * top / full:.0f} % covered; make what belongs to the object white."
        )
    return np.rint(np.clip(levels, 0, full) * (255 / full)).astype(np.uint8)


def coverage_of_colours(pixels: UInt8[np.ndarray, "H W 3"], name: str) -> UInt8[np.ndarray, "H W"]:
    """Coverage from a coloured mask: one colour on black is the object, else the brighter the more covered.

    Raises InvalidInput as `coverage_of_levels` does.
    """
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    colours = np.flatnonzero(np.bincount(packed.ravel(), minlength=2))
    others = colours[colours > 0]
    if len(colours) > _MOST_LABELS:
        bright = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        return coverage_of_levels(bright if bright.max() >= 128 else pixels.max(axis=2), 255, name)
    if len(others) > 1 and not (others == 0xFFFFFF).any():
        raise InvalidInput(
            f"{name} holds {len(others)} colours beside black and a mask is of one object; "
            "give a mask of that object alone, white on black."
        )
    return coverage_of_levels(packed if len(others) == 1 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), 255, name)


def _chosen(levels: Shaped[np.ndarray, "H W"], label: int, name: str) -> UInt8[np.ndarray, "H W"]:
    there = levels == label
    if not there.any():
        found = _distinct(levels, np.inf)
        known = "" if found is None else f"; it has {_listed(found)}"
        raise InvalidInput(f"{name} has no label {label}{known}.")
    return np.where(there, np.uint8(255), np.uint8(0))


def _distinct(levels: Shaped[np.ndarray, "H W"], most: float) -> np.ndarray | None:
    """The numbers above 0 in order; None when they are more than `most`."""
    if levels.dtype in (np.uint8, np.uint16):
        found = np.flatnonzero(np.bincount(levels.ravel(), minlength=2))
    else:
        found = np.unique(levels)
    found = found[found > 0]
    return found if len(found) <= most else None


def _listed(found: np.ndarray) -> str:
    told = ", ".join(f"{value:g}" for value in found[:_TOLD_LABELS])
    return told if len(found) <= _TOLD_LABELS else f"{told}, ..."
