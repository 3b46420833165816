"""What the network is shown and what it must decode, for one frame."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from core.errors import InvalidInput
from core.lras import layout
from core.lras.config import Span, TransformerConfig
from core.lras.layout import Codes, PatchCodes, PatchIds, Run, Target
from core.lras.recipe import Recipe

# Our own orders show the source photo the same way for every edit and seed, so that its prefix can be shared.
_SHARED_ORDER_SEED = 0
_NO_CODES = np.zeros((0, layout.CODES_PER_PATCH), np.int64)
_EMPTY = Run(np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True)
class Orders:
    """The order in which each segment's patches come: permutations of all patch ids, or of those that matter."""

    frame_0: PatchIds
    flow: PatchIds
    target: PatchIds

    def only(self, frame_0: PatchIds, target: PatchIds) -> "Orders":
        """The same orders with no other patches than these of frame 0 and of the target."""
        return Orders(_only(self.frame_0, frame_0), self.flow, _only(self.target, target))


@dataclass(frozen=True)
class Known:
    """A target frame of which the patches `ids` are known: they are shown, not decoded."""

    ids: PatchIds
    frame: Codes


@dataclass(frozen=True)
class Plan:
    """`source` depends on the photo alone, `condition` on the edit; then `order`'s patches are decoded.

    The patches `revealed_ids` with `revealed_codes` are already part of `condition`.
    """

    config: TransformerConfig
    target: Target
    source: Run
    condition: Run
    order: PatchIds
    revealed_ids: PatchIds
    revealed_codes: PatchCodes
    restrict_vocabulary: bool

    @property
    def vocabulary(self) -> Span | None:
        """The tokens that may be drawn as content; None for all."""
        return self.target.codes if self.restrict_vocabulary else None

    @property
    def length(self) -> int:
        """Tokens of the whole sequence."""
        return len(self.source) + len(self.condition) + 5 * len(self.order)

    def assemble(self, ids: PatchIds, codes: PatchCodes) -> Codes:
        """The frame's grid from decoded and revealed patches. Raises InvalidInput when a patch is missing."""
        every = np.concatenate([self.revealed_ids, ids])
        missing = self.config.n_patches - len(np.unique(every))
        if missing:
            raise InvalidInput(f"{missing} of {self.config.n_patches} patches were neither revealed nor decoded.")
        table = np.empty((self.config.n_patches, layout.CODES_PER_PATCH), np.int64)
        table[every] = np.concatenate([self.revealed_codes, codes])
        return layout.codes_grid(table)


def orders(config: TransformerConfig, seed: int) -> Orders:
    """Ours: the source photo's order never changes, the others follow `seed`."""
    count = config.n_patches
    ours = np.random.default_rng(seed)
    source = np.random.default_rng(_SHARED_ORDER_SEED).permutation(count)
    return Orders(source, ours.permutation(count), ours.permutation(count))


def released_orders(config: TransformerConfig, seed: int, flow: bool = True) -> Orders:
    """The reference's draws: one permutation a segment, in the order the segments come (spec 4.2)."""
    legacy = np.random.RandomState(seed)
    first, second = legacy.permutation(config.n_patches), legacy.permutation(config.n_patches)
    return Orders(first, second, legacy.permutation(config.n_patches) if flow else second)


def rgb_plan(
    config: TransformerConfig,
    recipe: Recipe,
    source: Codes,
    orders: Orders,
    flow: tuple[Int64[np.ndarray, "2 H W"], PatchIds] | None = None,
    known: Known | None = None,
) -> Plan:
    """Frame 1 from frame 0 and sparse flow (spec 4.3): bins (x, y) and the ids of the patches to show."""
    kept = round(recipe.frame_0_share * config.n_patches)
    shown = layout.frame_0(config, source, orders.frame_0[:kept])
    conditions = _EMPTY if flow is None else layout.binned_flow(config, flow[0], _only(orders.flow, flow[1]))
    return _plan(config, recipe, shown, conditions, layout.target(config, "rgb"), orders.target, known)


def flow_plan(
    config: TransformerConfig,
    recipe: Recipe,
    source: Codes,
    orders: Orders,
    camera: Int64[np.ndarray, "7"] | None,
    known: Known | None = None,
) -> Plan:
    """Quantised flow from frame 0 and a camera motion (spec 4.4); every patch of frame 0 is shown."""
    shown = layout.frame_0(config, source, orders.frame_0)
    conditions = _EMPTY if camera is None else layout.camera(config, camera)
    return _plan(config, recipe, shown, conditions, layout.target(config, "flow"), orders.target, known)


def _plan(
    config: TransformerConfig,
    recipe: Recipe,
    shown: Run,
    conditions: Run,
    target: Target,
    order: PatchIds,
    known: Known | None,
) -> Plan:
    ahead = order[:0]
    if known is not None:
        ahead = _only(order, known.ids) if recipe.reveal == "asked" else order[: len(known.ids)]
    codes = layout.checked_patches(config, known.frame, target.codes.size)[ahead] if known is not None else _NO_CODES
    later = order[~np.isin(order, ahead)]
    return Plan(
        config, target, shown, conditions + target.run(ahead, codes), later, ahead, codes, recipe.restrict_vocabulary
    )


def _only(order: PatchIds, ids: PatchIds) -> PatchIds:
    """Those of `order` that are in `ids`, in its order."""
    return order[np.isin(order, ids)]
