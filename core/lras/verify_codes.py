"""Codes and their filter against recorded ones: tokenizers, flow bins, camera motions, sampling."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.lras import layout
from core.lras.checks import Check, exact, within
from core.lras.config import CAMERA_FLOW_1B, RGB_FLOW_7B
from core.lras.quantizer import (
    Quantizer,
    denormalise_flow,
    denormalise_rgb,
    normalise_flow,
    normalise_rgb,
    to_uint8,
)
from core.lras.sampling import Sampling, probabilities

Case = Mapping[str, Any]

# What the fixtures allow for float32 pictures and probabilities; flow comes back up to 256 times 20 large.
_PICTURE_TOLERANCE, _FLOW_TOLERANCE, _PROBABILITY_TOLERANCE = 1e-4, 2e-3, 1e-6
_HALF_TURN_DEG = 179.995


def check_quantizer(quantizer: Quantizer, io: Case) -> Iterator[Check]:
    """Codes of recorded pictures or flow, and pictures of recorded codes."""
    is_rgb = quantizer.config.channels == 3
    normalise, denormalise = (normalise_rgb, denormalise_rgb) if is_rgb else (normalise_flow, denormalise_flow)
    with torch.inference_mode():
        images = normalise(io["input_raw"])
        yield _near("normalised input", images, io["input_normalised"])
        codes = quantizer.encode(images)
        yield exact("codes", codes.numpy(), io["indices"].numpy())
        decoded = quantizer.decode(codes)
        yield _near("decoded", decoded, io["decoded"])
        wide = _PICTURE_TOLERANCE if is_rgb else _FLOW_TOLERANCE
        yield _near("decoded, denormalised", denormalise(decoded), io["decoded_denormalised"], wide)
        yield _near("decoded from random codes", quantizer.decode(io["random_indices"]), io["random_decoded"])
        if "decoded_uint8_hwc" in io:
            ours = to_uint8(denormalise(decoded)).permute(0, 2, 3, 1).int()
            # A value within the tolerance of a whole number may be truncated to either side.
            yield within("decoded as 8 bit", ours.numpy(), io["decoded_uint8_hwc"].int().numpy(), 1)


def check_flow_codes(io: Case) -> Iterator[Check]:
    """Flow bins of the RGB+flow layout."""
    yield exact("bins", layout.flow_to_bins(RGB_FLOW_7B, io["flow"].numpy()), io["codes"].numpy())
    ours = layout.flow_to_bins(RGB_FLOW_7B, io["flow"].double().numpy())
    yield exact("bins of float64 flow", ours, io["codes_float64_input"].numpy())
    ours = layout.flow_to_bins(RGB_FLOW_7B, io["boundary_flow"].numpy())
    yield exact("bins at boundaries", ours, io["boundary_codes"].numpy())
    for codes, decoded in (("codes", "decoded"), ("all_codes", "all_decoded")):
        ours = layout.bins_to_flow(RGB_FLOW_7B, io[codes].numpy())
        yield within(f"flow of {codes}", ours, io[decoded].numpy(), _PICTURE_TOLERANCE)


def check_camera_codes(io: Case) -> Iterator[Check]:
    """Codes, tokens and positions of camera motions; a half turn may have either sign."""
    codes = np.stack([layout.camera_codes(matrix.double().numpy()) for matrix in io["matrix"]])
    recorded = io["codes"].numpy()
    half_turn = np.linalg.norm(io["rot_deg_dir_scale"].numpy()[:, :3], axis=1) > _HALF_TURN_DEG
    centred, centred_recorded = codes - 1801, recorded - 1801
    flipped = half_turn & (centred[:, :3] == -centred_recorded[:, :3]).all(axis=1)
    codes[flipped, :3] = recorded[flipped, :3]
    yield exact("codes", codes, recorded)
    runs = [layout.camera(CAMERA_FLOW_1B, row) for row in recorded]
    yield exact("tokens", np.stack([run.tokens for run in runs]), io["tokens"].numpy())
    yield exact("positions", np.stack([run.positions for run in runs]), io["positions"].numpy())


def check_sampling(io: Case) -> Iterator[Check]:
    """Temperature, top-k and top-p, and what PyTorch draws from them on a CPU."""
    for index, case in enumerate(io["cases"]):
        sampling = Sampling(case["temperature"], case["top_k"], case["top_p"])
        logits = case["logits"][:, 0]
        recorded = torch.zeros_like(logits)
        rows, tokens = case["probs_nonzero_index"].T
        recorded[rows, tokens] = case["probs_nonzero_value"]
        yield _near(f"case {index}: probabilities", probabilities(logits, sampling), recorded, _PROBABILITY_TOLERANCE)
        generator = torch.Generator().manual_seed(case["manual_seed"])
        drawn = torch.multinomial(probabilities(logits, sampling), 1, generator=generator)
        yield exact(f"case {index}: draws", drawn.numpy(), case["sampled"].numpy())


def _near(name: str, ours: Tensor, recorded: Tensor, tolerance: float = _PICTURE_TOLERANCE) -> Check:
    return within(name, ours.numpy(), recorded.numpy(), tolerance)
