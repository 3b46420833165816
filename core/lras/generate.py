"""Decoding as one generator of decoded patches: prefill, then patches one by one, in groups, or against a draft.

A pointer is given, so it is fed together with the codes decoded last: four passes a patch or group. Within a
group the tokens come slot by slot, as in the released seq2par (spec 5.5).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from core.lras.cache import KVCache
from core.lras.config import Span
from core.lras.layout import CODES_PER_PATCH, PatchCodes, PatchIds, Run
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


@dataclass(frozen=True, eq=False)
class Favoured:
    """Codes of every patch that stay unless the network knows much better.

    One stays while the network finds it at least `share` (0..1) times as likely as its best code.
    """

    codes: PatchCodes
    share: float


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
    favoured: Favoured | None = None,
) -> Iterator[Decoded]:
    """Decode `groups` after the plan's prefix, which `cache` must hold. Raises Cancelled between groups.

    One variation for each row of the cache's batch. Same generator state and machine: same codes.
    """
    late: _Late | None = None
    for group in groups:
        if cancel is not None:
            cancel.check()
        with torch.inference_mode():
            decoded, late = _group(model, plan, cache, group, sampling, generator, late, favoured)
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
    favoured: Favoured | None,
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
        tokens, doubt = _read(model, hidden, plan.vocabulary, chosen, generator, _wanted(plan, group, favoured, slot))
        positions = plan.target.code_positions(group.ids, slot)
        codes.append(tokens)
        doubts.append(doubt)
    decoded = Decoded(
        group.ids,
        (torch.stack(codes, dim=-1) - plan.target.codes.start).cpu().numpy(),
        torch.stack(doubts, dim=-1).float().cpu().numpy(),
    )
    return decoded, _Late(tokens, positions)


@dataclass(frozen=True, eq=False)
class _Wanted:
    """Tokens that a pass favours, and by how much (a difference of scores)."""

    tokens: Int64[Tensor, "K"]
    lead: float


def _wanted(plan: Plan, group: Group, favoured: Favoured | None, slot: int) -> _Wanted | None:
    if favoured is None:
        return None
    tokens = torch.from_numpy(favoured.codes[group.ids, slot] + plan.target.codes.start)
    return _Wanted(tokens, math.log(favoured.share) if favoured.share > 0 else -math.inf)


# Scores of this many tokens are held at a time; a whole frame's would be gigabytes.
_ROWS_AT_ONCE = 128


def _read(
    model: Network,
    hidden: Tensor,
    vocabulary: Span | None,
    sampling: Sampling,
    generator: torch.Generator | None,
    wanted: _Wanted | None,
) -> tuple[Int64[Tensor, "B K"], Tensor]:
    """Tokens and doubts from hidden states [B, K, C]."""
    first = vocabulary.start if vocabulary is not None else 0
    tokens, doubts = [], []
    for start in range(0, hidden.shape[1], _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        logits = model.logits(hidden[:, rows], vocabulary)
        drawn = draw(logits, sampling, generator)
        if wanted is not None:
            own = (wanted.tokens[rows].to(logits.device) - first).expand_as(drawn)
            near = logits.gather(-1, own[..., None])[..., 0] >= logits.amax(-1) + wanted.lead
            drawn = torch.where(near, own, drawn)
        tokens.append(drawn + first)
        doubts.append(entropy(logits))
    return torch.cat(tokens, dim=1), torch.cat(doubts, dim=1)


def _rows(values: Int64[np.ndarray, "T"], batch: int, device: torch.device) -> Int64[Tensor, "B T"]:
    return torch.from_numpy(values).to(device).expand(batch, -1)
