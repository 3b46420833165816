"""The processes of a run, and what is left of them at its end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

LEAVING = """
from pathlib import Path
from torch import nn, ones
from torch.nn.parallel import DistributedDataParallel
from torch.optim import AdamW
from core.training.distributed import placed

def threads():
    return [task.read_text().strip() for task in Path("/proc/self/task").glob("*/comm")]

with placed("cpu") as place:
    network = nn.Linear(2, 2)
    optimiser = AdamW(network.parameters())
    DistributedDataParallel(network)(ones(1, 2)).sum().backward()
    assert place.agreed(place.rank) == 1
    assert any("gloo" in name for name in threads()), threads()
assert not any("gloo" in name for name in threads()), threads()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are named in /proc on Linux only")
def test_no_thread_of_the_exchange_outlives_it(tmp_path: Path) -> None:
    script = tmp_path / "leaving.py"
    script.write_text(LEAVING)
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", script]
    subprocess.run(start, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
