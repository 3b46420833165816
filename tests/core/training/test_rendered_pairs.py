"""Rendered pairs: the flow leads to the same point of the same thing, and what no pixel explains is marked."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from training_data import tiny

from core.training.config import PairSettings
from core.training.packed import PackedSet
from core.training.pairs import Pair
from core.training.rendered_pairs import rendered_pair
from core.training.samples import Drawer
from core.training.synthetic import Levels, place_textures

SIDE = 96
# Cameras that hardly move, so that highlights stay where they are.
STEADY = PairSettings(longest_translation=0.1, largest_rotation_deg=3.0)


@pytest.fixture(scope="module")
def textures() -> Levels:
    return place_textures(np.random.default_rng(0), [])


def made(textures: Levels, seed: int, settings: PairSettings = STEADY) -> Pair:
    return rendered_pair(np.random.default_rng([3, seed]), settings, textures, SIDE)


def test_a_pair_is_a_function_of_its_seed(textures: Levels) -> None:
    first, again, other = made(textures, 1), made(textures, 1), made(textures, 2)
    assert np.array_equal(first.target, again.target)
    assert np.array_equal(first.flow, again.flow, equal_nan=True)
    assert not np.array_equal(first.source, other.source)


def test_flow_leads_to_what_looks_alike_and_staying_does_not(textures: Levels) -> None:
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    landed, stayed = [], []
    for seed in range(24):
        pair = made(textures, seed)
        end = np.nan_to_num(pair.flow, nan=-1e3) + np.stack([x, y], -1)
        # Source pixels whose point the target shows: it lands inside, on what is not marked as uncovered.
        shown = cv2.remap((~pair.uncovered).astype(np.uint8), end[..., 0], end[..., 1], cv2.INTER_NEAREST) > 0
        shown &= np.linalg.norm(pair.flow, axis=-1) > 1
        if shown.sum() < 100:
            continue
        found = cv2.remap(pair.target, end[..., 0], end[..., 1], cv2.INTER_LINEAR)
        landed.append(np.median(np.abs(found[shown].astype(int) - pair.source[shown])))
        stayed.append(np.mean(np.abs(pair.target[shown].astype(int) - pair.source[shown])))
    assert len(landed) >= 12
    assert np.mean(landed) < 0.35 * np.mean(stayed)


def test_a_camera_that_stays_uncovers_nothing(textures: Levels) -> None:
    still = replace(STEADY, longest_translation=0.0, largest_rotation_deg=0.0)
    pairs = [made(textures, seed, still) for seed in range(8)]
    by_camera = [pair for pair in pairs if pair.camera_0_from_1 is not None]
    assert 0 < len(by_camera) < len(pairs)
    for pair in by_camera:
        assert np.array_equal(pair.source, pair.target)
        assert np.abs(pair.flow).max() < 1e-3
        assert not pair.uncovered.any()
    for pair in set(pairs) - set(by_camera):
        assert pair.uncovered.any()


def test_a_run_asks_for_them_by_their_share(packed: PackedSet) -> None:
    config = tiny("lras-rgb")
    pairs = replace(config.pairs, warp_share=0.0, object_share=0.0, clip_share=0.0, scene_share=1.0)
    drawer = Drawer(packed, replace(config, pairs=pairs))
    pair = drawer.rgb_pair(drawer.random(0, False), False)
    assert pair.target.shape == (config.image_size, config.image_size, 3)
    assert not np.array_equal(pair.source, pair.target)
