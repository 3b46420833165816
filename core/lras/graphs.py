"""Passes of fixed shapes, captured as CUDA graphs: many small kernels are launched as one.

Counts of new tokens are rounded up to a few sizes and the cache to a few lengths, so that few graphs serve a frame.
Away from CUDA the same passes run without being captured.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from core.lras.cache import CacheWindow, KVCache
from core.lras.config import Span, TransformerConfig
from core.lras.transformer import Transformer

# Longer passes are work enough to hide their launches.
_MOST_TOKENS = 256
_REACH_STEP = 1024


@dataclass(frozen=True, eq=False)
class _Pass:
    """Inputs to be overwritten, what to run then, and where the hidden states are."""

    tokens: Int64[Tensor, "B T"]
    positions: Int64[Tensor, "B T"]
    window: CacheWindow
    replay: Callable[[], None]
    hidden: Float[Tensor, "B T C"]


class GraphedTransformer:
    """A Transformer whose short passes are replayed. Same results up to rounding.

    Every cache has its passes; they go when it goes.
    """

    def __init__(self, model: Transformer) -> None:
        self.model = model
        self._lock = Lock()
        self._passes: WeakKeyDictionary[KVCache, dict[tuple[int, int], _Pass]] = WeakKeyDictionary()

    @property
    def config(self) -> TransformerConfig:
        return self.model.config

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def dtype(self) -> torch.dtype:
        return self.model.dtype

    def logits(self, hidden: Float[Tensor, "*N C"], span: Span | None = None) -> Float[Tensor, "*N V"]:
        """Scores of the whole vocabulary or of the ids in `span` only."""
        return self.model.logits(hidden, span)

    def __call__(
        self, tokens: Int64[Tensor, "B T"], positions: Int64[Tensor, "B T"], cache: KVCache
    ) -> Float[Tensor, "B T C"]:
        """Hidden states; the new tokens are added to `cache`. Valid until the next call."""
        count = tokens.shape[1]
        size = 1 << (count - 1).bit_length()
        if size > _MOST_TOKENS or cache.length + size > cache.capacity:
            return self.model(tokens, positions, cache)
        made = self._pass(cache, size)
        made.tokens[:, :count] = tokens
        made.positions[:, :count] = positions
        # What fills up the size is written behind the new tokens, which do not see it, and is overwritten later.
        made.window.places.copy_(torch.arange(cache.length, cache.length + size))
        made.replay()
        cache.advance(count)
        return made.hidden[:, :count]

    def _pass(self, cache: KVCache, size: int) -> _Pass:
        steps = -(-(cache.length + size) // _REACH_STEP)
        reach = min(steps * _REACH_STEP, cache.capacity)
        with self._lock:
            passes = self._passes.setdefault(cache, {})
            if (size, reach) not in passes:
                passes[size, reach] = self._made(cache, size, reach)
            return passes[size, reach]

    def _made(self, cache: KVCache, size: int, reach: int) -> _Pass:
        window = cache.window(size, reach)
        tokens, positions = (torch.zeros(cache.batch, size, dtype=torch.int64, device=self.device) for _ in range(2))
        window.places.copy_(torch.arange(cache.length, cache.length + size))
        hidden = torch.empty(cache.batch, size, self.config.n_embd, dtype=self.dtype, device=self.device)

        def run() -> None:
            hidden.copy_(self.model(tokens, positions, window, window.visible))

        return _Pass(tokens, positions, window, _captured(run, self.device), hidden)


def _captured(run: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """`run` as a graph; what it reads and writes must stay where it is."""
    if device.type != "cuda":
        return run
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        run()  # kernels are chosen and work spaces allocated outside the graph
    torch.cuda.current_stream(device).wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        run()
    return graph.replay
