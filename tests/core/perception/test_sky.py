"""Skies are put far in estimated depth, walls that look like one are not."""

import numpy as np

from core.perception.depth.sky import with_far_sky

SKY_ROWS = 108


def beach() -> np.ndarray:
    """Blue sky above rough sand."""
    picture = np.full((240, 320, 3), (110, 160, 230), np.uint8)
    noise = np.random.default_rng(0).integers(-12, 13, (240 - SKY_ROWS, 320, 1))
    picture[SKY_ROWS:] = np.clip(np.array([220, 200, 150]) + noise, 0, 255)
    return picture


def receding(above: float) -> np.ndarray:
    """Ground from 2 to 20 units, and `above` where the picture has its sky."""
    depth = np.full((120, 160), above, np.float32)
    rows = np.arange(120 - SKY_ROWS // 2)
    depth[SKY_ROWS // 2 :] = (1 / np.linspace(1 / 20, 1 / 2, len(rows), dtype=np.float32))[:, None]
    return depth


def test_an_estimates_far_sky_goes_behind_everything() -> None:
    before = receding(above=25.0)
    after = with_far_sky(before, beach())
    sky, ground = np.s_[: SKY_ROWS // 2 - 2], np.s_[SKY_ROWS // 2 + 2 :]
    assert after[sky].min() > 4 * before[ground].max()
    assert np.isfinite(after).all()
    np.testing.assert_array_equal(after[ground], before[ground])


def test_a_blue_wall_stays_where_the_estimate_has_it() -> None:
    near = receding(above=2.5)
    np.testing.assert_array_equal(with_far_sky(near, beach()), near)


def test_a_photo_without_sky_keeps_its_depth() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    depth = receding(above=25.0)
    np.testing.assert_array_equal(with_far_sky(depth, noise), depth)
