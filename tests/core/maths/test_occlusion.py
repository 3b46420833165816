"""Order and hidden extents, on shapes whose answer is known."""

import numpy as np
import pytest

from core.maths.occlusion import before_at_border, front_to_back, hidden_extent

SIZE = (80, 120)


def box(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    shape = np.zeros(SIZE, bool)
    shape[y0:y1, x0:x1] = True
    return shape


def constant(inverse: float) -> np.ndarray:
    return np.full(SIZE, inverse, np.float32)


def test_the_nearer_side_of_a_border_is_before() -> None:
    left, right = box(10, 10, 50, 60), box(50, 10, 90, 60)
    evidence = before_at_border(left, constant(0.5), right, constant(0.4), 3)
    assert evidence == pytest.approx(np.log(0.5 / 0.4), rel=1e-4)
    assert before_at_border(right, constant(0.4), left, constant(0.5), 3) == pytest.approx(-evidence)


def test_only_steps_count_where_a_thing_touches_what_it_stands_on() -> None:
    cup, table = box(40, 20, 60, 50), box(0, 30, 120, 80) & ~box(40, 20, 60, 50)
    rows = np.arange(SIZE[0], dtype=np.float32)[:, None] * np.ones(SIZE, np.float32)
    table_inverse = 0.25 + 0.005 * rows  # nearer towards the bottom, as near as the cup at its foot
    assert before_at_border(cup, constant(0.5), table, table_inverse, 2) > 0.02


def test_things_apart_say_nothing_of_each_other() -> None:
    assert before_at_border(box(5, 5, 20, 20), constant(1), box(60, 5, 90, 20), constant(0.1), 3) == 0.0


def test_the_order_keeps_relations_and_else_puts_the_nearest_first() -> None:
    before = np.zeros((4, 4))
    before[2, 0] = 0.3  # 2 stands before 0, though its own depth says otherwise
    before[0, 2] = -0.3
    assert front_to_back(np.array([4.0, 3.0, 1.0, 2.0]), before) == [1, 3, 2, 0]


def test_of_a_circle_of_relations_the_weakest_is_given_up() -> None:
    before = np.zeros((3, 3))
    for i, j, clear in ((0, 1, 0.5), (1, 2, 0.4), (2, 0, 0.1)):
        before[i, j], before[j, i] = clear, -clear
    assert front_to_back(np.array([1.0, 1.0, 9.0]), before) == [0, 1, 2]


def test_a_shape_goes_on_between_its_visible_parts() -> None:
    bar = box(50, 0, 70, 80)
    visible = box(20, 30, 100, 50) & ~bar
    assert np.array_equal(hidden_extent(visible, bar, 1) & box(51, 0, 69, 80), box(51, 30, 69, 50))


def test_a_shape_ends_near_where_something_hides_its_end() -> None:
    hiding = box(60, 0, 120, 80)
    found = hidden_extent(box(20, 30, 60, 50), hiding, 3)
    assert found.any()
    assert not (found & ~box(60, 30, 64, 50)).any()
    assert found[40, 60:63].all()


def test_a_ring_does_not_fill_what_stands_in_its_open_middle() -> None:
    ring = box(10, 10, 110, 70) & ~box(18, 18, 102, 62)
    thing = box(16, 30, 40, 50)
    visible = ring & ~thing
    found = hidden_extent(visible, thing, 1)
    assert found[30:50, 16:18].all()
    assert not found[34:46, 24:40].any()


def test_nothing_hidden_is_nothing_to_continue() -> None:
    assert not hidden_extent(box(10, 10, 30, 30), box(60, 10, 80, 30), 3).any()
