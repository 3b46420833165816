"""Small networks with random weights, and sequences run through them."""

import numpy as np
import torch

from core.lras.cache import KVCache
from core.lras.config import QuantizerConfig, ResBlock, TransformerConfig, Upsample, rgb_flow_config
from core.lras.generate import Decoded, prefill
from core.lras.plan import Known, Plan, orders, rgb_plan
from core.lras.quantizer import Quantizer
from core.lras.recipe import INTENDED
from core.lras.transformer import Transformer

SMALL = rgb_flow_config(n_layer=2, n_head=2, n_embd=32, grid=4, rgb_codes=64, bins=16)


def network(config: TransformerConfig = SMALL, dtype: torch.dtype = torch.float64, seed: int = 0) -> Transformer:
    """Random weights, large enough that different inputs give different codes."""
    torch.manual_seed(seed)
    model = Transformer(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
        parameter.requires_grad_(False)
    return model.to(dtype).eval()


def quantizer(channels: int, codes: int) -> Quantizer:
    """A quantizer of eight channels with random weights."""
    torch.manual_seed(channels)
    config = QuantizerConfig(codes, channels, (ResBlock(8, 16, 1),), (Upsample(8, 8), Upsample(8, 8)))
    return Quantizer(config).eval().requires_grad_(False)


def picture_codes(config: TransformerConfig = SMALL, seed: int = 0) -> np.ndarray:
    side = 2 * config.grid
    return np.random.default_rng(seed).integers(0, config.rgb_range.size, (side, side))


def plan_for(config: TransformerConfig = SMALL, known: Known | None = None, seed: int = 0) -> Plan:
    side = 2 * config.grid
    bins = np.random.default_rng(seed + 1).integers(0, 16, (2, side, side))
    return rgb_plan(config, INTENDED, picture_codes(config), orders(config, seed), (bins, np.arange(3)), known)


def ready_cache(model: Transformer, plan: Plan, batch: int = 1) -> KVCache:
    cache = KVCache(model.config, plan.length, batch, model.dtype)
    prefill(model, plan.source + plan.condition, cache)
    return cache


def in_raster(config: TransformerConfig, parts: list[Decoded], row: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Codes and doubts [N, 4] by patch id; -1 where nothing was decoded."""
    codes, doubts = np.full((config.n_patches, 4), -1), np.full((config.n_patches, 4), -1.0)
    for part in parts:
        codes[part.ids], doubts[part.ids] = part.codes[row], part.entropy[row]
    return codes, doubts
