"""Decoding against a draft: one pass checks the codes of many patches at once.

The draft is a guess at the codes, such as the geometric warp's own. It changes how fast the frame is made,
not what comes out: greedy decoding gives plain decoding's tokens, sampling draws from plain decoding's distribution.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Int64
from torch import Tensor

from core.errors import InvalidInput
from core.lras.cache import KVCache
from core.lras.generate import Decoded
from core.lras.layout import CODES_PER_PATCH, PatchCodes
from core.lras.plan import Plan
from core.lras.sampling import GREEDY, Sampling, accept, entropy
from core.lras.transformer import Network
from core.types.protocols import CancelToken

_PATCH = CODES_PER_PATCH + 1
_MOST_PATCHES = 48
# What a pass costs before its first patch, in patches; measured on two CPU cores. On a GPU nearly everything is that.
_FIXED_COST = {"cpu": 6.0}
# Where a pass over one token is much cheaper than over ten, the rest of a patch in which the draft was wrong is decoded
# code by code once the draft has been wrong there more often than not. On a GPU both cost the same.
_LEAST_TRUST = {"cpu": 0.5}
_TRUST_MEMORY = 0.95
_HIT_MEMORY = 0.95


@dataclass
class DraftTally:
    """How the draft fared so far; counts codes and forward passes."""

    offered: int = 0
    accepted: int = 0
    passes: int = 0

    @property
    def share_accepted(self) -> float:
        """Of the codes that were decided, those that the draft had right; 1 before the first."""
        return self.accepted / self.offered if self.offered else 1.0


@dataclass(eq=False)
class _Sequence:
    """The tokens after the prefix: pointers are given, codes below `decided` are final, the rest is draft.

    `hits` is the running share of patches that the draft had right. `mended` is the patch in which a code was corrected
    last; `trust` how often the draft was right behind such a code.
    """

    tokens: Int64[Tensor, "N"]
    positions: Int64[Tensor, "N"]
    cached: int = 0
    decided: int = 1
    hits: float = 0.8
    mended: int = -1
    trust: float = 1.0
    doubts: list[Tensor] = field(default_factory=list)

    @property
    def is_mending(self) -> bool:
        """True behind a corrected code of the same patch."""
        return self.decided // _PATCH == self.mended

    def next_end(self) -> int:
        """Where the next pass's check ends; never behind a pointer, which needs no check."""
        if self.is_mending and self.trust < _LEAST_TRUST.get(self.tokens.device.type, 0.0):
            return self.decided + 1
        fixed = _FIXED_COST.get(self.tokens.device.type, float(_MOST_PATCHES))
        end = min(self.decided + _PATCH * best_window(self.hits, fixed), len(self.tokens))
        return end - int(end % _PATCH == 1)

    def codes_until(self, end: int) -> Int64[Tensor, "K"]:
        """Indices of undecided codes before `end`."""
        indices = torch.arange(self.decided, end)
        return indices[indices % _PATCH != 0]

    def note(self, held: int, wrong: bool) -> None:
        """Learn from a pass whose first `held` codes were right."""
        for _ in range(held // CODES_PER_PATCH):
            self.hits += (1 - _HIT_MEMORY) * (1 - self.hits)
        if wrong and not self.is_mending:
            self.hits *= _HIT_MEMORY
        if self.is_mending:
            self.trust = _TRUST_MEMORY * self.trust + (1 - _TRUST_MEMORY) * float(held > 0)

    def decide(self, upto: int) -> None:
        """Make everything before `upto` final, and the pointer there, which is given."""
        self.decided = upto + (upto % _PATCH == 0)


def best_window(hits: float, fixed: float) -> int:
    """How many patches to check in one pass: most settled for its cost.

    Of w patches, each right with chance `hits`, (1 - hits^w) / (1 - hits) are settled; the pass costs `fixed` + w.
    """
    settled, best, window = 0.0, 0.0, 1
    for count in range(1, _MOST_PATCHES + 1):
        settled += hits ** (count - 1)
        if settled / (fixed + count) > best:
            best, window = settled / (fixed + count), count
    return window


def decode_drafted(
    model: Network,
    plan: Plan,
    cache: KVCache,
    draft: PatchCodes,
    sampling: Sampling = GREEDY,
    generator: torch.Generator | None = None,
    cancel: CancelToken | None = None,
    tally: DraftTally | None = None,
) -> Iterator[Decoded]:
    """Decode the plan's patches in its order; `draft` holds a guess for each, in raster order of the frame.

    `cache` must hold the plan's prefix, for one variation. Raises Cancelled between passes, InvalidInput
    when the draft does not fit.
    """
    if draft.shape != (plan.config.n_patches, CODES_PER_PATCH):
        raise InvalidInput(f"A draft of {plan.config.n_patches}x{CODES_PER_PATCH} codes is needed, got {draft.shape}.")
    if cache.batch != 1:
        raise InvalidInput(f"A draft is checked for one variation at a time, got {cache.batch}.")
    tally = tally if tally is not None else DraftTally()
    run = plan.target.run(plan.order, draft[plan.order])
    state = _Sequence(torch.from_numpy(run.tokens).to(model.device), torch.from_numpy(run.positions).to(model.device))
    base, total, done = cache.length, len(run), 0
    while state.decided < total:
        if cancel is not None:
            cancel.check()
        with torch.inference_mode():
            _pass(model, plan, cache, state, base, sampling, generator, tally)
        finished = min(state.decided, total) // _PATCH
        if finished > done:
            yield _decoded(plan, state, done, finished)
            done = finished


def _pass(
    model: Network,
    plan: Plan,
    cache: KVCache,
    state: _Sequence,
    base: int,
    sampling: Sampling,
    generator: torch.Generator | None,
    tally: DraftTally,
) -> None:
    """Check one window of the draft; keep what holds and correct the first code that does not."""
    end = state.next_end()
    fed = slice(state.cached, end - 1)
    hidden = model(state.tokens[fed][None], state.positions[fed][None], cache)[0]
    codes = state.codes_until(end)
    logits = model.logits(hidden[codes - 1 - state.cached], plan.vocabulary)
    first = plan.vocabulary.start if plan.vocabulary is not None else 0
    held, instead = accept(logits, state.tokens[codes] - first, sampling, generator)
    state.doubts.append(entropy(logits[: held + (instead is not None)]))
    tally.passes += 1
    tally.accepted += held
    tally.offered += held + (instead is not None)
    state.note(held, instead is not None)
    if instead is None:
        state.cached = end - 1
        state.decide(end)
        return
    wrong = int(codes[held])
    state.tokens[wrong] = instead + first
    state.cached, state.mended = wrong, wrong // _PATCH
    state.decide(wrong + 1)
    cache.truncate(base + state.cached)


def _decoded(plan: Plan, state: _Sequence, start: int, stop: int) -> Decoded:
    """Patches `start` to `stop` of the order, which are final."""
    tokens = state.tokens[start * _PATCH : stop * _PATCH].view(-1, _PATCH)[:, 1:]
    doubts = torch.cat(state.doubts)
    taken = (stop - start) * CODES_PER_PATCH
    state.doubts = [doubts[taken:]]
    return Decoded(
        plan.order[start:stop],
        (tokens - plan.target.codes.start).cpu().numpy()[None],
        doubts[:taken].view(-1, CODES_PER_PATCH).float().cpu().numpy()[None],
    )
