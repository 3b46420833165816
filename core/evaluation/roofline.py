"""The least time a pass can take: bytes over the machine's bandwidth or operations over its arithmetic."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from core.lras.transformer import Transformer

_BYTES = 1 << 28
_SIDE = {"cpu": 1536, "cuda": 8192}
_REPEATS = 5


@dataclass(frozen=True)
class Machine:
    """Measured limits: bytes read a second, and multiply-adds x 2 a second in the network's dtype."""

    bytes_per_second: float
    flops_per_second: float


def measure_machine(dtype: torch.dtype, device: torch.device) -> Machine:
    """Best of a few runs: the sum of a large array, and a square matrix product."""
    array = torch.ones(_BYTES // 4, dtype=torch.float32, device=device)
    side = _SIDE.get(device.type, 1536)
    matrix = torch.randn(side, side, device=device).to(dtype)
    read = _best(device, array.sum)
    multiplied = _best(device, lambda: matrix @ matrix)
    return Machine(_BYTES / read, 2 * side**3 / multiplied)


def pass_floor(model: Transformer, machine: Machine, new: int, past: int, scored: int, batch: int = 1) -> float:
    """Seconds of one pass over `new` tokens of each of `batch` sequences with `past` cached, `scored` read off.

    Bytes: the blocks' weights, the scoring matrix when something is scored, keys and values.
    """
    config, item = model.config, model.dtype.itemsize
    blocks = sum(p.numel() * p.element_size() for p in _stored(model, "transformer.h"))
    scoring = sum(p.numel() * p.element_size() for p in _stored(model, "lm_head")) if scored else 0
    cache = 2 * config.n_layer * config.n_embd * item * batch * (past + new)
    weights = sum(p.numel() for p in _stored(model, "transformer.h"))
    products = 2 * batch * (new * weights + scored * config.vocab_size * config.n_embd)
    attention = 4 * batch * config.n_layer * config.n_embd * new * (past + new / 2)
    return max((blocks + scoring + cache) / machine.bytes_per_second, (products + attention) / machine.flops_per_second)


def _stored(model: Transformer, prefix: str) -> list[torch.Tensor]:
    return [value for name, value in model.state_dict().items() if name.startswith(prefix)]


def _best(device: torch.device, work: Callable[[], torch.Tensor]) -> float:
    times = []
    for _ in range(_REPEATS):
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return min(times)
