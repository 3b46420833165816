"""What a sample shows and how the rest is decoded: random choices, made without knowing any code."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool

from core.lras.config import PATCH_PIXELS, TransformerConfig
from core.lras.flow_patches import FlowGrid, choose_patches
from core.lras.layout import PatchIds
from core.lras.nearby import nearest
from core.lras.plan import Orders, orders
from core.lras.schedule import Group, far_apart, in_groups
from core.training.config import SequenceSettings

_EVERY_CELL_SHARE = 0.7
_STILL_SHARE = 0.3
_LARGEST_SEED = 2**31


@dataclass(frozen=True, eq=False)
class Draw:
    """Orders of the segments, which flow and target patches are shown, and the groups of all others."""

    orders: Orders
    flow_ids: PatchIds
    known_ids: PatchIds
    groups: tuple[Group, ...]


def draw_sequence(
    config: TransformerConfig,
    settings: SequenceSettings,
    random: np.random.Generator,
    cells: FlowGrid | None = None,
    uncovered: Bool[np.ndarray, "P P"] | None = None,
) -> Draw:
    """`cells` is the flow of which patches may be shown; `uncovered` the target's pixels that an edit would paint.

    Of what is decoded, known and shown of frame 0 only what lies near to one another is kept, as many patches as the
    network takes.
    """
    drawn = orders(config, int(random.integers(_LARGEST_SEED)))
    flow_ids = drawn.flow[:0] if cells is None else _shown_flow(config.flow_patches, random, cells)
    known_ids = _known(config, settings, random, uncovered)
    left = drawn.target[~np.isin(drawn.target, known_ids)]
    kept = nearest(left, left[:1], config.grid, config.decoded_patches)
    left = left[np.isin(left, kept)]
    known_ids = nearest(known_ids, left, config.grid, config.known_patches)
    shown = nearest(drawn.frame_0, left, config.grid, config.frame_0_patches)
    drawn = drawn.only(shown, np.concatenate([known_ids, left]))
    size = int(random.choice(settings.group_sizes)) or len(left)
    if size > 1 and random.random() < settings.far_apart_share:
        left = far_apart(left, config.grid)
    return Draw(drawn, flow_ids, known_ids, tuple(in_groups(left, max(size, 1))))


def _shown_flow(most: int, random: np.random.Generator, cells: FlowGrid) -> PatchIds:
    """Moving patches and sometimes still ones, few or many."""
    moving = int(random.integers(0, most + 1))
    still = int(random.integers(0, most + 1 - moving)) if random.random() < _STILL_SHARE else 0
    rule = "all cells" if random.random() < _EVERY_CELL_SHARE else "any cell"
    return choose_patches(cells, moving, still, rule, random)


def _known(
    config: TransformerConfig,
    settings: SequenceSettings,
    random: np.random.Generator,
    uncovered: Bool[np.ndarray, "P P"] | None,
) -> PatchIds:
    every = np.arange(config.n_patches)
    mode = random.random()
    if mode < settings.hole_share:
        return every[~_hole(config.grid, random, uncovered)]
    if mode < settings.hole_share + settings.scattered_share:
        return random.permutation(every)[: int(random.integers(0, config.n_patches))]
    return every[:0]


def _hole(grid: int, random: np.random.Generator, uncovered: Bool[np.ndarray, "P P"] | None) -> Bool[np.ndarray, "N"]:
    """Patches that hold an uncovered pixel, and often a blob besides, as around an object or its shadow."""
    hole = np.zeros((grid, grid), np.uint8)
    if uncovered is not None:
        hole |= uncovered.reshape(grid, PATCH_PIXELS, grid, PATCH_PIXELS).any(axis=(1, 3)).astype(np.uint8)
    if not hole.any() or random.random() < 0.5:
        axes = random.uniform(0.1, 0.6, 2) * grid
        centre = random.uniform(0, grid - 1, 2)
        cv2.ellipse(hole, (centre.tolist(), axes.tolist(), float(random.uniform(0, 180))), 1, -1)
    if not hole.any():
        hole[grid // 2, grid // 2] = 1
    return hole.reshape(-1) > 0
