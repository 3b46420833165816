"""What was pointed at holds to the pixel, whatever a back-end believes."""

import numpy as np
from jaxtyping import UInt8

from core.types.mask import Prompt


def obeying(coverage: UInt8[np.ndarray, "H W"], prompt: Prompt) -> UInt8[np.ndarray, "H W"]:
    """The coverage kept inside the box and, around clicks that it contradicts, changed to what they say."""
    if prompt.box is None:
        kept = coverage.copy()
    else:
        x0, y0 = max(0, round(prompt.box.x0)), max(0, round(prompt.box.y0))
        x1, y1 = round(prompt.box.x1), round(prompt.box.y1)
        kept = np.zeros_like(coverage)
        kept[y0 : y1 + 1, x0 : x1 + 1] = coverage[y0 : y1 + 1, x0 : x1 + 1]
    _obey_clicks(kept, prompt)
    return kept


def _obey_clicks(coverage: UInt8[np.ndarray, "H W"], prompt: Prompt) -> None:
    """Where edge refinement went over a click, a dot around it is given back; nearest click wins."""
    height, width = coverage.shape
    radius = max(1, round(0.006 * max(height, width)))
    spots = [(round(c.x), round(c.y), c.positive) for c in prompt.clicks]
    spots = [(min(width - 1, max(0, x)), min(height - 1, max(0, y)), positive) for x, y, positive in spots]
    for x, y, positive in spots:
        if (coverage[y, x] >= 128) == positive:
            continue
        x0, y0 = max(0, x - radius), max(0, y - radius)
        ys, xs = np.mgrid[y0 : min(height, y + radius + 1), x0 : min(width, x + radius + 1)]
        mine = np.hypot(xs - x, ys - y)
        dot = mine <= radius
        for other_x, other_y, other in spots:
            if other != positive:
                dot &= mine < np.hypot(xs - other_x, ys - other_y)
        coverage[ys[dot], xs[dot]] = 255 if positive else 0
