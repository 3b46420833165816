"""Depth without a network: the layout of the place, from a guess or from the user's two handles."""

import numpy as np
from jaxtyping import Bool

from core.maths.camera import resized
from core.maths.layout import layout_depth
from core.maths.sizes import size_within
from core.perception.depth.cues import guess_layout
from core.perception.depth.sky import at_size, sky_depth
from core.types.camera import Intrinsics
from core.types.depth import DepthEstimate, DepthMap, Layout
from core.types.photo import Photo
from core.types.protocols import BackendInfo, CancelToken

_LONGEST = 1024


class LayoutDepth:
    """DepthBackend: ground, an upright backdrop and the sky; objects stand on it by their masks.

    `layout` (the user's handles) is used as it is; without it the handles are guessed from lines,
    sky and texture. Deterministic, no download.
    """

    info = BackendInfo("layout", "Layout guess (no network)", "MIT")

    def __init__(self, layout: Layout | None = None) -> None:
        self.layout = layout

    def estimate(self, photo: Photo, intrinsics: Intrinsics, cancel: CancelToken) -> DepthEstimate:
        """Relative depth of at most 1024 pixels, with the ground and the layout it was made from."""
        cancel.check()
        guessed, sky = guess_layout(photo.srgb)
        cancel.check()
        layout = guessed if self.layout is None else self.layout
        size = size_within(photo.width, photo.height, _LONGEST)
        values, ground = layout_depth(layout, resized(intrinsics, *size))
        values[_sky_at(sky, size, layout)] = sky_depth(values)
        source = "Layout guess: ground, backdrop and sky only" if self.layout is None else "Layout set by hand"
        depth = DepthMap(values, np.ones(values.shape, bool), "relative", source, upright_objects=True)
        return DepthEstimate(depth, intrinsics, ground, layout)


def _sky_at(sky: Bool[np.ndarray, "h w"], size: tuple[int, int], layout: Layout) -> Bool[np.ndarray, "H W"]:
    """The sky at depth size, above the horizon only."""
    rows = (np.arange(size[1]) + 0.5) / size[1]
    return at_size(sky, *size) & (rows < layout.horizon)[:, None]
