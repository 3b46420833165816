"""Sizes and token ranges of the networks, as the released checkpoints' `cfg` names them.

Ranges are half-open. One code covers 4x4 pixels, one patch 2x2 codes (8x8 pixels).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Literal, NamedTuple

from core.errors import InvalidInput

# Pixels along one side of a patch.
PATCH_PIXELS = 8

# Sizes above these are no network that a machine of today could hold; refused before anything is allocated.
_LARGEST = {
    "n_layer": 512, "n_head": 512, "n_embd": 1 << 15, "vocab_size": 1 << 20, "block_size": 1 << 20,
    "flow_patches": 1 << 20, "largest_flow_pixels": 1 << 16,
}  # fmt: skip
_LIMITS = "frame_0_patches", "known_patches", "decoded_patches"
_RGB_TOKENS = 5
_BINNED_FLOW_TOKENS = 9

FlowKind = Literal["none", "binned", "quantised"]


class Span(NamedTuple):
    """Ids or positions from `start` up to but not including `stop`."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class TransformerConfig:
    """A decoder-only network over RGB, flow and camera tokens (field names are the released files').

    `flow_kind` follows from the ranges: two bins of 512 per cell (7B layout, 9 tokens a patch) without
    camera tokens, one quantiser code per cell (1B layout, 5 tokens a patch) with them. Of binned flow a network
    was shown up to `flow_patches` patches in training, its bins evenly from -`largest_flow_pixels` to plus that many.
    Of frame 0 and of the known and decoded part of frame 1 it was shown at most so many patches, those nearest to the
    decoded ones (0: all); with `sees_draft`, frame 0 was a guess at frame 1 and no flow was shown. The released files
    tell none of these and have the values here.
    Raises InvalidInput when the ranges do not fit each other or the sizes.
    """

    n_layer: int
    n_head: int
    n_embd: int
    vocab_size: int
    block_size: int
    rgb_range: Span
    rgb_patch_0_idx_range: Span
    rgb_patch_1_idx_range: Span
    frame_0_rgb_pos_range: Span
    frame_1_rgb_pos_range: Span
    flow_range: Span | None = None
    flow_patch_idx_range: Span | None = None
    flow_pos_range: Span | None = None
    campose_range: Span | None = None
    campose_patch_idx_range: Span | None = None
    campose_pos_range: Span | None = None
    patch_size: int = 2
    bias: bool = False
    flow_patches: int = 200
    largest_flow_pixels: int = 256
    frame_0_patches: int = 0
    known_patches: int = 0
    decoded_patches: int = 0
    sees_draft: bool = False

    def __post_init__(self) -> None:
        for name, largest in _LARGEST.items():
            _require(1 <= getattr(self, name) <= largest, f"{name} is {getattr(self, name)}; expected 1 to {largest}")
        for name in _LIMITS:
            _require(getattr(self, name) >= 0, f"{name} is {getattr(self, name)}; expected 0 (all) or more")
        _require(self.n_embd % self.n_head == 0, f"n_embd {self.n_embd} is no multiple of n_head {self.n_head}")
        _require(self.patch_size == 2, f"patch_size is {self.patch_size}; only 2 is known")
        for name in _SPANS:
            span, size = getattr(self, name), self.block_size if name.endswith("pos_range") else self.vocab_size
            if span is not None:
                _require(0 <= span.start < span.stop <= size, f"{name} is {tuple(span)}; expected to lie in 0..{size}")
        for ending in ("_idx_range", "_rgb_pos_range"):
            sizes = {name: getattr(self, name).size for name in _SPANS if name.endswith(ending) and "rgb" in name}
            _require(len(set(sizes.values())) == 1, f"ranges differ in length: {sizes}")
        _require(math.isqrt(self.n_patches) ** 2 == self.n_patches, f"{self.n_patches} patches are no square grid")
        _require(self.frame_0_rgb_pos_range.size == self.n_patches * _RGB_TOKENS, "positions do not match the patches")
        self._check_groups()

    def _check_groups(self) -> None:
        groups = (
            ("flow_range", "flow_patch_idx_range", "flow_pos_range"),
            ("campose_range", "campose_patch_idx_range", "campose_pos_range"),
        )
        for group in groups:
            present = [getattr(self, name) is not None for name in group]
            _require(all(present) or not any(present), f"{', '.join(group)} must be given together")
        if self.flow_pos_range is not None:
            wanted = self.n_patches * self.flow_tokens
            _require(self.flow_pos_range.size >= wanted, f"flow_pos_range is shorter than {wanted} positions")

    @property
    def n_patches(self) -> int:
        """Patches of one frame."""
        return self.rgb_patch_0_idx_range.size

    @property
    def grid(self) -> int:
        """Patches along one side of the square frame."""
        return math.isqrt(self.n_patches)

    @property
    def image_size(self) -> int:
        """Pixels along one side of the square frame."""
        return self.grid * PATCH_PIXELS

    @property
    def head_width(self) -> int:
        return self.n_embd // self.n_head

    @property
    def flow_kind(self) -> FlowKind:
        if self.flow_range is None:
            return "none"
        return "binned" if self.campose_range is None else "quantised"

    @property
    def flow_tokens(self) -> int:
        """Tokens of one flow patch, its pointer included."""
        return _BINNED_FLOW_TOKENS if self.flow_kind == "binned" else _RGB_TOKENS

    @property
    def parameter_count(self) -> int:
        """Weights and biases of the whole network."""
        width = self.n_embd
        norm = width * (1 + self.bias)
        block = 12 * width * width + 2 * norm + (9 * width if self.bias else 0)
        return (2 * self.vocab_size + self.block_size) * width + self.n_layer * block + norm

    def as_cfg(self) -> dict[str, Any]:
        """A JSON-able dict that `transformer_config` reads back."""
        return {name: list(value) if name in _SPANS and value else value for name, value in asdict(self).items()}


_REQUIRED = tuple(field.name for field in fields(TransformerConfig) if field.default is MISSING)
_SPANS = tuple(field.name for field in fields(TransformerConfig) if field.name.endswith("_range"))


@dataclass(frozen=True)
class ResBlock:
    """LayerNorm, two convolutions of `kernel`, and the block's own input added."""

    width: int
    hidden: int
    kernel: int


@dataclass(frozen=True)
class Upsample:
    """Twice the size, then a 3x3 convolution."""

    width_in: int
    width_out: int


@dataclass(frozen=True)
class QuantizerConfig:
    """An autoencoder of 4x4 patches with `vocab_size` codes. Raises InvalidInput when the sizes do not fit."""

    vocab_size: int
    channels: int
    encoder_blocks: tuple[ResBlock, ...]
    decoder_blocks: tuple[ResBlock | Upsample, ...]
    patch_size: int = 4

    def __post_init__(self) -> None:
        _require(2 <= self.vocab_size <= 1 << 24, f"vocab_size is {self.vocab_size}; expected 2 to 16777216")
        _require(self.vocab_size == 1 << self.bits, f"vocab_size {self.vocab_size} is no power of two")
        _require(self.channels in (2, 3), f"channels is {self.channels}; expected 3 (RGB) or 2 (flow)")
        _require(self.patch_size == 4, f"patch_size is {self.patch_size}; only 4 is known")
        _require(bool(self.encoder_blocks and self.decoder_blocks), "the quantizer has no blocks")
        ups = sum(isinstance(block, Upsample) for block in self.decoder_blocks)
        _require(ups == 2, f"the decoder doubles the size {ups} times; expected 2")
        width = self.encoder_blocks[0].width
        for block in (*self.encoder_blocks, *self.decoder_blocks):
            taken = block.width_in if isinstance(block, Upsample) else block.width
            _require(taken == width, f"{block} follows a block of width {width}")
            width = block.width_out if isinstance(block, Upsample) else block.width

    @property
    def bits(self) -> int:
        return self.vocab_size.bit_length() - 1

    @property
    def width(self) -> int:
        """Channels of the encoder's output."""
        return self.encoder_blocks[-1].width

    def as_cfg(self) -> dict[str, Any]:
        """A JSON-able dict that `quantizer_config` reads back."""
        return {
            "patch_size": self.patch_size,
            "vocab_size": self.vocab_size,
            "num_codebooks": 1,
            "num_in_channels": self.channels,
            "num_out_channels": self.channels,
            "encoder_blocks": [_block_cfg(block) for block in self.encoder_blocks],
            "decoder_blocks": [_block_cfg(block) for block in self.decoder_blocks],
        }


def transformer_config(cfg: Mapping[str, Any]) -> TransformerConfig:
    """Read a checkpoint's `cfg`; entries of other names are ignored. Raises InvalidInput."""
    values: dict[str, Any] = {}
    for field in fields(TransformerConfig):
        if cfg.get(field.name) is None:
            continue
        value = cfg[field.name]
        values[field.name] = _span(field.name, value) if field.name in _SPANS else _number(field.name, value)
    missing = [name for name in _REQUIRED if name not in values]
    _require(not missing, f"it lacks {', '.join(missing)}")
    truths = {name: bool(values.get(name, False)) for name in ("bias", "sees_draft")}
    return TransformerConfig(**{**values, **truths})


def quantizer_config(cfg: Mapping[str, Any]) -> QuantizerConfig:
    """Read a checkpoint's `cfg`; entries of other names are ignored. Raises InvalidInput."""
    names = ("vocab_size", "num_in_channels", "encoder_blocks", "decoder_blocks")
    missing = [name for name in names if name not in cfg]
    _require(not missing, f"it lacks {', '.join(missing)}")
    _require(cfg.get("num_codebooks", 1) == 1, f"num_codebooks is {cfg.get('num_codebooks')}; expected 1")
    encoder = _blocks("encoder_blocks", cfg)
    _require(all(isinstance(block, ResBlock) for block in encoder), "the encoder may hold residual blocks only")
    return QuantizerConfig(
        vocab_size=_number("vocab_size", cfg["vocab_size"]),
        channels=_number("num_in_channels", cfg["num_in_channels"]),
        encoder_blocks=tuple(block for block in encoder if isinstance(block, ResBlock)),
        decoder_blocks=_blocks("decoder_blocks", cfg),
        patch_size=_number("patch_size", cfg.get("patch_size", 4)),
    )


def rgb_flow_config(
    n_layer: int,
    n_head: int,
    n_embd: int,
    grid: int = 32,
    rgb_codes: int = 65536,
    bins: int = 512,
    flow_patches: int = 200,
) -> TransformerConfig:
    """Frame 0 and binned flow give frame 1: the 7B layout at any size. Bins reach as far as the picture is wide."""
    patches = grid * grid
    vocab = _consecutive(rgb_codes, patches, patches, bins, patches)
    positions = _consecutive(5 * patches, 5 * patches, _BINNED_FLOW_TOKENS * patches)
    return TransformerConfig(
        n_layer, n_head, n_embd, vocab[-1].stop, positions[-1].stop, *vocab[:3], *positions[:2],
        flow_range=vocab[3], flow_patch_idx_range=vocab[4], flow_pos_range=positions[2],
        flow_patches=flow_patches, largest_flow_pixels=grid * PATCH_PIXELS,
    )  # fmt: skip


def camera_flow_config(
    n_layer: int, n_head: int, n_embd: int, grid: int = 32, rgb_codes: int = 65536, flow_codes: int = 32768
) -> TransformerConfig:
    """Frame 0 and a camera motion give quantised flow: the 1B layout at any size."""
    patches = grid * grid
    vocab = _consecutive(rgb_codes, patches, patches, flow_codes, patches, 10000, 1)
    positions = _consecutive(5 * patches, 5 * patches, 12 * patches, 8)
    padded = -(-vocab[-1].stop // 256) * 256
    return TransformerConfig(
        n_layer, n_head, n_embd, padded, positions[-1].stop, *vocab[:3], *positions[:2],
        flow_range=vocab[3], flow_patch_idx_range=vocab[4], flow_pos_range=positions[2],
        campose_range=vocab[5], campose_patch_idx_range=vocab[6], campose_pos_range=positions[3],
    )  # fmt: skip


def _consecutive(*sizes: int) -> list[Span]:
    spans, start = [], 0
    for size in sizes:
        spans.append(Span(start, start + size))
        start += size
    return spans


def _require(condition: bool, fault: str) -> None:
    if not condition:
        raise InvalidInput(f"The checkpoint's configuration cannot be used: {fault}.")


def _number(name: str, value: object) -> int:
    _require(isinstance(value, int), f"{name} is {value!r}; expected a whole number")
    return int(value)  # type: ignore[call-overload] - just checked


def _span(name: str, value: object) -> Span:
    ok = isinstance(value, Sequence) and len(value) == 2 and all(isinstance(end, int) for end in value)
    _require(ok, f"{name} is {value!r}; expected two whole numbers")
    return Span(*value)  # type: ignore[misc] - just checked


def _blocks(name: str, cfg: Mapping[str, Any]) -> tuple[ResBlock | Upsample, ...]:
    entries = cfg[name]
    ok = isinstance(entries, (list, tuple)) and all(isinstance(entry, (list, tuple)) for entry in entries)
    _require(ok, f"{name} is {entries!r}; expected a list of blocks")
    return tuple(_block(entry) for entry in entries)


def _block(entry: Sequence[Any]) -> ResBlock | Upsample:
    """`("ResBlock", in, out, hidden, kernel, stride, padding)` or `("Upsample", in, out)`."""
    match list(entry):
        case ["ResBlock", int(width_in), int(width_out), int(hidden), int(kernel), 1, int(padding)]:
            _require(width_in == width_out, f"the block {entry!r} changes its width")
            _require(padding == kernel // 2 and kernel % 2 == 1, f"the block {entry!r} changes its size")
            return ResBlock(width_in, hidden, kernel)
        case ["Upsample", int(width_in), int(width_out)]:
            return Upsample(width_in, width_out)
    raise InvalidInput(f"The checkpoint's configuration cannot be used: unknown block {entry!r}.")


def _block_cfg(block: ResBlock | Upsample) -> list[Any]:
    if isinstance(block, Upsample):
        return ["Upsample", block.width_in, block.width_out]
    return ["ResBlock", block.width, block.width, block.hidden, block.kernel, 1, block.kernel // 2]


RGB_FLOW_7B = rgb_flow_config(32, 32, 4096)
CAMERA_FLOW_1B = camera_flow_config(36, 20, 1280)
