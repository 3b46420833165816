"""Samples whose source is a draft of the target, and networks that see little of a large frame."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from training_data import CPU, packed_data, random_quantizers, tiny

from core.errors import InvalidInput
from core.nets.fill_student import FillStudent
from core.training.config import NetworkShape, TrainConfig
from core.training.drafts import DraftPairs
from core.training.packed import PackedSet
from core.training.samples import Drawer, PairSample
from core.training.tasks import make_task

SIDE = 64
LIMITS = {"frame_0_patches": 9, "known_patches": 11, "decoded_patches": 6}


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> PackedSet:
    return packed_data(tmp_path_factory.mktemp("drafts"))


@pytest.fixture(scope="module")
def fill() -> FillStudent:
    torch.manual_seed(0)
    shape = tiny("fill").fill_network
    assert shape is not None
    return FillStudent(shape.config()).eval()


def drafting(share: float = 1.0) -> TrainConfig:
    config = tiny("lras-rgb", steps=2)
    network = NetworkShape(2, 2, 32, SIDE // 8, 64, 64, 8, sees_draft=True, **LIMITS)
    others = 1 - share
    pairs = replace(config.pairs, warp_share=others, object_share=0.0, clip_share=0.0, draft_share=share)
    fills = replace(tiny("fill").fill, window_pixels=SIDE)
    sequences = replace(config.sequences, hole_share=1.0, scattered_share=0.0)
    return replace(config, network=network, pairs=pairs, fill=fills, sequences=sequences)


def test_a_draft_is_the_truth_but_for_its_holes(packed: PackedSet, fill: FillStudent) -> None:
    pairs = DraftPairs(packed, drafting(), fill)
    for number in range(4):
        pair = pairs.make(number, held_out=False)
        known = ~pair.uncovered
        np.testing.assert_array_equal(pair.source[known], pair.target[known])
        assert (pair.source[pair.uncovered] != pair.target[pair.uncovered]).any()
        assert not pair.flow.any()


def test_a_network_sees_what_lies_around_what_it_decodes(packed: PackedSet, fill: FillStudent) -> None:
    config = drafting()
    task = make_task(config, Drawer(packed, config), CPU.device, *random_quantizers(), fill=fill)
    task.samples.check()
    for index in range(6):
        sample = task.samples.make(index)
        assert isinstance(sample, PairSample)
        draw = sample.draw
        decoded = np.concatenate([group.ids for group in draw.groups])
        assert 1 <= len(decoded) <= LIMITS["decoded_patches"]
        assert len(draw.known_ids) <= LIMITS["known_patches"]
        assert len(draw.orders.frame_0) == LIMITS["frame_0_patches"]
        assert set(decoded) <= set(draw.orders.frame_0)
        assert not len(draw.flow_ids)
        assert set(draw.orders.target) == {*decoded, *draw.known_ids}
        batch = task.batch([sample])
        assert (~batch.revealed).sum() == 4 * len(decoded)
        assert batch.revealed.sum() == 4 * len(draw.known_ids)
    assert task.loss(batch)["loss"].isfinite()
    assert task.pictures(2).shape == (2 * SIDE, 4 * SIDE, 3)


def test_flow_is_shown_where_the_photo_moves(packed: PackedSet, fill: FillStudent) -> None:
    config = drafting(share=0.5)
    task = make_task(config, Drawer(packed, config), CPU.device, *random_quantizers(), fill=fill)
    flows = [len(task.samples.make(index).draw.flow_ids) for index in range(16)]
    assert 2 <= sum(count > 0 for count in flows) <= 14


def test_drafts_that_cannot_be_made_are_refused(packed: PackedSet) -> None:
    config = drafting()
    task = make_task(config, Drawer(packed, config), CPU.device, *random_quantizers())
    with pytest.raises(InvalidInput, match="draft_share needs the network"):
        task.samples.check()
    with pytest.raises(InvalidInput, match="let them agree"):
        replace(config, fill=tiny("fill").fill)


def test_a_network_keeps_what_it_was_shown(tmp_path: Path, packed: PackedSet, fill: FillStudent) -> None:
    from core.lras.weights import load_transformer

    config = drafting()
    task = make_task(config, Drawer(packed, config), CPU.device, *random_quantizers(), fill=fill)
    task.save(tmp_path)
    stored = load_transformer(tmp_path, torch.float32, CPU.device).config
    assert {name: getattr(stored, name) for name in LIMITS} == LIMITS
    assert stored.sees_draft
