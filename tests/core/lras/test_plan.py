"""What is shown and what is left to decode."""

from dataclasses import replace

import numpy as np
import pytest
from lras_networks import SMALL, picture_codes, plan_for

from core.errors import InvalidInput
from core.lras.plan import Known, orders, released_orders, rgb_plan
from core.lras.recipe import INTENDED, RELEASED, recipe
from core.lras.schedule import far_apart, in_groups, seq2par


def test_the_source_prefix_is_the_same_for_every_seed_and_edit() -> None:
    first = plan_for(seed=1)
    second = plan_for(seed=2, known=Known(np.arange(5), picture_codes()))
    assert np.array_equal(first.source.tokens, second.source.tokens)
    assert not np.array_equal(first.order[:5], second.order[:5])


def test_known_patches_are_shown_and_not_decoded() -> None:
    frame = picture_codes(seed=5)
    plan = plan_for(known=Known(np.array([2, 7, 11]), frame))
    assert sorted(plan.revealed_ids.tolist()) == [2, 7, 11]
    assert not set(plan.order.tolist()) & {2, 7, 11}
    assert len(plan.order) == SMALL.n_patches - 3
    shown = plan.condition.tokens[-15:].reshape(3, 5)
    assert np.array_equal(shown[:, 0] - SMALL.rgb_patch_1_idx_range.start, plan.revealed_ids)
    assert np.array_equal(shown[:, 1:], plan.revealed_codes)


def test_the_released_recipe_reveals_whatever_comes_first() -> None:
    drawn = released_orders(SMALL, 48)
    plan = rgb_plan(SMALL, RELEASED, picture_codes(), drawn, known=Known(np.array([2, 7, 11]), picture_codes()))
    assert plan.revealed_ids.tolist() == drawn.target[:3].tolist()
    assert len(plan.source) == 12 * 5


def test_a_frame_is_assembled_from_both() -> None:
    frame = picture_codes(seed=5)
    plan = plan_for(known=Known(np.arange(16), frame))
    nothing = np.zeros(0, np.int64)
    assert np.array_equal(plan.assemble(nothing, nothing.reshape(0, 4)), frame)
    with pytest.raises(InvalidInput, match="16 of 16"):
        plan_for().assemble(nothing, nothing.reshape(0, 4))


def test_codes_outside_the_range_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"0\.\.63"):
        plan_for(known=Known(np.arange(2), np.full((8, 8), 64)))


def test_recipes_by_name() -> None:
    assert recipe("intended") == INTENDED
    assert recipe("released") == RELEASED != replace(RELEASED, reveal="asked")
    with pytest.raises(InvalidInput, match="'fast'"):
        recipe("fast")


def test_groups_cover_every_patch_once_and_in_order() -> None:
    order = orders(SMALL, 3).target
    for groups in (in_groups(order, 5), seq2par(order, 4), seq2par(order, 16), seq2par(order, 0)):
        assert np.array_equal(np.concatenate([group.ids for group in groups]), order)
    assert [len(group.ids) for group in in_groups(order, 5)] == [5, 5, 5, 1]
    assert [group.greedy for group in seq2par(order, 2)] == [False, False, True]
    with pytest.raises(InvalidInput, match="got 0"):
        in_groups(order, 0)


def test_neighbours_in_the_order_lie_far_apart() -> None:
    order = np.random.default_rng(0).permutation(1024)
    spread = far_apart(order, 32)
    assert sorted(spread.tolist()) == list(range(1024))
    for start in range(0, 128, 32):
        y, x = np.divmod(spread[start : start + 32], 32)
        apart = np.hypot(y[:, None] - y, x[:, None] - x) + 99 * np.eye(32)
        assert apart.min() >= (3 if start == 0 else 1.4)
