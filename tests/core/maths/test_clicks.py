import numpy as np

from core.maths.clicks import correcting_click, deepest_point, distance_inside


def box(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    area = np.zeros((40, 60), bool)
    area[y0:y1, x0:x1] = True
    return area


def test_the_deepest_point_is_the_middle() -> None:
    x, y = deepest_point(box(10, 5, 31, 16))
    assert 15 <= x <= 25
    assert y == 10


def test_distance_grows_inwards_from_the_edge_and_the_border() -> None:
    distance = distance_inside(box(0, 5, 31, 16))
    assert distance[10, :8].tolist() == [1, 2, 3, 4, 5, 6, 6, 6]
    assert not distance[~box(0, 5, 31, 16)].any()


def test_a_click_goes_into_the_largest_error_and_says_which_kind() -> None:
    every = np.ones((40, 60), bool)
    truth = box(5, 5, 16, 16) | box(30, 5, 35, 10)
    assert correcting_click(np.zeros_like(truth), truth, every) == (10, 10, True)
    assert correcting_click(truth | box(40, 20, 55, 35), truth, every) == (47, 27, False)
    assert correcting_click(truth, truth, every) is None


def test_pixels_that_do_not_count_are_no_error() -> None:
    truth = box(5, 5, 16, 16)
    assert correcting_click(np.zeros_like(truth), truth, ~truth) is None
