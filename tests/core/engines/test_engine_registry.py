from pathlib import Path

import numpy as np
import pytest
import torch
from lras_networks import SMALL, network, quantizer

from core.engines.registry import available, make_engine, resolve
from core.errors import BackendUnavailable, InvalidInput
from core.lras.saving import save_quantizer, save_transformer
from core.types.photo import Photo
from core.types.protocols import CancelToken, EngineRequest


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LRAS_WEIGHTS", str(tmp_path))
    return tmp_path


def test_auto_is_an_engine_that_can_run() -> None:
    reasons = {info.name: reason for info, reason in available()}
    assert reasons[resolve("auto")] is None
    assert make_engine("auto").info.name == resolve("auto")
    assert resolve("lras") == "lras"


def test_listed_info_is_the_engines_own() -> None:
    for info, reason in available():
        if reason is None:
            assert make_engine(info.name).info == info


def test_without_checkpoints_lras_says_how_to_get_them() -> None:
    reason = {info.name: why for info, why in available()}["lras"]
    assert reason is not None
    assert "lras download 7b" in reason
    with pytest.raises(BackendUnavailable, match="rgb_predictor, rgb_quantizer are not installed"):
        make_engine("lras")


def test_installed_checkpoints_paint(weights: Path) -> None:
    save_transformer(network(SMALL, torch.float32), weights / "rgb_predictor")
    assert "download quantizers" in str({info.name: why for info, why in available()}["lras"])
    save_quantizer(quantizer(3, 64), weights / "rgb_quantizer")
    engine = make_engine("lras")
    pixels = np.full((40, 40, 3), 100, np.uint8)
    unknown = np.zeros((40, 40), bool)
    unknown[10:20, 10:20] = True
    depth = np.where(unknown, 0, 2).astype(np.float32)
    asked = EngineRequest(Photo("test", pixels, pixels), pixels, unknown, np.zeros_like(unknown), depth, None)
    update = list(engine.render(asked, CancelToken()))[-1]
    assert np.array_equal(update.image[~unknown], pixels[~unknown])


def test_unknown_name() -> None:
    with pytest.raises(InvalidInput, match="'magic'"):
        make_engine("magic")
