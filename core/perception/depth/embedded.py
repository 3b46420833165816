"""Depth by the small network that comes with the studio."""

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8

from core.compute import computes
from core.errors import InvalidInput
from core.maths.camera import resized
from core.maths.depth import sharpen_steps
from core.maths.ground import fit_ground
from core.maths.sizes import size_within
from core.nets.blocks import STRIDE
from core.nets.depth_student import DepthStudent
from core.perception.depth.sky import with_far_sky
from core.types.camera import Intrinsics
from core.types.depth import DepthEstimate, DepthMap
from core.types.photo import Photo
from core.types.protocols import BackendInfo, CancelToken

LONGEST = 256
_RETURNED = 768
# The nearest 2 % stand at 1 scene unit; what the network takes for farther than this stands there, as the sky does.
_FARTHEST = 40.0
_NEAR_SHARE = 0.98
# Its blurry surfaces come this much too near beside near things.
_TOLERANCE = 0.4
_GUIDE_RADIUS = 4
_GUIDE_EPSILON = (0.03 * 255) ** 2


class EmbeddedDepth:
    """DepthBackend over the depth student. Relative depth with confidence; the same photo gives the same depth."""

    info = BackendInfo("embedded", "Depth network (built in)", "MIT")

    def __init__(self, network: DepthStudent, longest: int = LONGEST) -> None:
        self._network, self._longest = network, longest

    def estimate(self, photo: Photo, intrinsics: Intrinsics, cancel: CancelToken) -> DepthEstimate:
        """Depth of at most 768 pixels with the photo's aspect ratio, and the ground if there is one in it."""
        cancel.check()
        inverse, doubt = self.inverse_depth(photo.srgb)
        cancel.check()
        size = size_within(photo.width, photo.height, _RETURNED)
        fine = snapped(inverse, cv2.resize(photo.srgb, size, interpolation=cv2.INTER_AREA))
        near = float(np.quantile(fine, _NEAR_SHARE))
        if not (np.isfinite(near) and near > 0):
            raise InvalidInput("The depth network found no depth in this photo; use the layout guess or a depth file.")
        values = with_far_sky((1 / np.clip(fine / near, 1 / _FARTHEST, 4.0)).astype(np.float32), photo.srgb)
        valid = np.ones(values.shape, bool)
        confidence = cv2.resize(1 / (1 + np.exp(doubt)), size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
        depth = DepthMap(values, valid, "relative", self.info.title, False, confidence, _TOLERANCE)
        return DepthEstimate(depth, intrinsics, fit_ground(values, valid, resized(intrinsics, *size)))

    @computes
    def inverse_depth(
        self, srgb: UInt8[np.ndarray, "H W 3"]
    ) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
        """Inverse depth up to scale and its log-uncertainty at the network's size: means of photo and mirror image."""
        height, width = srgb.shape[:2]
        factor = self._longest / max(width, height)
        size = tuple(max(STRIDE, STRIDE * round(side * factor / STRIDE)) for side in (width, height))
        shrinks = factor < 1
        small = cv2.resize(srgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        images = torch.from_numpy(np.stack([small, small[:, ::-1]])).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            inverse, doubt = self._network(images.contiguous(memory_format=torch.channels_last))
            inverse, doubt = ((value[0] + value[1].flip(-1)) / 2 for value in (inverse, doubt))
        return inverse.float().numpy(), doubt.float().numpy()


def snapped(inverse: Float32[np.ndarray, "h w"], guide: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W"]:
    """Inverse depth at the guide's size, its steps moved to the guide's edges and made clean.

    A guided filter (He et al. 2013) moves the steps, `sharpen_steps` gives each pixel to one side.
    """
    height, width = guide.shape[:2]
    enlarged = cv2.resize(inverse, (width, height), interpolation=cv2.INTER_LINEAR)
    radius = max(1, round(_GUIDE_RADIUS * max(1.0, width / inverse.shape[1])))
    if min(height, width) > 2 * radius and hasattr(cv2, "ximgproc"):
        enlarged = cv2.ximgproc.guidedFilter(guide, enlarged, radius, _GUIDE_EPSILON)
    return sharpen_steps(np.maximum(enlarged, 0), max(1, round(1.5 * width / inverse.shape[1])))
