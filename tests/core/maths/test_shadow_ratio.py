"""Lighting a shadow again: the ground comes back, its texture with it, and nothing outside the mask is touched."""

import numpy as np
import pytest
from shadowed import Shadowed, shadowed_card

from core.maths.colour import coded_pixels, linear_light
from core.maths.shadow_ratio import LEAST_RATIO, ShadowLight, shadow_light

NOTHING = np.zeros(shadowed_card().ratio.shape[:2], bool)


def measured(scene: Shadowed, pixels: np.ndarray | None = None) -> ShadowLight:
    seen = scene.photo.pixels if pixels is None else pixels
    return shadow_light(seen, scene.shadow.coverage, scene.card.coverage > 0, NOTHING)


def relit(scene: Shadowed, light: ShadowLight) -> np.ndarray:
    return coded_pixels(linear_light(scene.photo.pixels) / (1 - light.darkening), scene.photo.pixels.dtype)


def assert_ratio(scene: Shadowed, light: ShadowLight) -> None:
    core = (scene.ratio[..., 0] < 0.31) & (scene.card.coverage == 0)
    least, middle, most = np.percentile((1 - light.darkening[core]) / scene.ratio[core], (5, 50, 95))
    assert middle == pytest.approx(1, abs=0.03)
    assert 0.93 < least < most < 1.1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_ground_comes_back_with_its_texture(dtype: type) -> None:
    scene = shadowed_card(dtype=dtype)
    light = measured(scene)
    under = (scene.shadow.coverage > 0) & (scene.card.coverage == 0)
    full = np.iinfo(dtype).max
    after = np.abs(relit(scene, light).astype(float) - scene.lit)[under].mean() / full
    before = np.abs(scene.photo.pixels.astype(float) - scene.lit)[under].mean() / full
    assert after < 0.02
    assert before > 5 * after
    core = under & (scene.ratio[..., 0] < 0.31)
    texture, truth = (picture[core][:, 1].astype(float) for picture in (relit(scene, light), scene.lit))
    assert np.corrcoef(texture, truth)[0, 1] > 0.8


def test_the_ratio_is_found_to_a_few_percent() -> None:
    scene = shadowed_card(texture=0.0)
    light = measured(scene)
    assert_ratio(scene, light)


def test_a_tinted_shadow_loses_its_tint() -> None:
    scene = shadowed_card(tint=(1.15, 1.0, 0.85))
    core = (scene.ratio[..., 1] < 0.31) & (scene.card.coverage == 0)
    before, after, truth = (
        np.log(linear_light(picture)[core].mean(axis=0) + 1e-6)
        for picture in (scene.photo.pixels, relit(scene, measured(scene)), scene.lit)
    )
    tint = before - truth
    assert tint[2] - tint[0] > 0.3
    assert np.ptp(after - truth) < 0.08


def test_outside_the_mask_and_in_a_lit_mask_nothing_is_taken() -> None:
    scene = shadowed_card()
    light = measured(scene)
    outside = (scene.shadow.coverage == 0) & (scene.card.coverage == 0)
    assert not light.darkening[outside].any()
    assert not light.lost.any()
    even = measured(scene, scene.lit)
    assert np.median(even.darkening) == 0
    assert even.darkening.max() < 0.35


def test_what_lets_no_light_through_is_told_as_lost_and_bounded() -> None:
    scene = shadowed_card()
    black = scene.photo.pixels.copy()
    black[scene.shadow.coverage > 0] = 0
    light = measured(scene, black)
    core = (scene.ratio[..., 0] < 0.31) & (scene.card.coverage == 0)
    assert light.lost[core].mean() > 0.9
    assert not light.lost[scene.shadow.coverage == 0].any()
    assert light.darkening.max() < 1
    told = ~light.lost & (scene.card.coverage == 0)
    assert light.darkening[told].max() <= 1 - LEAST_RATIO**1.6 + 1e-6


def test_under_its_object_a_shadow_goes_on() -> None:
    scene = shadowed_card()
    rows, columns = np.nonzero(scene.card.coverage)
    foot = rows.max() - 1, int(np.median(columns))
    head = rows.min() + 1, int(np.median(columns))
    light = measured(scene)
    assert light.darkening[foot].min() > 0.4
    assert not light.darkening[head].any()


def test_other_things_around_do_not_count_as_ground() -> None:
    scene = shadowed_card(texture=0.0)
    others = NOTHING.copy()
    rows, columns = np.nonzero(scene.shadow.coverage)
    others[rows.max() + 2 : rows.max() + 40, columns.min() : columns.max()] = True
    cluttered = scene.photo.pixels.copy()
    cluttered[others] = (12, 12, 12)
    light = shadow_light(cluttered, scene.shadow.coverage, scene.card.coverage > 0, others)
    assert_ratio(scene, light)


def test_a_mask_without_ground_around_it_is_taken_as_it_is() -> None:
    scene = shadowed_card()
    everywhere = np.full(NOTHING.shape, 255, np.uint8)
    light = shadow_light(scene.photo.pixels, everywhere, NOTHING, NOTHING)
    assert np.isfinite(light.darkening).all()
    nowhere = shadow_light(scene.photo.pixels, np.zeros_like(everywhere), NOTHING, NOTHING)
    assert not nowhere.darkening.any()
