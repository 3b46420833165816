"""How codes become tokens with positions, and back: the only place that knows ranges and packing.

A patch is a pointer token that names its place, then its content. Positions are tied to the place, not to
the order, so patches may come in any order. Codes are raster grids [H, W]; patch ids count in raster order.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int64

from core.errors import InvalidInput
from core.lras.config import FlowKind, Span, TransformerConfig
from core.maths.rigid import rotation_vector_deg

Codes = Int64[np.ndarray, "H W"]
PatchIds = Int64[np.ndarray, "_"]
PatchCodes = Int64[np.ndarray, "_ 4"]
TargetName = Literal["rgb", "flow"]

CODES_PER_PATCH = 4
_CAMERA_TOKENS = 8
_ROTATION_STEP_DEG, _DIRECTION_STEP, _SCALE_STEP = 0.1, 0.001, 0.001
_ROTATION_ZERO, _DIRECTION_ZERO, _SCALE_ZERO = 1801, 1001, 1


@dataclass(frozen=True)
class Run:
    """Tokens in causal order with their positions."""

    tokens: Int64[np.ndarray, "T"]
    positions: Int64[np.ndarray, "T"]

    def __len__(self) -> int:
        return len(self.tokens)

    def __add__(self, other: "Run") -> "Run":
        return Run(np.concatenate([self.tokens, other.tokens]), np.concatenate([self.positions, other.positions]))


@dataclass(frozen=True)
class Target:
    """The segment that is decoded: where its codes, pointers and positions begin. Five tokens a patch."""

    codes: Span
    pointers: Span
    positions: Span

    def pointer_tokens(self, ids: PatchIds) -> PatchIds:
        return self.pointers.start + ids

    def pointer_positions(self, ids: PatchIds) -> PatchIds:
        return self.positions.start + (CODES_PER_PATCH + 1) * ids

    def code_positions(self, ids: PatchIds, slot: int) -> PatchIds:
        """Positions of content token `slot`, 0..3."""
        return self.pointer_positions(ids) + 1 + slot

    def run(self, ids: PatchIds, codes: PatchCodes) -> Run:
        """Whole patches in the order of `ids`."""
        return _run(self.pointers.start, self.positions.start, ids, self.codes.start + codes)


def target(config: TransformerConfig, name: TargetName) -> Target:
    """The decoded segment of that name. Raises InvalidInput when the network has no such codes."""
    if name == "rgb":
        return Target(config.rgb_range, config.rgb_patch_1_idx_range, config.frame_1_rgb_pos_range)
    return _flow_segment(config, "quantised")


def patches(codes: Codes) -> PatchCodes:
    """Grid to patches: the four codes of each 2x2 block in raster order."""
    height, width = codes.shape
    blocks = codes.reshape(height // 2, 2, width // 2, 2).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(blocks.reshape(-1, CODES_PER_PATCH))


def codes_grid(patch_codes: PatchCodes) -> Codes:
    """Patches of a square frame in raster order back to the grid."""
    side = math.isqrt(len(patch_codes))
    blocks = patch_codes.reshape(side, side, 2, 2).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(blocks.reshape(2 * side, 2 * side))


def set_patches(codes: Codes, ids: PatchIds, patch_codes: PatchCodes) -> None:
    """Write patches into a grid, in place."""
    rows, columns = np.divmod(ids, codes.shape[1] // 2)
    for slot in range(CODES_PER_PATCH):
        codes[2 * rows + slot // 2, 2 * columns + slot % 2] = patch_codes[:, slot]


def frame_0(config: TransformerConfig, codes: Codes, order: PatchIds) -> Run:
    """The source photo's patches in the given order."""
    content = checked_patches(config, codes, config.rgb_range.size)[order] + config.rgb_range.start
    return _run(config.rgb_patch_0_idx_range.start, config.frame_0_rgb_pos_range.start, order, content)


def binned_flow(config: TransformerConfig, bins: Int64[np.ndarray, "2 H W"], order: PatchIds) -> Run:
    """Flow patches (7B layout): x and y interleaved over the four cells; `bins` is (x, y)."""
    segment = _flow_segment(config, "binned")
    along_x, along_y = (checked_patches(config, channel, segment.codes.size)[order] for channel in bins)
    content = np.stack([along_x, along_y], axis=-1).reshape(len(order), 2 * CODES_PER_PATCH) + segment.codes.start
    return _run(segment.pointers.start, segment.positions.start, order, content)


def camera(config: TransformerConfig, codes: Int64[np.ndarray, "7"]) -> Run:
    """The camera motion's eight tokens. Raises InvalidInput for a motion that has no code."""
    if config.campose_range is None or config.campose_patch_idx_range is None or config.campose_pos_range is None:
        raise InvalidInput("This network takes no camera motion; choose a camera+flow checkpoint.")
    if not ((codes >= 0) & (codes < config.campose_range.size)).all():
        raise InvalidInput(f"The camera motion {codes.tolist()} lies outside 0..{config.campose_range.size - 1} codes.")
    start = config.campose_pos_range.start
    tokens = np.concatenate([[config.campose_patch_idx_range.start], config.campose_range.start + codes])
    return Run(tokens.astype(np.int64), np.arange(start, start + _CAMERA_TOKENS))


def flow_to_bins(config: TransformerConfig, flow: Float[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
    """Pixels of flow at the network's size to bins (spec 3.3): half to even, in the input's own precision.

    Flow that is longer than the bins reach is shortened. Raises InvalidInput for NaN or infinity, or when the network
    takes no binned flow.
    """
    bins = _flow_segment(config, "binned").codes.size
    if not np.isfinite(flow).all():
        raise InvalidInput("Flow for the network must be finite; put 0 where there is no correspondence.")
    largest = flow.dtype.type(config.largest_flow_pixels)
    share = ((flow + largest) / (2 * largest)).clip(0, 1)
    return np.round(share * flow.dtype.type(bins - 1)).astype(np.int64)


def bins_to_flow(config: TransformerConfig, codes: Int64[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Bins back to pixels of flow; zero flow comes back as half a bin. Raises InvalidInput as `flow_to_bins`."""
    bins, largest = _flow_segment(config, "binned").codes.size, config.largest_flow_pixels
    return codes / (bins - 1) * (2 * largest) - largest


def camera_codes(camera_0_from_1: Float[np.ndarray, "4 4"]) -> Int64[np.ndarray, "7"]:
    """Seven codes of a camera motion: rotation vector in 0.1 degrees, unit direction and length in 0.001.

    Values are rounded through float32 as released.
    """
    motion = np.asarray(camera_0_from_1, dtype=np.float64)
    turned = rotation_vector_deg(motion[:3, :3]).astype(np.float32)
    translation = camera_0_from_1[:3, 3].astype(np.float32)
    length = np.linalg.norm(translation)
    direction = translation / (length + np.float32(1e-6))
    return np.concatenate([
        np.round(turned / np.float32(_ROTATION_STEP_DEG) + _ROTATION_ZERO),
        np.round(direction / np.float32(_DIRECTION_STEP) + _DIRECTION_ZERO),
        np.round(np.atleast_1d(length) / np.float32(_SCALE_STEP) + _SCALE_ZERO),
    ]).astype(np.int64)  # fmt: skip


def _flow_segment(config: TransformerConfig, kind: FlowKind) -> Target:
    spans = config.flow_range, config.flow_patch_idx_range, config.flow_pos_range
    if config.flow_kind != kind or spans[0] is None or spans[1] is None or spans[2] is None:
        wanted = "camera+flow" if kind == "quantised" else "RGB+flow"
        raise InvalidInput(f"This network has no {kind} flow; choose a {wanted} checkpoint.")
    return Target(spans[0], spans[1], spans[2])


def _run(pointer_start: int, position_start: int, ids: PatchIds, content: Int64[np.ndarray, "N K"]) -> Run:
    tokens = np.concatenate([pointer_start + ids[:, None], content], axis=1)
    count = tokens.shape[1]
    positions = position_start + count * ids[:, None] + np.arange(count)
    return Run(tokens.reshape(-1).astype(np.int64), positions.reshape(-1).astype(np.int64))


def checked_patches(config: TransformerConfig, codes: Codes, limit: int) -> PatchCodes:
    """Patches of a grid that has the network's size and codes. Raises InvalidInput."""
    side = 2 * config.grid
    if codes.shape != (side, side):
        raise InvalidInput(f"The network takes {side}x{side} codes, got {'x'.join(map(str, codes.shape))}.")
    if codes.min() < 0 or codes.max() >= limit:
        raise InvalidInput(f"Codes must lie in 0..{limit - 1}, got {codes.min()}..{codes.max()}.")
    return patches(codes)
