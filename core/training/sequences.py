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
    """Sequences of one length, filled up at their ends, where nothing before can see them.

    Likewise their rows: `present` tells those that predict something.
    """

    tokens: Int64[Tensor, "B T"]
    positions: Int64[Tensor, "B T"]
    rows: Int64[Tensor, "B N"]
    labels: Int64[Tensor, "B N"]
    revealed: Bool[Tensor, "B N"]
    present: Bool[Tensor, "B N"]

    def to(self, device: torch.device) -> "SequenceBatch":
        """The same on a device."""
        parts = (self.tokens, self.positions, self.rows, self.labels, self.revealed, self.present)
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
    """Sequences of any lengths as tensors."""
    longest = max(len(sequence.run) for sequence in sequences)
    length = -(-longest // _LENGTH_STEP) * _LENGTH_STEP
    tokens = _filled_up([sequence.run.tokens for sequence in sequences], length)
    positions = _filled_up([sequence.run.positions for sequence in sequences], length)
    most = max(len(sequence.rows) for sequence in sequences)
    rows, labels, revealed = (
        _filled_up([getattr(sequence, part) for sequence in sequences], most) for part in ("rows", "labels", "revealed")
    )
    present = _filled_up([np.ones(len(sequence.rows), bool) for sequence in sequences], most)
    return SequenceBatch(tokens, positions, rows, labels, revealed, present)


def _filled_up(parts: Sequence[np.ndarray], length: int) -> Tensor:
    """Each part with zeros behind it, one a row."""
    filled = np.zeros((len(parts), length), parts[0].dtype)
    for row, part in zip(filled, parts, strict=True):
        row[: len(part)] = part
    return torch.from_numpy(filled)
