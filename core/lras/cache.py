"""The key/value cache: allocated once, appended to in place, cut back or forked from a shared prefix."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from core.errors import EngineFailed
from core.lras.config import TransformerConfig

Keys = Float[Tensor, "B H _ D"]


@runtime_checkable
class KeyValueStore(Protocol):
    """What the network writes new keys and values to, and reads all of them from."""

    @property
    def length(self) -> int:
        """How many tokens come before those written next."""
        ...

    def write(self, layer: int, keys: Keys, values: Keys) -> tuple[Keys, Keys]:
        """Add new tokens to a layer; returns what attention is to see of it."""
        ...

    def advance(self, count: int) -> None:
        """Keep the last `count` tokens that every layer wrote."""
        ...


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

    def window(self, count: int, reach: int) -> "CacheWindow":
        """The first `reach` tokens with places for `count` new ones; those not in use become 0.

        Attention reads them with no weight, but even so what memory happened to hold may be no number.
        """
        self._keys[:, :, :, self.length : reach] = 0
        self._values[:, :, :, self.length : reach] = 0
        places = torch.zeros(count, dtype=torch.int64, device=self._keys.device)
        return CacheWindow(self._keys[:, :, :, :reach], self._values[:, :, :, :reach], places)

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


class CacheWindow:
    """The first tokens of a cache, always as many of them, written at places that are data: what a graph can replay.

    Attention sees what lies behind the new tokens too, so it needs a mask (`visible`).
    """

    length = 0

    def __init__(
        self, keys: Float[Tensor, "N B H S D"], values: Float[Tensor, "N B H S D"], places: Int64[Tensor, "T"]
    ) -> None:
        self._keys, self._values, self.places = keys, values, places

    @property
    def visible(self) -> Bool[Tensor, "T S"]:
        """True where a new token sees one of the window."""
        return torch.arange(self._keys.shape[3], device=self.places.device) <= self.places[:, None]

    def write(self, layer: int, keys: Keys, values: Keys) -> tuple[Keys, Keys]:
        """Put new tokens at `places`; returns the window of that layer."""
        self._keys[layer].index_copy_(2, self.places, keys)
        self._values[layer].index_copy_(2, self.places, values)
        return self._keys[layer], self._values[layer]

    def advance(self, count: int) -> None:
        """Nothing: the cache itself is advanced by who replays."""
