"""What decoding will need of memory and what is free, before it starts; a plain word when there was not enough."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from core import memory
from core.errors import EngineFailed
from core.lras.config import TransformerConfig

_FLOAT = 4
_INT8_SCALE = 0.002


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes."""

    weights: int
    cache: int
    activations: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.activations


def estimate(
    config: TransformerConfig,
    dtype: torch.dtype,
    tokens: int,
    batch: int = 1,
    new_tokens: int = 1024,
    scored_tokens: int = 128,
    int8: bool = False,
) -> MemoryEstimate:
    """Memory of `batch` sequences of `tokens`, at most `new_tokens` in one pass, `scored_tokens` of them scored.

    int8 weights keep the embeddings in `dtype`.
    """
    width, item = config.n_embd, dtype.itemsize
    embeddings = (config.vocab_size + config.block_size) * width
    others = config.parameter_count - embeddings
    weights = embeddings * item + int(others * (1 + _INT8_SCALE) if int8 else others * item)
    cache = 2 * config.n_layer * batch * tokens * width * item
    # Residual, norm, q k v, attended, and the feed-forward's four widths before and after GELU.
    hidden = batch * new_tokens * width * item * (1 + 1 + 3 + 1 + 4 + 4)
    # Scores once in the network's precision and three times in float32: scaled, soft-maxed, logarithm.
    scores = batch * scored_tokens * config.vocab_size * (item + 3 * _FLOAT)
    return MemoryEstimate(weights, cache, hidden + scores + new_tokens * tokens * item)


def free_bytes(device: torch.device) -> int | None:
    """Memory that can be had without swapping, a container's limit included; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu":
        return None
    return memory.free_bytes()


@contextmanager
def plain_out_of_memory(what: str) -> Iterator[None]:
    """Turn an allocator's failure into EngineFailed; the process and the network stay usable."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise EngineFailed(_sentence(what)) from error


def is_out_of_memory(error: Exception) -> bool:
    """Whether an allocator failed; PyTorch's for CPUs has no exception class of its own."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)


def _sentence(what: str) -> str:
    return f"There is not enough memory for {what}; close other programs, decode fewer variations or use int8 weights."
