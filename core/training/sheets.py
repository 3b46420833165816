"""Sheets of held-out samples: how far the network has come, for eyes."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from core.lras.config import PATCH_PIXELS
from core.lras.layout import Codes, PatchIds, set_patches
from core.lras.plan import Plan, flow_plan, rgb_plan
from core.lras.quantizer import Quantizer, denormalise_flow, denormalise_rgb
from core.lras.recipe import INTENDED
from core.lras.runtime import Decoding, Runtime
from core.lras.transformer import Transformer
from core.maths.flow_colour import flow_colours
from core.training.encoding import encoded_flow, encoded_pictures, rebuilt
from core.training.samples import FlowSample, PairSample
from core.types.protocols import CancelToken

Picture = UInt8[np.ndarray, "H W 3"]
PlanOf = Callable[[PairSample, Codes, Codes], Plan]
_DECODING = Decoding(patches_per_pass=32)
_HIDDEN = (90, 0, 120)


def quantizer_sheet(quantizer: Quantizer, images: Float[Tensor, "B C S S"]) -> Picture:
    """Normalised images above, what comes back from their codes below."""
    with torch.no_grad():
        coded = quantizer.decode(quantizer.encode(images))
    shown = _rgb_pictures if quantizer.config.channels == 3 else _flow_pictures
    return np.vstack([np.hstack(shown(images)), np.hstack(shown(coded))])


def pair_sheet(
    network: Transformer,
    quantizer: Quantizer,
    samples: Sequence[PairSample],
    plan_of: PlanOf,
) -> Picture:
    """A row a sample: source, target, what of it was hidden, that decoded, and the whole frame from the flow.

    A network that sees only the surroundings of what it decodes is not asked for whole frames.
    """
    rows = []
    for sample in samples:
        source, frame = encoded_pictures(quantizer, np.stack([sample.source, sample.target]))
        draw = sample.draw
        plans = [plan_of(sample, source, frame)]
        if not network.config.decoded_patches:
            plans.append(rgb_plan(network.config, INTENDED, source, draw.orders, (sample.bins, draw.flow_ids)))
        made = [_decoded(network, plan, frame) for plan in plans]
        painted = _rgb_pictures(rebuilt(quantizer, np.stack(made)))
        hidden = _patch_mask(network.config.grid, plans[0].order)
        masked = np.where(hidden[..., None], np.array(_HIDDEN, np.uint8), sample.target)
        rows.append(np.hstack([sample.source, sample.target, masked, *painted]))
    return np.vstack(rows)


def flow_sheet(network: Transformer, rgb: Quantizer, flow: Quantizer, samples: Sequence[FlowSample]) -> Picture:
    """A row a sample: source, true flow, the flow through its codes, and the flow predicted for the motion."""
    rows = []
    for sample in samples:
        source = encoded_pictures(rgb, sample.source[None])[0]
        frame = encoded_flow(flow, sample.flow[None])[0]
        plan = flow_plan(network.config, INTENDED, source, sample.draw.orders, sample.camera)
        coded = denormalise_flow(rebuilt(flow, np.stack([frame, _decoded(network, plan, frame)]))).cpu().numpy()
        fields = [field.transpose(1, 2, 0) for field in (sample.flow, *coded)]
        longest = max(float(np.percentile(np.linalg.norm(fields[0], axis=-1), 99)), 1.0)
        rows.append(np.hstack([sample.source, *(flow_colours(np.ascontiguousarray(f), longest) for f in fields)]))
    return np.vstack(rows)


def _decoded(network: Transformer, plan: Plan, frame: Codes) -> Codes:
    """The frame with the plan's patches decoded anew."""
    codes = frame.copy()
    for part in Runtime(network).decode(plan, _DECODING, 0, CancelToken()):
        set_patches(codes, part.ids, part.codes[0])
    return codes


def _rgb_pictures(images: Tensor) -> list[Picture]:
    values = (denormalise_rgb(images.float()) * 255).round().to(torch.uint8)
    return list(values.permute(0, 2, 3, 1).cpu().numpy())


def _flow_pictures(images: Tensor) -> list[Picture]:
    fields = denormalise_flow(images.float()).permute(0, 2, 3, 1).cpu().numpy()
    return [flow_colours(np.ascontiguousarray(field)) for field in fields]


def _patch_mask(grid: int, ids: PatchIds) -> np.ndarray:
    hidden = np.zeros(grid * grid, np.uint8)
    hidden[ids] = 1
    side = PATCH_PIXELS * grid
    return cv2.resize(hidden.reshape(grid, grid), (side, side), interpolation=cv2.INTER_NEAREST) > 0
