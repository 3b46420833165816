"""Estimates against what is really allocated, and plain words when it is not enough."""

import pytest
import torch
from lras_networks import SMALL, network

from core.errors import EngineFailed
from core.lras.cache import KVCache
from core.lras.config import RGB_FLOW_7B
from core.lras.memory import estimate, free_bytes, plain_out_of_memory


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_and_cache_are_what_is_allocated(dtype: torch.dtype) -> None:
    model, cache = network(dtype=dtype), KVCache(SMALL, 200, batch=3, dtype=dtype)
    guess = estimate(SMALL, dtype, tokens=200, batch=3)
    assert guess.weights == sum(p.numel() * p.element_size() for p in model.parameters())
    assert guess.cache == cache.size_bytes
    assert guess.total > guess.weights + guess.cache


def test_the_7b_network_as_published() -> None:
    guess = estimate(RGB_FLOW_7B, torch.bfloat16, tokens=10_760)
    assert guess.weights == 2 * RGB_FLOW_7B.parameter_count
    assert guess.cache / 10_760 == 512 * 1024
    assert estimate(RGB_FLOW_7B, torch.bfloat16, 10_760, int8=True).weights < 0.6 * guess.weights


def test_free_memory_is_told_for_devices_that_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.memory.free_bytes", lambda: 8_192_000)
    assert free_bytes(torch.device("cpu")) == 8_192_000
    assert free_bytes(torch.device("meta")) is None


def test_too_little_memory_is_one_sentence_and_the_process_goes_on() -> None:
    with pytest.raises(EngineFailed, match="not enough memory for a test"), plain_out_of_memory("a test"):
        torch.empty(1 << 60, dtype=torch.uint8)
    assert torch.ones(3).sum() == 3


def test_other_faults_pass_through() -> None:
    with pytest.raises(RuntimeError, match="shape"), plain_out_of_memory("a test"):
        raise RuntimeError("shape")
