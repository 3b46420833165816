"""The filter against the recorded one; drafts that leave the distribution as it is."""

from collections import Counter

import numpy as np
import pytest
import torch

from core.errors import InvalidInput
from core.lras.sampling import GREEDY, Sampling, accept, draw, entropy, probabilities

SCORES = torch.tensor([[2.0, 1.0, 0.5, -1.0, 1.5]], dtype=torch.float64)


def test_draws_follow_the_filtered_distribution() -> None:
    for sampling in (Sampling(), Sampling(0.8, top_k=3), Sampling(1.2, top_p=0.7)):
        count = 40_000
        drawn = draw(SCORES.expand(count, -1), sampling, torch.Generator().manual_seed(1))
        seen = torch.bincount(drawn, minlength=5) / count
        expected = probabilities(SCORES, sampling)[0]
        assert (seen - expected).abs().max() < 4 * np.sqrt(0.25 / count)
        assert (seen[expected == 0] == 0).all()


def test_greedy_takes_the_first_maximum() -> None:
    tied = torch.tensor([[0.0, 3.0, 3.0]])
    assert draw(tied, GREEDY, None).tolist() == [1]
    assert probabilities(tied, GREEDY).tolist() == [[0, 1, 0]]


def test_ties_at_the_kth_value_all_stay() -> None:
    tied = torch.tensor([[1.0, 2.0, 1.0, 0.0]])
    assert (probabilities(tied, Sampling(top_k=2)) > 0).tolist() == [[True, True, True, False]]


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(0.7, top_k=4), Sampling(1.3, top_p=0.8)])
@pytest.mark.parametrize("draft", [0, 3])
def test_checking_a_draft_draws_from_the_models_own_distribution(sampling: Sampling, draft: int) -> None:
    generator = torch.Generator().manual_seed(5)
    count = 5_000
    drawn: Counter[int] = Counter()
    for _ in range(count):
        held, instead = accept(SCORES, torch.tensor([draft]), sampling, generator)
        assert (held == 1) == (instead is None)
        drawn[draft if instead is None else instead] += 1
    expected = probabilities(SCORES, sampling)[0].numpy()
    seen = np.array([drawn[token] for token in range(5)]) / count
    # Four standard deviations of the most uncertain share.
    assert np.abs(seen - expected).max() < 4 * np.sqrt(0.25 / count)
    assert (seen[expected == 0] == 0).all()


def test_drafts_hold_up_to_the_first_wrong_one() -> None:
    scores = torch.eye(4).repeat(1, 1) * 5
    assert accept(scores, torch.tensor([0, 1, 0, 3]), GREEDY, None) == (2, 2)
    assert accept(scores, torch.tensor([0, 1, 2, 3]), GREEDY, None) == (4, None)


def test_entropy_in_nats() -> None:
    even, certain = torch.zeros(1, 8), torch.tensor([[0.0, -200.0]])
    assert entropy(even).item() == pytest.approx(np.log(8), abs=1e-6)
    assert entropy(certain).item() == pytest.approx(0, abs=1e-6)
    assert entropy(torch.tensor([[0.0, float("-inf")]])).item() == 0


@pytest.mark.parametrize("wrong", [{"temperature": -1}, {"temperature": float("nan")}, {"top_k": 0}, {"top_p": 0.0}])
def test_senseless_settings_are_refused(wrong: dict) -> None:
    with pytest.raises(InvalidInput):
        Sampling(**wrong)
