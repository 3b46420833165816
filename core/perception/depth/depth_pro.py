"""Depth Pro through the transformers package (Bochkovskii et al. 2024, arXiv 2410.02073)."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32

from core.errors import InvalidInput
from core.maths.camera import intrinsics_from_fov, intrinsics_of_photo, resized
from core.maths.depth import sharpen_steps
from core.maths.ground import fit_ground
from core.maths.sizes import size_within
from core.perception.depth.sky import with_far_sky
from core.perception.pretrained import HALF, Stoppable, as_input, load_pretrained
from core.types.camera import Intrinsics
from core.types.depth import DepthEstimate, DepthMap
from core.types.photo import Photo
from core.types.protocols import BackendInfo, CancelToken

# As released: what lies beyond is as good as infinitely far or in the lens.
_LEAST_INVERSE, _MOST_INVERSE = 1e-4, 1e4
_STEP_RADIUS = 2


@dataclass(frozen=True, eq=False)
class Prediction:
    """`canonical` is inverse depth in 1/m as seen by a lens as long as the picture is wide; `fov_deg` is across it."""

    canonical: Float32[np.ndarray, "S S"]
    fov_deg: float


class DepthPro:
    """DepthBackend over a folder of weights. Metres, by the photo's focal length where it is known, else by its own."""

    def __init__(self, info: BackendInfo, folder: Path) -> None:
        self.info = info
        network = load_pretrained("DepthProForDepthEstimation", folder)
        if not network.config.use_fov_model:
            raise InvalidInput(f"The Depth Pro in {folder} cannot tell the field of view; get the authors' own files.")
        self._side = round(network.config.patch_size / network.config.scaled_images_ratios[0])
        self._network = Stoppable(network)

    def estimate(self, photo: Photo, intrinsics: Intrinsics, cancel: CancelToken) -> DepthEstimate:
        """Depth with the photo's aspect ratio, its longer side at most the network's. Raises Cancelled between layers.

        Intrinsics that are only the default for photos without a focal length are replaced by the network's own.
        """
        cancel.check()
        told = self.predict(photo, cancel)
        if photo.focal_35mm is None and intrinsics == intrinsics_of_photo(photo):
            intrinsics = _across_width(told.fov_deg, photo.width, photo.height)
        size = size_within(photo.width, photo.height, self._side)
        inverse = cv2.resize(told.canonical, size, interpolation=cv2.INTER_LINEAR) * (photo.width / intrinsics.fx)
        inverse = sharpen_steps(np.clip(inverse, _LEAST_INVERSE, _MOST_INVERSE).astype(np.float32), _STEP_RADIUS)
        values, valid = with_far_sky(1 / inverse, photo.srgb), np.ones(inverse.shape, bool)
        ground = fit_ground(values, valid, resized(intrinsics, *size))
        return DepthEstimate(DepthMap(values, valid, "metric", self.info.title), intrinsics, ground)

    def predict(self, photo: Photo, cancel: CancelToken) -> Prediction:
        """What the network says of the photo squeezed into its square."""
        square = cv2.resize(photo.srgb, (self._side, self._side), interpolation=cv2.INTER_LINEAR)
        told = self._network(cancel, as_input(square, HALF))
        return Prediction(told.predicted_depth[0].float().cpu().numpy(), float(told.field_of_view[0]))


def _across_width(fov_deg: float, width: int, height: int) -> Intrinsics:
    """The camera whose picture is `fov_deg` wide, within the angles that a lens can have."""
    half = np.tan(np.radians(np.clip(fov_deg, 1.0, 170.0)) / 2) * max(width, height) / width
    return intrinsics_from_fov(float(np.clip(np.degrees(2 * np.arctan(half)), 1.0, 170.0)), width, height)
