"""Sizes keep their shape and their bounds."""

import pytest

from core.maths.sizes import size_within


@pytest.mark.parametrize(
    ("size", "longest", "wanted"),
    [
        ((4000, 3000), 400, (400, 300)),
        ((30, 40), 400, (30, 40)),
        ((1000, 1), 100, (100, 1)),
        ((333, 999), 100, (33, 100)),
    ],
)
def test_the_longest_side_fits(size: tuple[int, int], longest: int, wanted: tuple[int, int]) -> None:
    assert size_within(*size, longest) == wanted


def test_no_side_is_shorter_than_asked_for() -> None:
    assert size_within(1000, 10, 100, least=4) == (100, 4)
