"""Decoding as one generator of decoded patches: prefill, then patches one by one, in groups, or against a draft.

A pointer is given, so it is fed together with the codes decoded last: four passes a patch or group. Within a
group the tokens come slot by slot, as in the released seq2par (spec 5.5).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from core.lras.cache import KVCache
from core.lras.config import Span
from core.lras.layout import CODES_PER_PATCH, PatchIds, Run
from core.lras.plan import Plan
from core.lras.sampling import GREEDY, Sampling, draw, entropy
from core.lras.schedule import Group
from core.lras.transformer import Network
from core.types.protocols import CancelToken

_PREFILL_CHUNK = 1024


@dataclass(frozen=True, eq=False)
class Decoded:
    """Patches that are done: their ids, codes for each variation, and the network's doubt in nats."""

    ids: PatchIds
    codes: Int64[np.ndarray, "B K 4"]
    entropy: Float32[np.ndarray, "B K 4"]


def prefill(model: Network, run: Run, cache: KVCache, cancel: CancelToken | None = None) -> None:
    """Put a run into the cache, a piece at a time. Raises Cancelled between pieces."""
    with torch.inference_mode():
        for start in range(0, len(run), _PREFILL_CHUNK):
            if cancel is not None:
                cancel.check()
            piece = slice(start, start + _PREFILL_CHUNK)
            tokens, positions = (_rows(part[piece], cache.batch, model.device) for part in (run.tokens, run.positions))
            model(tokens, positions, cache)


def decode(
    model: Network,
    plan: Plan,
    cache: KVCache,
    groups: Sequence[Group],
    sampling: Sampling = GREEDY,
    generator: torch.Generator | None = None,
    cancel: CancelToken | None = None,
) -> Iterator[Decoded]:
    """Decode `groups` after the plan's prefix, which `cache` must hold. Raises Cancelled between groups.

    One variation for each row of the cache's batch. Same generator state and machine: same codes.
    """
    late: _Late | None = None
    for group in groups:
        if cancel is not None:
            cancel.check()
        with torch.inference_mode():
            decoded, late = _group(model, plan, cache, group, sampling, generator, late)
        yield decoded


@dataclass(frozen=True, eq=False)
class _Late:
    """The last codes of a group: decided, not yet in the cache."""

    tokens: Int64[Tensor, "B K"]
    positions: PatchIds


def _group(
    model: Network,
    plan: Plan,
    cache: KVCache,
    group: Group,
    sampling: Sampling,
    generator: torch.Generator | None,
    late: _Late | None,
) -> tuple[Decoded, _Late]:
    count = len(group.ids)
    chosen = GREEDY if group.greedy else sampling
    tokens = _rows(plan.target.pointer_tokens(group.ids), cache.batch, model.device)
    positions = plan.target.pointer_positions(group.ids)
    if late is not None:
        tokens = torch.cat([late.tokens, tokens], dim=1)
        positions = np.concatenate([late.positions, positions])
    codes, doubts = [], []
    for slot in range(CODES_PER_PATCH):
        hidden = model(tokens, _rows(positions, cache.batch, model.device), cache)[:, -count:]
        tokens, doubt = _read(model, hidden, plan.vocabulary, chosen, generator)
        positions = plan.target.code_positions(group.ids, slot)
        codes.append(tokens)
        doubts.append(doubt)
    decoded = Decoded(
        group.ids,
        (torch.stack(codes, dim=-1) - plan.target.codes.start).cpu().numpy(),
        torch.stack(doubts, dim=-1).float().cpu().numpy(),
    )
    return decoded, _Late(tokens, positions)


# Scores of this many tokens are held at a time; a whole frame's would be gigabytes.
_ROWS_AT_ONCE = 128


def _read(
    model: Network,
    hidden: Tensor,
    vocabulary: Span | None,
    sampling: Sampling,
    generator: torch.Generator | None,
) -> tuple[Int64[Tensor, "B K"], Tensor]:
    """Tokens and doubts from hidden states [B, K, C]."""
    first = vocabulary.start if vocabulary is not None else 0
    tokens, doubts = [], []
    for part in hidden.split(_ROWS_AT_ONCE, dim=1):
        logits = model.logits(part, vocabulary)
        tokens.append(draw(logits, sampling, generator) + first)
        doubts.append(entropy(logits))
    return torch.cat(tokens, dim=1), torch.cat(doubts, dim=1)


def _rows(values: Int64[np.ndarray, "T"], batch: int, device: torch.device) -> Int64[Tensor, "B T"]:
    return torch.from_numpy(values).to(device).expand(batch, -1)
