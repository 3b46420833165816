"""The key/value cache: allocated once, appended to in place, cut back or forked from a shared prefix."""

import torch
from jaxtyping import Float
from torch import Tensor

from core.errors import EngineFailed
from core.lras.config import TransformerConfig

Keys = Float[Tensor, "B H _ D"]


class KVCache:
    """Keys and values of `capacity` tokens for every layer. `length` tokens are in use."""

    def __init__(
        self,
        config: TransformerConfig,
        capacity: int,
        batch: int = 1,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        shape = (config.n_layer, batch, config.n_head, capacity, config.head_width)
        self._config = config
        self._keys = torch.empty(shape, dtype=dtype, device=device)
        self._values = torch.empty(shape, dtype=dtype, device=device)
        self.length = 0

    @property
    def batch(self) -> int:
        return self._keys.shape[1]

    @property
    def capacity(self) -> int:
        return self._keys.shape[3]

    @property
    def size_bytes(self) -> int:
        return 2 * self._keys.numel() * self._keys.element_size()

    def write(self, layer: int, keys: Keys, values: Keys) -> tuple[Keys, Keys]:
        """Put new tokens behind the ones in use; returns all of that layer. `advance` makes them stay."""
        start, stop = self.length, self.length + keys.shape[2]
        if stop > self.capacity:
            raise EngineFailed(f"The cache holds {self.capacity} tokens and {stop} were asked for.")
        self._keys[layer, :, :, start:stop] = keys
        self._values[layer, :, :, start:stop] = values
        return self._keys[layer, :, :, :stop], self._values[layer, :, :, :stop]

    def advance(self, count: int) -> None:
        """Keep the last `count` tokens that every layer wrote."""
        self.length += count

    def truncate(self, length: int) -> None:
        """Forget every token from `length` on."""
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot cut a cache of {self.length} tokens to {length}")
        self.length = length

    def fork(self, capacity: int, batch: int = 1) -> "KVCache":
        """A cache of its own that begins with these tokens, the same for each of `batch` rows."""
        forked = KVCache(self._config, capacity, batch, self._keys.dtype, self._keys.device)
        forked._keys[:, :, :, : self.length] = self._keys[:, :, :, : self.length]
        forked._values[:, :, :, : self.length] = self._values[:, :, :, : self.length]
        forked.length = self.length
        return forked
