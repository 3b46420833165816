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
from core.lras.transformer import Transformer
from core.types.protocols import CancelToken

_PATCH = CODES_PER_PATCH + 1
_FEWEST, _MOST = 2 * _PATCH, 48 * _PATCH
# Where a pass over one token is much cheaper than over ten, the rest of a patch in which the draft was wrong is decoded
# code by code once the draft has been wrong there more often than not. On a GPU both cost the same.
_LEAST_TRUST = {"cpu": 0.5}
_TRUST_MEMORY = 0.95


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

    `mended` is the patch in which a code was corrected last; `trust` how often the draft was right behind such a code.
    """

    tokens: Int64[Tensor, "N"]
    positions: Int64[Tensor, "N"]
    cached: int = 0
    decided: int = 1
    window: int = 8 * _PATCH
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
        end = min(self.decided + self.window, len(self.tokens))
        return end - int(end % _PATCH == 1)

    def codes_until(self, end: int) -> Int64[Tensor, "K"]:
        """Indices of undecided codes before `end`."""
        indices = torch.arange(self.decided, end)
        return indices[indices % _PATCH != 0]

    def decide(self, upto: int) -> None:
        """Make everything before `upto` final, and the pointer there, which is given."""
        self.decided = upto + (upto % _PATCH == 0)


def decode_drafted(
    model: Transformer,
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
    model: Transformer,
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
    if state.is_mending:
        state.trust = _TRUST_MEMORY * state.trust + (1 - _TRUST_MEMORY) * float(held > 0)
    if instead is None:
        state.cached = end - 1
        if end > state.decided + 1:
            state.window = min(2 * state.window, _MOST)
        state.decide(end)
        return
    wrong = int(codes[held])
    if wrong > state.decided:
        state.window = max(_FEWEST, min(2 * (wrong - state.decided), _MOST))
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
