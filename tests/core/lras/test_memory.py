"""Estimates against what is really allocated, and plain words when it is not enough."""

from pathlib import Path

import pytest
import torch
from lras_networks import SMALL, network

from core.errors import EngineFailed
from core.lras import memory
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


MEMINFO = "MemTotal: 9000 kB\nMemAvailable:   8000 kB\n"
VERSION_1, VERSION_2 = "sys/fs/cgroup/memory", "sys/fs/cgroup"


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, None),
        ({"proc/meminfo": MEMINFO}, 8_192_000),
        ({"proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/\n", f"{VERSION_2}/memory.max": "max\n"}, 8_192_000),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/app/job\n",
                f"{VERSION_2}/app/job/memory.max": "max\n",
                f"{VERSION_2}/app/job/memory.current": "700\n",
                f"{VERSION_2}/app/memory.max": "5000\n",
                f"{VERSION_2}/app/memory.current": "3000\n",
                f"{VERSION_2}/app/memory.stat": "anon 100\nactive_file 7\ninactive_file 400\n",
            },
            2400,
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "9:name=systemd:/\n4:memory,cpu:/docker/a\n0::/\n",
                f"{VERSION_1}/memory.limit_in_bytes": "9223372036854771712\n",
                f"{VERSION_1}/memory.usage_in_bytes": "90000\n",
                f"{VERSION_1}/docker/a/memory.limit_in_bytes": "6000\n",
                f"{VERSION_1}/docker/a/memory.usage_in_bytes": "6100\n",
                f"{VERSION_1}/docker/a/memory.stat": "inactive_file 1\ntotal_inactive_file 300\n",
            },
            200,
        ),
    ],
)
def test_what_is_free_is_the_least_that_machine_and_container_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], free: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "_ROOT", tmp_path)
    assert free_bytes(torch.device("cpu")) == free
    assert free_bytes(torch.device("meta")) is None


def test_too_little_memory_is_one_sentence_and_the_process_goes_on() -> None:
    with pytest.raises(EngineFailed, match="not enough memory for a test"), plain_out_of_memory("a test"):
        torch.empty(1 << 60, dtype=torch.uint8)
    assert torch.ones(3).sum() == 3


def test_other_faults_pass_through() -> None:
    with pytest.raises(RuntimeError, match="shape"), plain_out_of_memory("a test"):
        raise RuntimeError("shape")
