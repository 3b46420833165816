"""Pictures and flow to codes and back, on whichever device the quantizer is."""

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor, nn

from core.lras.quantizer import Quantizer, normalise_flow, normalise_rgb

CodeGrids = Int64[np.ndarray, "B s s"]


def encoded_pictures(quantizer: Quantizer, pictures: UInt8[np.ndarray, "B S S 3"]) -> CodeGrids:
    """Codes of pictures."""
    images = torch.from_numpy(np.ascontiguousarray(pictures)).to(device_of(quantizer))
    return encoded(quantizer, normalise_rgb(images.permute(0, 3, 1, 2))).cpu().numpy()


def encoded_flow(quantizer: Quantizer, flow: Float32[np.ndarray, "B 2 S S"]) -> CodeGrids:
    """Codes of flow (x, y) in pixels."""
    return encoded(quantizer, normalise_flow(torch.from_numpy(flow).to(device_of(quantizer)))).cpu().numpy()


def rebuilt(quantizer: Quantizer, codes: CodeGrids) -> Tensor:
    """Normalised images of codes."""
    with torch.no_grad():
        return quantizer.decode(torch.from_numpy(codes).to(device_of(quantizer)))


def device_of(network: nn.Module) -> torch.device:
    """Where its weights are."""
    return next(network.parameters()).device


def encoded(quantizer: Quantizer, images: Float[Tensor, "B C S S"]) -> Int64[Tensor, "B s s"]:
    """Codes of normalised images."""
    with torch.no_grad():
        return quantizer.encode(images)
