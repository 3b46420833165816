"""All golden fixtures through our code, and a fixture that differs is found."""

import shutil
from pathlib import Path

import pytest
import torch

from core.errors import InvalidInput
from core.lras.checks import exact, within
from core.lras.verify import verify


def test_every_golden_fixture_passes(shared_folder: Path) -> None:
    checks = list(verify(shared_folder / "spec" / "golden"))
    assert [check for check in checks if not check.passed] == []
    fixtures = {check.name.partition(":")[0] for check in checks}
    assert fixtures == {
        "flow_codes", "campose", "sampling", "object_motion", "lpq_rgb", "lpq_flow", "lras_rgbflow_small",
        "lras_rgbflow_full", "lras_campose_small", "lras_campose_full",
    }  # fmt: skip


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
