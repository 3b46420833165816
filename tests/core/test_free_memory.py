"""What is free, by the machine's own words, and the sentence when it is too little."""

import subprocess
import sys
from pathlib import Path

import pytest

from core import memory
from core.errors import NotEnoughMemory

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
    assert memory.free_bytes() == free


def test_a_limit_on_the_address_space_counts() -> None:
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))"
    code += "; from core.memory import free_bytes; print(free_bytes())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 1 << 30


def test_what_is_needed_and_what_is_free_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: 2_040_000_000)
    memory.require_memory(2_000_000_000, "a.png")
    with pytest.raises(NotEnoughMemory, match=r"a.png needs about 4.1 GB of memory and 2.0 GB are free; close"):
        memory.require_memory(4_100_000_000, "a.png")


def test_caches_are_dropped_before_anything_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    free, missing = [100], list[int]()

    def shed(count: int) -> None:
        missing.append(count)
        free[0] += 50

    monkeypatch.setattr(memory, "free_bytes", lambda: free[0])
    monkeypatch.setattr(memory, "_SHEDDING", [])
    memory.on_shortage(shed)
    memory.require_memory(140, "A picture")
    assert missing == [40]
    with pytest.raises(NotEnoughMemory):
        memory.require_memory(1000, "A picture")
    assert missing == [40, 850]


def test_nothing_is_refused_where_the_system_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: None)
    memory.require_memory(1 << 60, "a.png")


def test_memory_that_runs_out_all_the_same_is_no_damage() -> None:
    short = pytest.raises(NotEnoughMemory, match=r"a.png needs about 50 MB of memory, which could not be had")
    with short, memory.memory_for(50_000_000, "a.png"):
        raise MemoryError
