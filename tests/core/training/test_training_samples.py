"""Samples depend on the seed and their number only."""

import pickle
from dataclasses import fields, is_dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_data import tiny, tiny_task

from core.errors import InvalidInput
from core.training.loading import batches, held_out
from core.training.packed import PackedSet
from core.training.packing import pack
from core.training.samples import Drawer, batch_indices, split_clips
from core.training.sources import find_clips

TASKS = ("lpq-rgb", "lpq-flow", "lras-rgb", "lras-flow")


def same(first: Any, second: Any) -> bool:
    if isinstance(first, np.ndarray):
        return np.array_equal(first, second)
    if isinstance(first, tuple | list):
        return len(first) == len(second) and all(map(same, first, second))
    if is_dataclass(first):
        return all(same(getattr(first, field.name), getattr(second, field.name)) for field in fields(first))
    return first == second


@pytest.mark.parametrize("name", TASKS)
def test_samples_are_the_same_in_any_order_and_any_copy(packed: PackedSet, name: str) -> None:
    maker = tiny_task(tiny(name), packed).samples
    forward = [maker.make(index) for index in range(6)]
    copy = pickle.loads(pickle.dumps(maker))
    backward = [copy.make(index) for index in reversed(range(6))]
    assert same(forward, backward[::-1])
    assert not same(forward[0], forward[1])
    assert not same(maker.make(0), maker.make(0, held_out=True))
    config = tiny(name)
    other = tiny_task(replace(config, run=replace(config.run, seed=1)), packed).samples
    assert not same(forward[0], other.make(0))


def test_batches_go_on_where_they_stopped_and_processes_share_them(packed: PackedSet) -> None:
    assert list(islice(batch_indices(4, 2), 2)) == [[8, 9, 10, 11], [12, 13, 14, 15]]
    shared = [next(batch_indices(2, 3, rank, 2)) for rank in range(2)]
    assert shared == [[12, 13], [14, 15]]
    config = tiny("lpq-rgb")
    maker = tiny_task(config, packed).samples
    third = list(islice(batches(maker, config, 0), 3))[2]
    assert same(third, next(batches(maker, config, 2)))


def test_worker_processes_change_nothing(packed: PackedSet) -> None:
    config = tiny("lpq-rgb")
    maker = tiny_task(config, packed).samples
    alone = list(islice(batches(maker, config, 1), 2))
    helped = list(islice(batches(maker, replace(config, run=replace(config.run, workers=1)), 1), 2))
    assert same(alone, helped)


def test_held_out_clips_are_not_learned_from(packed: PackedSet) -> None:
    config = tiny("lpq-rgb")
    drawer = Drawer(packed, replace(config, pictures=replace(config.pictures, held_out_share=0.4)))
    learned, kept = (set(drawer.clips(held)) for held in (False, True))
    assert learned
    assert kept
    assert learned | kept == set(packed.clips)
    assert not learned & kept
    # However many names fall to one side, both have a clip.
    for share in (0.0, 1.0):
        assert all(split_clips(packed.clips, share))
        assert not set.intersection(*map(set, split_clips(packed.clips, share)))
    assert sum(map(len, held_out(tiny_task(config, packed).samples, config))) == config.run.held_out_samples


def test_data_that_cannot_give_flow_is_refused(data: Path, tmp_path: Path) -> None:
    without_depth = [clip for clip in find_clips([data]) if clip.name in ("2.jpg", "3.jpg")]
    pack(without_depth, tmp_path, 96)
    maker = tiny_task(tiny("lras-flow"), PackedSet(tmp_path)).samples
    with pytest.raises(InvalidInput, match="no clip with plausible motion"):
        maker.check()
