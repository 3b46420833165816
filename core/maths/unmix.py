"""Straight-alpha layers that show a given picture: how opaque one must be, and which colours it then needs.

A layer of colour `over` and opacity `alpha` shows `alpha * over + (1 - alpha) * under`, in whatever values the
pictures are coded in. Values are in 0..1.
"""

import numpy as np
from jaxtyping import Float32, Shaped


def least_alpha(
    target: Float32[np.ndarray, "*shape C"],
    under: Float32[np.ndarray, "*shape C"],
    lowest: Float32[np.ndarray, "*shape C"],
    highest: Float32[np.ndarray, "*shape C"],
) -> Float32[np.ndarray, "*shape"]:
    """The smallest opacity with which a layer of colours from `lowest` to `highest` shows `target` over `under`.

    `target` itself must lie in that range.
    """
    room = np.where(target > under, highest - under, under - lowest)
    share = np.zeros_like(target)
    np.divide(np.abs(target - under), room, out=share, where=target != under)
    return share.max(axis=-1)


def unmixed(
    target: Float32[np.ndarray, "*shape C"],
    under: Float32[np.ndarray, "*shape C"],
    alpha: Float32[np.ndarray, "*shape"],
) -> Float32[np.ndarray, "*shape C"]:
    """The layer's colours that show `target` over `under`, held within 0..1; `target` itself where alpha is 0."""
    share = alpha[..., None]
    colours = target.copy()
    np.divide(target - (1 - share) * under, share, out=colours, where=share > 0)
    return np.clip(colours, 0, 1)


def laid_over(
    over: Shaped[np.ndarray, "*shape C"],
    under: Shaped[np.ndarray, "*shape C"],
    alpha: Shaped[np.ndarray, "*shape"],
) -> Shaped[np.ndarray, "*shape C"]:
    """What a viewer shows of an integer layer over an opaque integer picture, rounded; all of one type."""
    share = (alpha / np.float64(np.iinfo(alpha.dtype).max))[..., None]
    return np.rint(share * over + (1 - share) * under).astype(under.dtype)
