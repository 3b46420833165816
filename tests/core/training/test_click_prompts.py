"""Prompts point at what is wanted: clicks that add lie inside, others beside, boxes around, masks nearly on it."""

import numpy as np
import pytest

from core.training.click_config import ClickSettings
from core.training.click_prompts import (
    Pointed,
    beside_click,
    distorted,
    draw_prompt,
    inside_click,
    middle_click,
    rough_box,
)

SHAPE = (64, 96)


def box(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    area = np.zeros(SHAPE, bool)
    area[y0:y1, x0:x1] = True
    return area


WANTED, OTHER, EVERY = box(20, 10, 61, 51), box(70, 30, 90, 60), np.ones(SHAPE, bool)


def drawn(count: int, **shares: float) -> list[Pointed]:
    settings = ClickSettings(**{"box_share": 0.0, "previous_share": 0.0, **shares})
    return [draw_prompt(np.random.default_rng(seed), (WANTED, OTHER), EVERY, settings) for seed in range(count)]


def assert_signs_are_true(pointed: Pointed) -> None:
    for x, y, sign in pointed.clicks:
        assert bool((WANTED | OTHER)[int(y), int(x)]) == (sign > 0)


def test_the_first_click_of_the_benchmark_is_the_middle() -> None:
    pointed = middle_click(WANTED)
    np.testing.assert_array_equal(pointed.clicks, [[40, 30, 1]])
    assert np.isnan(pointed.box).all()
    assert np.isnan(pointed.previous).all()


def test_clicks_lie_inside_and_rather_in_the_middle() -> None:
    random = np.random.default_rng(0)
    places = np.array([inside_click(random, WANTED) for _ in range(400)])
    assert all(WANTED[y, x] for x, y in places)
    away = np.abs(places - (40, 30)).max(axis=1)
    # Of a square's area half lies further than 0.7 of the way out.
    assert (away > 0.7 * 20.5).mean() < 0.3
    assert len(np.unique(places, axis=0)) > 100


def test_clicks_beside_count_and_are_not_wanted() -> None:
    random = np.random.default_rng(0)
    counted = ~box(0, 0, 20, 64)
    for _ in range(200):
        found = beside_click(random, WANTED, counted)
        assert found is not None
        assert counted[found[1], found[0]]
        assert not WANTED[found[1], found[0]]
    assert beside_click(random, EVERY, EVERY) is None


def test_every_part_gets_a_click_and_signs_are_true() -> None:
    for pointed in drawn(100):
        assert_signs_are_true(pointed)
        inside = pointed.clicks[:, :2].astype(int)
        for part in (WANTED, OTHER):
            assert any(part[y, x] for x, y in inside)
    assert any((pointed.clicks[:, 2] < 0).any() for pointed in drawn(100))


def test_a_box_is_about_the_things_own() -> None:
    for pointed in drawn(60, box_share=1.0):
        np.testing.assert_allclose(pointed.box, (20, 10, 89, 59), atol=0.06 * 70 * 4)
        assert_signs_are_true(pointed)
    for seed in range(50):
        x0, y0, x1, y1 = rough_box(np.random.default_rng(seed), box(0, 0, 96, 64))
        assert 0 <= x0 < x1 <= 95
        assert 0 <= y0 < y1 <= 63


def test_a_mask_to_mend_is_nearly_the_wanted_one() -> None:
    overlaps = []
    for seed in range(60):
        found = distorted(np.random.default_rng(seed), WANTED)
        overlaps.append((found & WANTED).sum() / (found | WANTED).sum())
    assert 0.5 < np.mean(overlaps) < 0.95
    assert np.std(overlaps) > 0.03
    every = drawn(80, previous_share=1.0)
    for pointed in every:
        assert pointed.previous.shape == (16, 24)
        assert 0 <= pointed.previous.min() <= pointed.previous.max() <= 1
        assert_signs_are_true(pointed)
        assert len(pointed.clicks) or pointed.previous.any()
    assert {-1.0, 1.0} <= {sign for pointed in every for sign in pointed.clicks[:, 2]}


@pytest.mark.parametrize("area", [box(0, 0, 1, 1), box(5, 5, 7, 6)])
def test_the_smallest_things_can_be_meant(area: np.ndarray) -> None:
    for seed in range(40):
        for shares in ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0)):
            settings = ClickSettings(box_share=shares[0], previous_share=shares[1])
            pointed = draw_prompt(np.random.default_rng(seed), (area,), EVERY, settings)
            assert np.isfinite(pointed.clicks).all()
