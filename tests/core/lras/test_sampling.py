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


def sorted_out(scores: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """The filter by its definition: everything sorted, nothing skipped."""
    ranked, tokens = (scores / sampling.temperature).sort(dim=-1, descending=True, stable=True)
    if sampling.top_k is not None:
        kth = ranked[:, min(sampling.top_k, scores.shape[-1]) - 1, None]
        ranked = ranked.masked_fill(ranked < kth, float("-inf"))
    ranked = ranked.float()
    if sampling.top_p is not None:
        shares = ranked.softmax(-1)
        ranked = ranked.masked_fill(shares.cumsum(-1) - shares > sampling.top_p, float("-inf"))
    return torch.zeros_like(ranked).scatter_(-1, tokens, ranked.softmax(-1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [4096, 4099, 70])
@pytest.mark.parametrize("top_k", [1, 60, 1000])
def test_the_filter_skips_only_what_cannot_survive(dtype: torch.dtype, size: int, top_k: int) -> None:
    scores = torch.randn(9, size, generator=torch.Generator().manual_seed(top_k))
    scores[0] = scores[0].round()
    scores[1] = 0.5
    scores[2, 30:] = float("-inf")
    scores[3] = scores[3].sort().values
    scores = scores.to(dtype)
    for sampling in (Sampling(0.9, top_k), Sampling(0.9, top_k, top_p=0.8)):
        assert torch.allclose(probabilities(scores, sampling), sorted_out(scores, sampling), atol=1e-7)


def test_rows_in_parts_draw_the_same_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = torch.randn(2, 6, 500, generator=torch.Generator().manual_seed(3))
    for sampling in (Sampling(), Sampling(1.1, top_k=20, top_p=0.9)):
        found = []
        for at_once in (1 << 21, 1000):
            monkeypatch.setattr("core.lras.sampling._SCORES_AT_ONCE", {"cpu": at_once})
            drawn = draw(scores, sampling, torch.Generator().manual_seed(4))
            found.append((drawn, entropy(scores)))
        assert found[0][0].shape == (2, 6)
        assert torch.equal(found[0][0], found[1][0])
        assert torch.allclose(found[0][1], found[1][1], atol=1e-6)


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
    wide = 3 * torch.randn(4, 65536, generator=torch.Generator().manual_seed(0))
    for scores in (wide, wide.bfloat16()):
        exact = torch.special.entr(scores.double().softmax(-1)).sum(-1)
        assert (entropy(scores) - exact).abs().max() < 2e-5


@pytest.mark.parametrize("wrong", [{"temperature": -1}, {"temperature": float("nan")}, {"top_k": 0}, {"top_p": 0.0}])
def test_senseless_settings_are_refused(wrong: dict) -> None:
    with pytest.raises(InvalidInput):
        Sampling(**wrong)
