"""A network ready to decode: source prefixes kept between edits, one call for every mode, a fair share for everyone."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from core.compute import computes
from core.errors import InvalidInput
from core.lras.cache import KVCache
from core.lras.draft import DraftTally, decode_drafted
from core.lras.generate import Decoded, Favoured, decode, prefill
from core.lras.layout import PatchCodes, Run
from core.lras.memory import MemoryEstimate, estimate, plain_out_of_memory
from core.lras.plan import Plan
from core.lras.sampling import Sampling
from core.lras.schedule import Group, far_apart, in_groups, seq2par
from core.lras.transformer import Network
from core.turns import Turns
from core.types.protocols import CancelToken

# Each holds a cache of its own; more wait, so that memory stays bounded.
_DECODED_AT_ONCE = 2
# Patches to decode together are looked for among those of so many passes.
_SPREAD_OVER = 8
# As in the released scripts for pictures (spec 5.4).
RELEASED_SAMPLING = Sampling(temperature=0.9, top_k=1000, top_p=0.9)


@dataclass(frozen=True)
class Decoding:
    """How a frame is decoded. `patches_per_pass` 1 is the model's own order of things; more is faster.

    `sequential` decodes so many patches one by one and the rest at once and greedily (the released seq2par).
    With `keeps` a draft's code stays while the network finds it at least so many times (0..1) as likely as its best;
    without, a draft only makes decoding faster. Raises InvalidInput for no patch, no variation, or such a share.
    """

    patches_per_pass: int = 32
    sequential: int | None = None
    sampling: Sampling = RELEASED_SAMPLING
    variations: int = 1
    keeps: float | None = None

    def __post_init__(self) -> None:
        if self.patches_per_pass < 1 or self.variations < 1:
            raise InvalidInput("At least one patch in a pass and one variation must be asked for.")
        if self.keeps is not None and not 0 <= self.keeps <= 1:
            raise InvalidInput(f"A draft's code is kept from a share of 0 to 1 on, got {self.keeps:g}.")

    def groups(self, plan: Plan) -> list[Group]:
        """The plan's patches as groups, nearly in its order; those decoded together lie far apart."""
        if self.sequential is not None:
            return seq2par(plan.order, self.sequential)
        if self.patches_per_pass == 1:
            return in_groups(plan.order, 1)
        span = _SPREAD_OVER * self.patches_per_pass
        spread = [far_apart(group.ids, plan.config.grid) for group in in_groups(plan.order, span)]
        return [group for ids in spread for group in in_groups(ids, self.patches_per_pass)]


@dataclass(eq=False)
class Runtime:
    """One network with the caches of the last few source photos, shared by the threads of many sessions.

    Those that decode at once compute pass by pass in turn; the others wait in the order in which they came.
    """

    model: Network
    prefixes_kept: int = 2
    _prefixes: "OrderedDict[str, KVCache]" = field(default_factory=OrderedDict)
    _room: Turns = field(default_factory=lambda: Turns(_DECODED_AT_ONCE))

    def decode(
        self,
        plan: Plan,
        decoding: Decoding,
        seed: int,
        cancel: CancelToken,
        draft: PatchCodes | None = None,
        tally: DraftTally | None = None,
    ) -> Iterator[Decoded]:
        """Decode a plan; with a draft, checked against it (one variation, in the plan's order) or favouring it.

        Raises Cancelled between passes, EngineFailed when memory runs out.
        """
        with self._room.turn(cancel), plain_out_of_memory("decoding this picture"):
            cache = self._filled(plan, decoding, cancel)
            generator = torch.Generator(self.model.device).manual_seed(seed)
            if draft is None or decoding.keeps is not None:
                groups = decoding.groups(plan)
                favoured = None if draft is None else Favoured(draft, decoding.keeps or 0.0)
                passes = decode(self.model, plan, cache, groups, decoding.sampling, generator, cancel, favoured)
            else:
                passes = decode_drafted(
                    self.model, plan, cache, draft, decoding.sampling, generator, cancel, tally
                )  # fmt: skip
            while (decoded := _one(passes, cancel)) is not None:
                yield decoded

    def estimate(self, plan: Plan, decoding: Decoding, int8: bool = False) -> MemoryEstimate:
        """What `decode` will need, the kept prefixes included."""
        kept = self.prefixes_kept * len(plan.source)
        tokens = plan.length * decoding.variations + kept
        return estimate(self.model.config, self.model.dtype, tokens, int8=int8)

    @computes
    def _filled(self, plan: Plan, decoding: Decoding, cancel: CancelToken) -> KVCache:
        """A cache that holds all that the plan shows."""
        cancel.check()
        model, batch = self.model, decoding.variations
        if model.config.sees_draft:
            # Frame 0 is a draft, which no other edit shares.
            cache = KVCache(model.config, plan.length, batch, model.dtype, model.device)
            prefill(model, plan.source + plan.condition, cache, cancel)
        else:
            cache = self._prefix(plan.source, cancel).fork(plan.length, batch)
            prefill(model, plan.condition, cache, cancel)
        return cache

    def _prefix(self, source: Run, cancel: CancelToken) -> KVCache:
        """The cache of a source photo, made on first use."""
        key = hashlib.blake2b(source.tokens.tobytes() + source.positions.tobytes()).hexdigest()
        if key not in self._prefixes:
            cache = KVCache(self.model.config, len(source), 1, self.model.dtype, self.model.device)
            prefill(self.model, source, cache, cancel)
            self._prefixes[key] = cache
            while len(self._prefixes) > self.prefixes_kept:
                self._prefixes.popitem(last=False)
        self._prefixes.move_to_end(key)
        return self._prefixes[key]


@computes
def _one(passes: Iterator[Decoded], cancel: CancelToken) -> Decoded | None:
    """The next pass; nobody waits for what is done with it."""
    cancel.check()
    return next(passes, None)
