"""Depth Anything V2 through the transformers package (Yang et al. 2024, arXiv 2406.09414)."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32
from PIL import Image

from core.maths.camera import resized
from core.maths.depth import relative_from_affine
from core.maths.ground import fit_ground
from core.maths.sizes import size_within
from core.perception.depth.embedded import snapped
from core.perception.depth.sky import with_far_sky
from core.perception.pretrained import IMAGENET, Stoppable, as_input, load_pretrained
from core.types.camera import Intrinsics
from core.types.depth import DepthEstimate, DepthMap
from core.types.photo import Photo
from core.types.protocols import BackendInfo, CancelToken

_RETURNED = 1024
_LONGEST_RATIO = 2.0
_LEAST_METRES = 1e-3
# The farthest is 0 in its inverse depth, which is a shift away from anything.
_ABOVE_ZERO = 1e-3


class DepthAnything:
    """DepthBackend over a folder of weights: metres from the metric variants, else relative with the range assumed.

    The metric variants were trained for one lens each and do not ask for the focal length; it is returned as given.
    """

    def __init__(self, info: BackendInfo, folder: Path) -> None:
        self.info = info
        network = load_pretrained("DepthAnythingForDepthEstimation", folder)
        self._metric = network.config.depth_estimation_type == "metric"
        self._side = int(network.config.backbone_config.image_size)
        self._patch = int(network.config.patch_size)
        self._network = Stoppable(network)

    def estimate(self, photo: Photo, intrinsics: Intrinsics, cancel: CancelToken) -> DepthEstimate:
        """Depth of at most 1024 pixels with the photo's aspect ratio. Raises Cancelled between layers."""
        cancel.check()
        told = self.predict(photo, cancel)
        size = size_within(photo.width, photo.height, _RETURNED)
        guide = cv2.resize(photo.srgb, size, interpolation=cv2.INTER_AREA)
        coarse = 1 / np.maximum(told, _LEAST_METRES) if self._metric else told + _ABOVE_ZERO
        inverse = np.clip(snapped(coarse, guide), coarse.min(), coarse.max())
        valid = np.ones(inverse.shape, bool)
        if self._metric:
            depth = DepthMap(1 / inverse, valid, "metric", self.info.title)
        else:
            depth = relative_from_affine(DepthMap(inverse, valid, "affine", self.info.title))
        depth = replace(depth, values=with_far_sky(depth.values, photo.srgb), id="")
        return DepthEstimate(depth, intrinsics, fit_ground(depth.values, valid, resized(intrinsics, *size)))

    def predict(self, photo: Photo, cancel: CancelToken) -> Float32[np.ndarray, "h w"]:
        """What the network says: metres from the metric variants, else inverse depth up to scale and shift."""
        picture = Image.fromarray(photo.srgb).resize(
            self.input_size(photo.width, photo.height), Image.Resampling.BICUBIC
        )
        told = self._network(cancel, as_input(np.asarray(picture), IMAGENET)).predicted_depth
        return told[0].float().cpu().numpy()

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        """The size the picture is seen at, in whole patches: scaled as little as brings one side to the released 518.

        A longer side of more than twice that is made shorter, since time and memory grow with its square.
        """
        factor = min(self._side / width, self._side / height, key=lambda scale: abs(1 - scale))
        factor = min(factor, _LONGEST_RATIO * self._side / max(width, height))
        across, down = (max(1, round(side * factor / self._patch)) for side in (width, height))
        return across * self._patch, down * self._patch
