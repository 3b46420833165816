import pytest

from core.lras.draft import best_window


@pytest.mark.parametrize("fixed", [1.0, 6.0, 48.0])
def test_surer_drafts_are_checked_in_longer_passes(fixed: float) -> None:
    windows = [best_window(hits, fixed) for hits in (0.0, 0.5, 0.8, 0.95, 1.0)]
    assert windows == sorted(windows)
    assert windows[0] == 1
    assert windows[-1] == 48


def test_costly_passes_are_longer() -> None:
    assert best_window(0.8, 1.0) < best_window(0.8, 6.0) < best_window(0.8, 48.0)


@pytest.mark.parametrize("hits", [0.3, 0.8, 0.97])
def test_no_other_length_settles_more_for_its_cost(hits: float) -> None:
    def settled_for_cost(count: int) -> float:
        return (1 - hits**count) / (1 - hits) / (6 + count)

    best = best_window(hits, 6.0)
    assert all(settled_for_cost(best) >= settled_for_cost(count) for count in range(1, 49))
