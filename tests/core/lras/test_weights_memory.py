"""How much memory loading takes, in processes of their own."""

import os
import subprocess
import sys

import pytest
import torch
from lras_networks import SMALL, network

from core.lras.config import rgb_flow_config
from core.lras.saving import save_transformer
from core.lras.transformer import Transformer

# Threads that wait for each other on a busy machine would take most of the time.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}

LOAD_AND_MEASURE = """
import ctypes, sys, threading, time
from pathlib import Path
import torch
from core.lras.weights import load_transformer

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

def growth(path, dtype):
    ctypes.CDLL(None).malloc_trim(0)
    before, highest, done = resident(), 0, threading.Event()

    def watch():
        nonlocal highest
        while not done.is_set():
            highest = max(highest, resident())
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    model = load_transformer(Path(path), getattr(torch, dtype))
    done.set()
    watcher.join()
    return (highest - before) / sum(t.numel() * t.element_size() for t in model.state_dict().values())

small, *cases = sys.argv[1:]
load_transformer(Path(small))  # whatever PyTorch itself sets up
for case in cases:
    print(growth(*case.split("=")))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_loading_needs_little_more_memory_than_the_network(tmp_path):
    """307 MB of float32, two tables of 34 MB among them; mapped pages count."""
    config = rgb_flow_config(n_layer=19, n_head=8, n_embd=512, grid=4, rgb_codes=16384, bins=16)
    with torch.device("meta"):
        model = Transformer(config)
    for weight in model.to_empty(device="cpu").parameters():
        torch.nn.init.constant_(weight, 0.1)
    small, big, folder = tmp_path / "small.pt", tmp_path / "big.pt", tmp_path / "folder"
    torch.save({"cfg": SMALL.as_cfg(), "model": network(dtype=torch.float32).state_dict()}, small)
    torch.save({"cfg": config.as_cfg(), "model": model.state_dict()}, big)
    save_transformer(model, folder, torch.float32)
    cases = (f"{big}=bfloat16", f"{folder}=bfloat16", f"{big}=int8")
    command = [sys.executable, "-c", LOAD_AND_MEASURE, str(small), *cases]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **ONE_THREAD})
    shares = [float(line) for line in done.stdout.split()]
    assert len(shares) == len(cases)
    assert all(0.9 < share < 1.2 for share in shares), shares
