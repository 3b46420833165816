"""First weights of a transformer that already tell places and codes apart by what they are.

Random tables would have to learn from data which positions are neighbours and which codes look alike. Both are known:
a position is a point of the frame, here its sines and cosines at many wavelengths (Vaswani et al. 2017, section 3.5);
a code is a row of signs, here a sum of one random vector a sign. Training is free to change all of it.
"""

import math

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.nn import functional

from core.lras.config import PATCH_PIXELS, Span, TransformerConfig
from core.lras.layout import CODES_PER_PATCH
from core.lras.quantizer import bit_values
from core.lras.transformer import Transformer

# Much larger than what a first step of the optimiser changes.
_EMBEDDED = 0.1
_READ = 0.02
_CELL_PIXELS = PATCH_PIXELS // 2
_SHORTEST_PIXELS = 2 * _CELL_PIXELS
Rows = Float32[Tensor, "N C"]


def start_with_geometry(network: Transformer) -> None:
    """Set the embeddings of positions, codes and flow bins, and the rows that read codes. Draws from torch's seed."""
    config = network.config
    tokens, places = (_table(network, name) for name in ("token_embedding", "positional_embedding"))
    tokens_a_patch = CODES_PER_PATCH + 1
    segments = [(config.frame_0_rgb_pos_range, tokens_a_patch), (config.frame_1_rgb_pos_range, tokens_a_patch)]
    if config.flow_pos_range is not None:
        segments.append((config.flow_pos_range, config.flow_tokens))
    for span, count in segments:
        rows = _positions(config, count)
        places[span.start : span.start + len(rows)] = rows.to(places)
    coded = [config.rgb_range]
    if config.flow_range is not None and config.flow_kind == "quantised":
        coded.append(config.flow_range)
    for span in coded:
        tokens[_slice(span)] += _EMBEDDED * _signed(span.size, config.n_embd).to(tokens)
        network.lm_head.weight.data[_slice(span)] = _READ * _signed(span.size, config.n_embd).to(tokens)
    if config.flow_range is not None and config.flow_kind == "binned":
        bins = torch.arange(config.flow_range.size, dtype=torch.float32)[:, None]
        tokens[_slice(config.flow_range)] += _EMBEDDED * _waves(bins, config.n_embd, 4.0, 2.0 * len(bins)).to(tokens)


def _table(network: Transformer, name: str) -> Tensor:
    table = network.transformer[name]
    assert isinstance(table, nn.Embedding)
    return table.weight.data


def _positions(config: TransformerConfig, count: int) -> Rows:
    """Of a frame of which each patch has `count` tokens: where it is, which token it is, and which frame."""
    width, cells = config.n_embd, CODES_PER_PATCH
    patch = torch.arange(config.n_patches)
    corner = PATCH_PIXELS * torch.stack([patch % config.grid, patch // config.grid], dim=1)
    per_cell = max(1, (count - 1) // cells)
    slots = torch.arange(count)
    cell = (slots - 1) // per_cell
    inside = torch.stack([cell % 2, cell // 2], dim=1) * _CELL_PIXELS + _CELL_PIXELS / 2
    # A pointer stands for its whole patch.
    inside[0] = PATCH_PIXELS / 2
    xy = (corner[:, None] + inside).reshape(-1, 2).float()
    waves = _waves(xy, width, _SHORTEST_PIXELS, 2.0 * config.image_size)
    kinds = torch.randn(count, width).repeat(config.n_patches, 1)
    return _EMBEDDED * (waves + kinds + torch.randn(width))


def _waves(points: Float32[Tensor, "N D"], width: int, shortest: float, longest: float) -> Rows:
    """Sines and cosines of every coordinate, of deviation 1; what no whole set of them fills is 0."""
    each = width // (2 * points.shape[1])
    lengths = torch.logspace(math.log10(shortest), math.log10(longest), each)
    angles = (2 * math.pi * points[:, :, None] / lengths).flatten(1)
    waves = math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], dim=1)
    return functional.pad(waves, (0, width - waves.shape[1]))


def _signed(count: int, width: int) -> Rows:
    """Codes 0..count-1 as sums of one random vector a sign, of deviation 1; random for other counts than 2^n."""
    bits = count.bit_length() - 1
    if count != 1 << bits:
        return torch.randn(count, width)
    signs = 2.0 * ((torch.arange(count)[:, None] & bit_values(bits)) != 0) - 1
    return signs @ torch.randn(bits, width) / math.sqrt(bits)


def _slice(span: Span) -> slice:
    return slice(span.start, span.stop)
