"""The decoder-only network of LRAS: learned token and position embeddings, pre-norm blocks, plain causal attention.

Parameters are named as in the released checkpoints. No sampling inside.
"""

from typing import Protocol, cast, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from core.lras.cache import KeyValueStore, KVCache
from core.lras.config import Span, TransformerConfig
from core.lras.linear import Linear

# 0 (or True) where a new token sees an old or new one, else minus infinity (or False).
AttentionMask = Float[Tensor, "T S"] | Bool[Tensor, "T S"]


class Attention(nn.Module):
    """Multi-head self-attention over the cached tokens and the new ones."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.heads = config.n_head
        self.c_attn = Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)
        self.c_proj = Linear(config.n_embd, config.n_embd, bias=config.bias)

    def forward(
        self, x: Float[Tensor, "B T C"], mask: AttentionMask | None, cache: KeyValueStore | None, layer: int
    ) -> Float[Tensor, "B T C"]:
        batch, count, width = x.shape
        qkv = self.c_attn(x).view(batch, count, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)
        if cache is not None:
            key, value = cache.write(layer, key, value)
        causal = mask is None and count > 1
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)
        return self.c_proj(attended.transpose(1, 2).reshape(batch, count, width))


class FeedForward(nn.Module):
    """Four times the width, exact GELU."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.c_fc = Linear(config.n_embd, 4 * config.n_embd, bias=config.bias)
        self.c_proj = Linear(4 * config.n_embd, config.n_embd, bias=config.bias)

    def forward(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B T C"]:
        return self.c_proj(functional.gelu(self.c_fc(x)))


class Block(nn.Module):
    """Attention and feed-forward, each added to what it read through a LayerNorm."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.attn = Attention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.mlp = FeedForward(config)

    def forward(
        self, x: Float[Tensor, "B T C"], mask: AttentionMask | None, cache: KeyValueStore | None, layer: int
    ) -> Float[Tensor, "B T C"]:
        x = x + self.attn(self.ln_1(x), mask, cache, layer)
        return x + self.mlp(self.ln_2(x))


@runtime_checkable
class Network(Protocol):
    """What decoding needs of a network: a pass over new tokens, and scores."""

    @property
    def config(self) -> TransformerConfig: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...

    def __call__(self, tokens: Int64[Tensor, "B T"], positions: Int64[Tensor, "B T"], cache: KVCache) -> Tensor:
        """Hidden states [B, T, C]; the new tokens are added to `cache`."""
        ...

    def logits(self, hidden: Float[Tensor, "*N C"], span: Span | None = None) -> Tensor:
        """Scores [*N, V] of the whole vocabulary or of the ids in `span` only."""
        ...


class Transformer(nn.Module):
    """Tokens and their positions in, hidden states out; `logits` reads tokens off them."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer = nn.ModuleDict({
            "token_embedding": nn.Embedding(config.vocab_size, config.n_embd),
            "positional_embedding": nn.Embedding(config.block_size, config.n_embd),
            "h": nn.ModuleList(Block(config) for _ in range(config.n_layer)),
            "ln_f": nn.LayerNorm(config.n_embd, bias=config.bias),
        })  # fmt: skip
        self.lm_head = Linear(config.n_embd, config.vocab_size, bias=False)

    @property
    def device(self) -> torch.device:
        return self.transformer["token_embedding"].weight.device  # type: ignore[union-attr]

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of activations and of the cache."""
        return self.transformer["token_embedding"].weight.dtype  # type: ignore[union-attr]

    def forward(
        self,
        tokens: Int64[Tensor, "B T"],
        positions: Int64[Tensor, "B T"],
        cache: KeyValueStore | None = None,
        mask: AttentionMask | None = None,
    ) -> Float[Tensor, "B T C"]:
        """Hidden states after the last LayerNorm; the new tokens are added to `cache`.

        `mask` is over cache and new tokens together, in the network's dtype; None is plain causal attention.
        """
        count = tokens.shape[1]
        if mask is None and cache is not None and cache.length and count > 1:
            mask = causal_mask(cache.length, count, self.dtype, tokens.device)
        x = self.transformer["token_embedding"](tokens) + self.transformer["positional_embedding"](positions)
        for layer, block in enumerate(cast(nn.ModuleList, self.transformer["h"])):
            x = block(x, mask, cache, layer)
        if cache is not None:
            cache.advance(count)
        return self.transformer["ln_f"](x)

    def logits(self, hidden: Float[Tensor, "*N C"], span: Span | None = None) -> Float[Tensor, "*N V"]:
        """Scores of the whole vocabulary or of the ids in `span` only."""
        span = span or Span(0, self.config.vocab_size)
        # As one matrix: of a batch with gaps PyTorch would multiply copies of the whole weight.
        scores = self.lm_head.rows(hidden.reshape(-1, hidden.shape[-1]), span.start, span.stop)
        return scores.view(*hidden.shape[:-1], -1)


def causal_mask(past: int, count: int, dtype: torch.dtype, device: torch.device) -> AttentionMask:
    """New token t sees everything before it and itself."""
    hidden = torch.full((count, past + count), float("-inf"), dtype=dtype, device=device)
    return hidden.triu(past + 1)
