"""Decoding: the cache, groups, drafts, variations, seeds and cancelling."""

import numpy as np
import pytest
import torch
from lras_networks import SMALL, in_raster, network, picture_codes, plan_for, ready_cache

from core.errors import Cancelled, EngineFailed, InvalidInput
from core.lras.cache import KVCache
from core.lras.draft import DraftTally, decode_drafted
from core.lras.generate import decode, prefill
from core.lras.int8 import quantise_linears
from core.lras.plan import Known
from core.lras.sampling import Sampling
from core.lras.schedule import in_groups
from core.types.protocols import CancelToken

SAMPLING = Sampling(temperature=1.0, top_k=20)


def sampled(model, plan, size: int = 1, seed: int = 0, batch: int = 1) -> list[np.ndarray]:
    generator = torch.Generator().manual_seed(seed)
    parts = list(decode(model, plan, ready_cache(model, plan, batch), in_groups(plan.order, size), SAMPLING, generator))
    return [in_raster(SMALL, parts, row)[0] for row in range(batch)]


def test_a_cached_pass_equals_a_whole_one() -> None:
    model, run = network(), plan_for().source
    tokens, positions = torch.from_numpy(run.tokens)[None], torch.from_numpy(run.positions)[None]
    cache = KVCache(SMALL, len(run), dtype=torch.float64)
    pieces = [model(tokens[:, a:b], positions[:, a:b], cache) for a, b in ((0, 7), (7, 8), (8, len(run)))]
    assert torch.allclose(torch.cat(pieces, dim=1), model(tokens, positions), atol=1e-12)


def test_scores_of_a_span_are_those_of_the_whole_vocabulary() -> None:
    model = network()
    hidden = torch.randn(2, 32, dtype=torch.float64)
    assert torch.allclose(model.logits(hidden, SMALL.rgb_range), model.logits(hidden)[:, : SMALL.rgb_range.stop])


def test_sequential_decoding_equals_one_whole_pass_a_code() -> None:
    model, plan = network(), plan_for()
    codes, _ = in_raster(SMALL, list(decode(model, plan, ready_cache(model, plan), in_groups(plan.order, 1))))
    whole = plan.source + plan.condition + plan.target.run(plan.order, codes[plan.order])
    with torch.inference_mode():
        hidden = model(torch.from_numpy(whole.tokens)[None], torch.from_numpy(whole.positions)[None])
        best = model.logits(hidden[0], plan.vocabulary).argmax(-1).numpy()
    content = np.arange(len(plan.order) * 5).reshape(-1, 5)[:, 1:] + len(whole) - len(plan.order) * 5
    assert np.array_equal(best[content - 1], codes[plan.order])


@pytest.mark.parametrize("share_right", [0.0, 0.6, 1.0])
def test_a_draft_changes_nothing_but_the_number_of_passes(share_right: float) -> None:
    model, plan = network(), plan_for(known=Known(np.arange(4), picture_codes()))
    plain, doubts = in_raster(SMALL, list(decode(model, plan, ready_cache(model, plan), in_groups(plan.order, 1))))
    draft, rng = np.where(plain < 0, 0, plain), np.random.default_rng(1)
    wrong = rng.random(len(draft)) >= share_right
    draft[wrong] = (draft[wrong] + 1) % SMALL.rgb_range.size
    tally = DraftTally()
    checked = list(decode_drafted(model, plan, ready_cache(model, plan), draft, tally=tally))
    ours, our_doubts = in_raster(SMALL, checked)
    assert np.array_equal(ours, plain)
    assert np.allclose(our_doubts, doubts, atol=1e-6)
    assert tally.offered == 4 * len(plan.order)
    assert tally.accepted == tally.offered - 4 * int(wrong[plan.order].sum())
    if share_right == 1:
        assert tally.passes == 2
        assert np.array_equal(draft[plan.order], ours[plan.order])


def test_sampled_codes_of_a_draft_follow_the_models_distribution() -> None:
    """The first code decoded, drawn many times plainly and against a draft that is often wrong."""
    model, plan = network(), plan_for(known=Known(np.arange(15), picture_codes()))
    cache = ready_cache(model, plan)
    base, generator = cache.length, torch.Generator().manual_seed(3)
    draft = np.zeros((16, 4), np.int64)
    counts = np.zeros((2, SMALL.rgb_range.size))
    sampling, times = Sampling(temperature=1.0, top_k=3), 250
    for _ in range(times):
        for row in range(2):
            cache.truncate(base)
            parts = (
                decode(model, plan, cache, in_groups(plan.order, 1), sampling, generator)
                if row == 0
                else decode_drafted(model, plan, cache, draft, sampling, generator)
            )
            counts[row, in_raster(SMALL, list(parts))[0][15, 0]] += 1
    seen = counts.sum(0) > 0
    assert seen.sum() <= 3
    assert np.abs(counts[0] - counts[1]).max() / times < 4 * np.sqrt(0.5 / times)


def test_same_seed_same_codes() -> None:
    model, plan = network(), plan_for()
    assert np.array_equal(sampled(model, plan, seed=1)[0], sampled(model, plan, seed=1)[0])
    assert not np.array_equal(sampled(model, plan, seed=1)[0], sampled(model, plan, seed=2)[0])


def test_variations_share_a_prefix_and_differ() -> None:
    model, plan = network(), plan_for()
    first, second = sampled(model, plan, size=4, batch=2)
    assert not np.array_equal(first, second)
    assert (first >= 0).all()


def test_only_codes_are_drawn_when_the_vocabulary_is_restricted() -> None:
    model, plan = network(), plan_for()
    codes = sampled(model, plan, size=3)[0]
    assert codes.min() >= 0
    assert codes.max() < SMALL.rgb_range.size


def test_a_fork_leaves_its_prefix_alone() -> None:
    model, plan = network(), plan_for()
    prefix = KVCache(SMALL, len(plan.source), dtype=torch.float64)
    prefill(model, plan.source, prefix)
    frames = []
    for _ in range(2):
        cache = prefix.fork(plan.length)
        prefill(model, plan.condition, cache)
        frames.append(in_raster(SMALL, list(decode(model, plan, cache, in_groups(plan.order, 4))))[0])
    straight = in_raster(SMALL, list(decode(model, plan, ready_cache(model, plan), in_groups(plan.order, 4))))[0]
    assert np.array_equal(frames[0], frames[1])
    assert np.array_equal(frames[0], straight)
    assert prefix.length == len(plan.source)


def test_cancel_stops_between_patches() -> None:
    model, plan = network(), plan_for()
    for start in (
        lambda token: decode(model, plan, ready_cache(model, plan), in_groups(plan.order, 1), cancel=token),
        lambda token: decode_drafted(model, plan, ready_cache(model, plan), np.zeros((16, 4), np.int64), cancel=token),
    ):
        token = CancelToken()
        parts = start(token)
        next(parts)
        token.cancel()
        with pytest.raises(Cancelled):
            next(parts)
    with pytest.raises(Cancelled):
        prefill(model, plan.source, KVCache(SMALL, 100, dtype=torch.float64), token)


def test_a_full_cache_says_so() -> None:
    model, plan = network(), plan_for()
    with pytest.raises(EngineFailed, match="holds 10 tokens"):
        prefill(model, plan.source, KVCache(SMALL, 10, dtype=torch.float64))
    with pytest.raises(ValueError, match="cut"):
        KVCache(SMALL, 10).truncate(1)


def test_a_draft_that_does_not_fit_is_refused() -> None:
    model, plan = network(), plan_for()
    with pytest.raises(InvalidInput, match="16x4"):
        next(decode_drafted(model, plan, ready_cache(model, plan), np.zeros((15, 4), np.int64)))
    with pytest.raises(InvalidInput, match="one variation"):
        next(decode_drafted(model, plan, ready_cache(model, plan, 2), np.zeros((16, 4), np.int64)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_int8_weights_are_close(dtype: torch.dtype) -> None:
    exact, small = network(dtype=dtype), network(dtype=dtype)
    quantise_linears(small)
    run = plan_for().source
    tokens, positions = torch.from_numpy(run.tokens)[None], torch.from_numpy(run.positions)[None]
    wanted = exact.logits(exact(tokens, positions)).float()
    ours = small.logits(small(tokens, positions)).float()
    assert ((ours - wanted).norm() / wanted.norm()).item() < 0.05
    part = small.logits(small(tokens, positions), SMALL.rgb_range).float()
    assert torch.allclose(part, ours[..., : SMALL.rgb_range.stop], atol=1e-2)
    assert small.lm_head.weight.dtype == torch.int8
