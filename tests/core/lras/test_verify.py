"""All golden fixtures through our code, and a fixture that differs is found."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from core.errors import InvalidInput
from core.lras.checks import exact, within
from core.lras.verify import verify

ROOT = Path(__file__).resolve().parents[3]


def test_every_golden_fixture_passes(shared_folder: Path) -> None:
    # Run as users do: the checked shapes of the test run would make eight thousand passes slow.
    command = [sys.executable, "-m", "launch", "lras", "verify", str((shared_folder / "spec" / "golden").resolve())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, total = done.stdout.splitlines()
    assert {line.split()[0] for line in lines} == {"same"}
    fixtures = {line.split()[2].rstrip(":") for line in lines}
    assert fixtures == {
        "flow_codes", "campose", "sampling", "object_motion", "lpq_rgb", "lpq_flow", "lras_rgbflow_small",
        "lras_rgbflow_full", "lras_campose_small", "lras_campose_full",
    }  # fmt: skip
    assert total == f"{len(lines)} of {len(lines)} cases are the same"


def test_a_differing_fixture_is_named(shared_folder: Path, tmp_path: Path) -> None:
    golden = shared_folder / "spec" / "golden"
    shutil.copy(golden / "lras_rgbflow_small_ckpt.pt", tmp_path)
    io = torch.load(golden / "lras_rgbflow_small_io.pt", weights_only=True)
    changed = io["cases"]["plain"]["pred_seq"].clone()
    changed[0, -1] += 1
    io["cases"]["plain"]["pred_seq"] = changed
    torch.save(io, tmp_path / "lras_rgbflow_small_io.pt")
    failed = [check.name for check in verify(tmp_path) if not check.passed]
    assert "lras_rgbflow_small: plain: greedy tokens" in failed
    assert all("plain" in name for name in failed)


def test_an_empty_or_damaged_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no golden fixtures"):
        list(verify(tmp_path))
    (tmp_path / "sampling.pt").write_bytes(b"PK\x03\x04 not a fixture")
    with pytest.raises(InvalidInput, match=r"sampling\.pt"):
        list(verify(tmp_path))


def test_a_check_fails_on_nan_and_on_another_shape() -> None:
    one = torch.ones(3).numpy()
    assert within("same", one, one, 0).passed
    assert not within("nan", one * float("nan"), one, 1).passed
    assert not within("shape", one[:2], one, 1).passed
    assert not exact("shape", one[:2], one).passed
