"""Pasted objects: only where they cover the picture does it change, and there it shows them."""

import numpy as np

from core.training.pasting import pasted


def test_the_mask_is_where_the_object_is() -> None:
    picture = np.full((64, 96, 3), (60, 90, 60), np.uint8)
    source = np.full((50, 50, 3), (60, 90, 60), np.uint8)
    cut_out = np.zeros((50, 50), bool)
    cut_out[15:35, 10:40] = True
    source[cut_out] = (250, 20, 20)
    shares = []
    for seed in range(30):
        result, inside = pasted(np.random.default_rng(seed), picture, source, cut_out)
        changed = np.abs(result.astype(int) - picture).max(-1) > 40
        # Feathered by about a pixel.
        assert (changed & ~inside).sum() <= 0.25 * inside.sum() + 40
        assert (inside & ~changed).sum() <= 0.25 * inside.sum()
        shares.append(inside.mean())
    assert max(shares) > 4 * (min(share for share in shares if share) + 1e-3)


def test_the_same_chance_pastes_the_same() -> None:
    rng = np.random.default_rng(1)
    picture, source = (rng.integers(0, 256, (40, 50, 3), dtype=np.uint8) for _ in range(2))
    cut_out = np.zeros((40, 50), bool)
    cut_out[10:30, 10:30] = True
    first, again = (pasted(np.random.default_rng(5), picture, source, cut_out) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
