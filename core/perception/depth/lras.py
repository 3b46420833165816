"""Depth from predicted flow: what moves more under a small camera motion is nearer.

Recipe of the paper: the camera moves upwards in its own plane, the network predicts the flow several times, and
disparity is the flow's length (spec 6.3). Ours takes the median of the runs and their spread as confidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8

from core.compute import computes
from core.lras.layout import Codes, camera_codes
from core.lras.plan import flow_plan, orders
from core.lras.quantizer import Quantizer, denormalise_flow, normalise_rgb
from core.lras.recipe import INTENDED
from core.lras.runtime import Decoding, Runtime
from core.lras.sampling import Sampling
from core.types.camera import Intrinsics
from core.types.depth import DepthEstimate, DepthMap
from core.types.photo import Photo
from core.types.protocols import BackendInfo, CancelToken

FLOW_DEPTH = BackendInfo("lras", "LRAS predicted flow", "MIT by its authors' README")
OWN_FLOW_DEPTH = BackendInfo("flow", "Predicted flow of a network of one's own", "MIT")
_UP = 0.3
_SEED_STEP = 42
# Flow shorter than this share of the longest is as good as none: depth there is only known to be far.
_LEAST_SHARE = 0.02


@dataclass(frozen=True)
class FlowDepthSettings:
    """Eight runs and the released order of decoding give the paper's recipe; fewer of either are faster."""

    runs: int = 4
    decoding: Decoding = field(default_factory=lambda: Decoding(patches_per_pass=1024, sampling=Sampling()))


# For networks as small as ours, as measured (docs/training.md): bolder draws are noise to them.
SMALL_SETTINGS = FlowDepthSettings(decoding=Decoding(patches_per_pass=1024, sampling=Sampling(temperature=0.5)))


class FlowDepth:
    """DepthBackend over a camera+flow network and the two quantizers. Relative depth, with confidence."""

    def __init__(
        self,
        runtime: Runtime,
        rgb: Quantizer,
        flow: Quantizer,
        settings: FlowDepthSettings | None = None,
        info: BackendInfo = FLOW_DEPTH,
    ) -> None:
        self.info = info
        self._runtime, self._rgb, self._flow = runtime, rgb, flow
        self._settings = settings or FlowDepthSettings()

    def estimate(self, photo: Photo, intrinsics: Intrinsics, cancel: CancelToken) -> DepthEstimate:
        """Depth of the photo's aspect ratio, its longer side the network's size. Raises Cancelled between passes."""
        cancel.check()
        size = self._runtime.model.config.image_size
        flows = [self.predict_flow(photo.srgb, _SEED_STEP * run, cancel) for run in range(self._settings.runs)]
        width, height = _fitted(photo.width, photo.height, size)
        lengths = [cv2.resize(np.hypot(*flow), (width, height), interpolation=cv2.INTER_LINEAR) for flow in flows]
        disparity, confidence = robust_disparity(lengths)
        known = np.ones(disparity.shape, bool)
        depth = DepthMap(1 / disparity, known, "relative", self.info.title, confidence=confidence)
        return DepthEstimate(depth, intrinsics)

    def predict_flow(
        self, srgb: UInt8[np.ndarray, "H W 3"], seed: int, cancel: CancelToken
    ) -> Float32[np.ndarray, "2 S S"]:
        """Flow (x, y) in the network's pixels under the small upward motion; the photo is squashed as released."""
        config = self._runtime.model.config
        side = config.image_size
        small = cv2.resize(srgb, (side, side), interpolation=cv2.INTER_AREA)
        upward = np.eye(4)
        upward[1, 3] = -_UP
        source = self._encoded(small)
        plan = flow_plan(config, INTENDED, source, orders(config, seed), camera_codes(upward))
        parts = list(self._runtime.decode(plan, self._settings.decoding, seed, cancel))
        ids = np.concatenate([part.ids for part in parts])
        codes = plan.assemble(ids, np.concatenate([part.codes[0] for part in parts]))
        return self._decoded(codes)

    @computes
    def _encoded(self, picture: UInt8[np.ndarray, "S S 3"]) -> Codes:
        images = normalise_rgb(torch.from_numpy(picture).to(self._runtime.model.device).permute(2, 0, 1)[None])
        with torch.inference_mode():
            return self._rgb.encode(images)[0].cpu().numpy()

    @computes
    def _decoded(self, codes: Codes) -> Float32[np.ndarray, "2 S S"]:
        with torch.inference_mode():
            images = self._flow.decode(torch.from_numpy(codes).to(self._runtime.model.device)[None])
            return denormalise_flow(images)[0].cpu().numpy()


def robust_disparity(
    lengths: Sequence[Float32[np.ndarray, "H W"]],
) -> tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W"]]:
    """The runs' median, never below a small share of the longest, and 1 / (1 + relative spread) as confidence."""
    stack = np.stack(lengths).astype(np.float32)
    middle = np.median(stack, axis=0)
    least = max(_LEAST_SHARE * float(np.percentile(middle, 99)), np.finfo(np.float32).tiny)
    disparity = np.maximum(middle, np.float32(least))
    spread = np.median(np.abs(stack - middle), axis=0) / disparity
    return disparity.astype(np.float32), (1 / (1 + spread)).astype(np.float32)


def _fitted(width: int, height: int, longest: int) -> tuple[int, int]:
    factor = longest / max(width, height)
    return max(1, round(width * factor)), max(1, round(height * factor))
