"""Proposed shadows: what is darker than the ground, of its colour, and touches the object; nothing else."""

import numpy as np
import pytest
from shadowed import CARD, FOOT, Shadowed, floor_points, shadow_ratio, shadowed_card

from core.maths.colour import coded_pixels
from core.perception.contact_shadow import contact_shadow
from core.types.mask import Mask
from core.types.photo import Photo

SCENE = shadowed_card()
RIGHT, AWAY_FROM, _ = floor_points()
EVERYWHERE = np.ones(SCENE.ratio.shape[:2], bool)


def proposed(pixels: np.ndarray, ground: np.ndarray = EVERYWHERE, scene: Shadowed = SCENE) -> Mask | None:
    return contact_shadow(Photo("floor.png", pixels, pixels), scene.card, ground)


def floor_with(factor: np.ndarray) -> np.ndarray:
    """The lit floor times a factor (a number or three a pixel), with the card on it."""
    lit = shadowed_card().lit.astype(np.float32) / 255
    linear = np.where(lit <= 0.04045, lit / 12.92, ((lit + 0.055) / 1.055) ** 2.4)
    pixels = coded_pixels((linear * factor.reshape(*RIGHT.shape, -1)).astype(np.float32), np.dtype(np.uint8))
    card = SCENE.card.coverage > 0
    pixels[card] = SCENE.photo.pixels[card]
    return pixels


def agreement(found: Mask, ratio: np.ndarray) -> tuple[float, float]:
    """How much of the shadow is inside the mask, and how much of the mask is shadow or its penumbra."""
    outside_card = SCENE.card.coverage == 0
    inside = (found.coverage >= 128) & outside_card
    shadow = (ratio < 0.9) & outside_card
    return float(inside[shadow].mean()), float((ratio < 0.999)[inside].mean())


@pytest.mark.parametrize("deep", [0.15, 0.4, 0.6])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.2, -0.05)], ids=["around the foot", "cast to the side"])
def test_the_shadow_is_found_whole_and_little_else(deep: float, shift: tuple[float, float]) -> None:
    ratio = shadow_ratio(RIGHT, AWAY_FROM, (FOOT[0] + shift[0], FOOT[1] + shift[1]), deep)
    found = proposed(floor_with(ratio))
    assert found is not None
    recall, precision = agreement(found, ratio)
    assert recall > 0.92
    assert precision > 0.6
    assert not (found.coverage[np.hypot(RIGHT - FOOT[0] - shift[0], AWAY_FROM - FOOT[1] - shift[1]) > 0.55]).any()


def test_the_skys_blue_in_the_shade_does_not_hide_it() -> None:
    ratio = shadow_ratio(RIGHT, AWAY_FROM)
    found = proposed(floor_with(ratio[..., None] ** np.array([1.25, 1.0, 0.75])))
    assert found is not None
    assert agreement(found, ratio)[0] > 0.95


def test_clearer_shadows_have_higher_scores() -> None:
    found = [proposed(floor_with(shadow_ratio(RIGHT, AWAY_FROM, deep=deep))) for deep in (0.6, 0.4, 0.2)]
    scores = [mask.score for mask in found if mask is not None]
    assert len(scores) == 3
    assert 0 <= scores[0] < scores[1] < scores[2] <= 1


def spot(right: float, away: float, radius: float) -> np.ndarray:
    return np.hypot(RIGHT - FOOT[0] - right, AWAY_FROM - FOOT[1] - away) < radius


@pytest.mark.parametrize(
    "factor",
    [
        np.ones(RIGHT.shape),
        np.where(spot(0.55, 0.0, 0.15), 0.3, 1.0),
        np.where(spot(0.0, -0.1, 0.2)[..., None], np.array([0.5, 0.05, 0.3]), 1.0),
        np.exp(-0.5 * RIGHT),
    ],
    ids=["lit floor", "not touching", "another colour", "falling light"],
)
def test_what_is_no_shadow_of_the_object_is_not_proposed(factor: np.ndarray) -> None:
    assert proposed(floor_with(factor)) is None


def test_only_the_ground_is_looked_at() -> None:
    ratio = shadow_ratio(RIGHT, AWAY_FROM)
    assert proposed(floor_with(ratio), ~EVERYWHERE) is None
    left = FOOT[0] > RIGHT
    found = proposed(floor_with(ratio), left)
    assert found is not None
    assert not found.coverage[FOOT[0] + 0.6 * CARD[0] < RIGHT].any()


def test_an_empty_mask_has_no_shadow() -> None:
    nothing = Mask(np.zeros(RIGHT.shape, np.uint8))
    assert contact_shadow(SCENE.photo, nothing, EVERYWHERE) is None
