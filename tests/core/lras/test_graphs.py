import gc

import numpy as np
import pytest
import torch

from core.lras import graphs
from core.lras.draft import decode_drafted
from core.lras.generate import decode, prefill
from core.lras.graphs import GraphedTransformer
from core.lras.schedule import in_groups
from tests.lras_networks import in_raster, network, plan_for, ready_cache


@pytest.fixture(autouse=True)
def _short_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small frame crosses several of them."""
    monkeypatch.setattr(graphs, "_REACH_STEP", 16)


@pytest.mark.parametrize(("size", "batch"), [(1, 1), (3, 1), (16, 1), (3, 2)])
def test_fixed_shapes_decode_the_same_codes(size: int, batch: int) -> None:
    model, plan = network(), plan_for()
    groups = in_groups(plan.order, size)
    plain = in_raster(model.config, list(decode(model, plan, ready_cache(model, plan, batch), groups)), batch - 1)
    graphed = GraphedTransformer(model)
    found = in_raster(model.config, list(decode(graphed, plan, ready_cache(model, plan, batch), groups)), batch - 1)
    np.testing.assert_array_equal(found[0], plain[0])
    np.testing.assert_allclose(found[1], plain[1], atol=1e-10)


def test_a_draft_is_checked_the_same() -> None:
    model, plan = network(), plan_for()
    codes, _ = in_raster(model.config, list(decode(model, plan, ready_cache(model, plan), in_groups(plan.order, 1))))
    draft = codes.copy()
    draft[::3] = (draft[::3] + 1) % plan.target.codes.size
    found = list(decode_drafted(GraphedTransformer(model), plan, ready_cache(model, plan), draft))
    np.testing.assert_array_equal(in_raster(model.config, found)[0], codes)


def test_what_memory_held_before_does_not_matter() -> None:
    model, plan = network(), plan_for()
    clean, dirty = ready_cache(model, plan), ready_cache(model, plan)
    dirty._keys[:, :, :, dirty.length :] = torch.nan
    dirty._values[:, :, :, dirty.length :] = torch.inf
    tokens, positions = torch.tensor([[1, 2, 3]]), torch.tensor([[4, 5, 6]])
    first, second = (GraphedTransformer(model)(tokens, positions, cache) for cache in (clean, dirty))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert first.isfinite().all()


def test_a_prefix_may_be_laid_in_pieces_of_any_size() -> None:
    model, plan = network(), plan_for()
    graphed, cache = GraphedTransformer(model), ready_cache(model, plan)
    whole = model(torch.tensor([[1, 2]]), torch.tensor([[4, 5]]), cache)
    cache.truncate(0)
    prefill(graphed, plan.source, cache)
    prefill(graphed, plan.condition, cache)
    torch.testing.assert_close(graphed(torch.tensor([[1, 2]]), torch.tensor([[4, 5]]), cache), whole)


def test_passes_go_with_their_cache() -> None:
    model, plan = network(), plan_for()
    graphed, cache = GraphedTransformer(model), ready_cache(model, plan)
    graphed(torch.tensor([[1]]), torch.tensor([[4]]), cache)
    assert len(graphed._passes) == 1
    del cache
    gc.collect()
    assert len(graphed._passes) == 0
