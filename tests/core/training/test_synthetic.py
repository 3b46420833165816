"""Rendered places: functions of their seed, with depth, things and sky that fit each other."""

import numpy as np
import pytest

from core.maths.raycast import texture_levels
from core.training.looks import other_look
from core.training.synthetic import Synthetic, synthetic
from core.training.textures import calm_textures, made_textures, photo_textures


@pytest.fixture(scope="module")
def textures() -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(0)
    photos = random.integers(0, 255, (3, 40, 60, 3), dtype=np.uint8)
    parts = calm_textures(random, 4, 32), made_textures(random, 9, 32), photo_textures(random, photos, 32)
    return texture_levels(np.concatenate(parts))


def made(textures: tuple[np.ndarray, ...], seed: int) -> Synthetic:
    return synthetic(np.random.default_rng([7, seed]), textures, 64, 48)


def test_a_place_is_a_function_of_its_seed(textures: tuple[np.ndarray, ...]) -> None:
    first, again, other = made(textures, 1), made(textures, 1), made(textures, 2)
    np.testing.assert_array_equal(first.picture, again.picture)
    np.testing.assert_array_equal(first.depth, again.depth)
    assert not np.array_equal(first.depth, other.depth)


def test_what_is_no_thing_is_infinitely_far(textures: tuple[np.ndarray, ...]) -> None:
    views = [made(textures, seed) for seed in range(24)]
    for view in views:
        np.testing.assert_array_equal(view.depth > 0, view.things >= 0)
        assert np.isfinite(view.depth).all()
    assert any((view.things < 0).any() for view in views)
    assert any((view.things >= 0).all() for view in views)
    assert np.mean([len(np.unique(view.things)) for view in views]) > 4


def test_depth_steps_lie_between_different_things_mostly(textures: tuple[np.ndarray, ...]) -> None:
    steps = along = 0
    for seed in range(12):
        view = made(textures, seed)
        ratio = np.maximum(view.depth[:, 1:], 1e-6) / np.maximum(view.depth[:, :-1], 1e-6)
        step = np.maximum(ratio, 1 / ratio) > 1.6
        steps += step.sum()
        along += (step & (view.things[:, 1:] != view.things[:, :-1])).sum()
    assert along > 0.6 * steps


def test_textures_repeat_without_a_seam() -> None:
    random = np.random.default_rng(3)
    photo = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[:, None], 64, 1)[..., None].repeat(3, 2)
    texture = photo_textures(random, [photo], 32)[0].astype(int)
    assert abs(texture[0] - texture[-1]).max() <= abs(np.diff(texture, axis=0)).max()


def test_another_look_keeps_the_view() -> None:
    random = np.random.default_rng(0)
    picture = np.zeros((32, 48, 3), np.uint8)
    picture[:, 24:] = 200
    for _ in range(20):
        changed = other_look(picture, random)
        assert changed.shape == picture.shape
        assert changed.dtype == np.uint8
        assert changed[:, 30:].mean() > changed[:, :18].mean() + 20
