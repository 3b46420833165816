"""Training sequences: the tokens that decoding would have fed, with the code that each of them must predict.

A group of k patches is k pointers, k first codes, and so on, as `core.lras.generate` feeds it; a known patch is a
pointer and its codes. The token at `rows[i]` predicts code `labels[i]`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from core.lras.layout import CODES_PER_PATCH, PatchCodes, Run
from core.lras.plan import Plan
from core.lras.schedule import Group

# Lengths are rounded up to a multiple of this, so that a device sees few different sizes.
_LENGTH_STEP = 64


@dataclass(frozen=True, eq=False)
class TrainingSequence:
    """One sample; every content token of the target has a row. `revealed` are those of patches that are shown."""

    run: Run
    rows: Int64[np.ndarray, "N"]
    labels: Int64[np.ndarray, "N"]
    revealed: Bool[np.ndarray, "N"]


@dataclass(frozen=True, eq=False)
class SequenceBatch:
    """Sequences of one length, filled up at their ends, where nothing before can see them."""

    tokens: Int64[Tensor, "B T"]
    positions: Int64[Tensor, "B T"]
    rows: Int64[Tensor, "B N"]
    labels: Int64[Tensor, "B N"]
    revealed: Bool[Tensor, "B N"]

    def to(self, device: torch.device) -> "SequenceBatch":
        """The same on a device."""
        parts = (self.tokens, self.positions, self.rows, self.labels, self.revealed)
        return SequenceBatch(*(part.to(device, non_blocking=True) for part in parts))


def training_sequence(plan: Plan, codes: PatchCodes, groups: Sequence[Group]) -> TrainingSequence:
    """The plan's prefix, then the true `codes` (of every patch, in raster order) in groups that cover its order.

    What follows the last prediction is left out.
    """
    prefix = plan.source + plan.condition
    revealed = len(plan.revealed_ids)
    begin = len(prefix) - (CODES_PER_PATCH + 1) * revealed
    per_patch = np.arange(CODES_PER_PATCH)
    rows = [(begin + (CODES_PER_PATCH + 1) * np.arange(revealed)[:, None] + per_patch).reshape(-1)]
    labels = [plan.revealed_codes.reshape(-1)]
    runs = [prefix]
    length = len(prefix)
    for group in groups:
        count, own = len(group.ids), codes[group.ids]
        runs.append(_group_run(plan, group, own))
        rows.append(length + np.arange(CODES_PER_PATCH * count))
        labels.append(own.T.reshape(-1))
        length += (CODES_PER_PATCH + 1) * count
    every = np.concatenate(rows)
    used = int(every.max()) + 1
    tokens, positions = (
        np.concatenate([getattr(run, part) for run in runs])[:used] for part in ("tokens", "positions")
    )
    is_revealed = np.arange(len(every)) < CODES_PER_PATCH * revealed
    return TrainingSequence(Run(tokens, positions), every, np.concatenate(labels), is_revealed)


def _group_run(plan: Plan, group: Group, codes: PatchCodes) -> Run:
    """Pointers, then the codes slot by slot."""
    target = plan.target
    tokens = [target.pointer_tokens(group.ids), *(target.codes.start + codes).T]
    positions = [target.pointer_positions(group.ids)]
    positions += [target.code_positions(group.ids, slot) for slot in range(CODES_PER_PATCH)]
    return Run(np.concatenate(tokens), np.concatenate(positions))


def batched(sequences: Sequence[TrainingSequence]) -> SequenceBatch:
    """Sequences of networks with equally many patches as tensors."""
    longest = max(len(sequence.run) for sequence in sequences)
    length = -(-longest // _LENGTH_STEP) * _LENGTH_STEP
    tokens, positions = np.zeros((2, len(sequences), length), np.int64)
    for index, sequence in enumerate(sequences):
        tokens[index, : len(sequence.run)] = sequence.run.tokens
        positions[index, : len(sequence.run)] = sequence.run.positions
    stacked = (np.stack([getattr(sequence, part) for sequence in sequences]) for part in ("rows", "labels", "revealed"))
    return SequenceBatch(*(torch.from_numpy(part) for part in (tokens, positions, *stacked)))
