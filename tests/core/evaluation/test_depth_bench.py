"""The depth benchmark: what its figures ignore, what they count, and its table."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from command_line import run
from lras_networks import network, quantizer
from scenes import CAMERA, card_before_wall

from core.errors import InvalidInput
from core.evaluation.depth_bench import QUOTED, QUOTED_SCORES, report, run_depth_bench, score
from core.lras.config import camera_flow_config
from core.lras.saving import save_quantizer, save_transformer
from core.types.camera import Intrinsics
from core.types.depth import DepthEstimate, DepthMap
from core.types.photo import Photo
from core.types.protocols import BackendInfo, CancelToken

TRUTH = np.linspace(1, 4, 48 * 64).reshape(48, 64).astype(np.float32)
ALL = np.ones(TRUTH.shape, bool)


class Ramp:
    """Depth that grows downwards."""

    info = BackendInfo("ramp", "Ramp", "MIT")

    def estimate(self, photo: Photo, intrinsics: Intrinsics, cancel: CancelToken) -> DepthEstimate:
        values = np.repeat(np.linspace(1, 3, 40, dtype=np.float32)[:, None], 60, axis=1)
        return DepthEstimate(DepthMap(values, np.ones(values.shape, bool), "relative", "Ramp"), intrinsics)


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    scene = card_before_wall()
    depth = (scene.estimate.depth.values * 1000).astype(np.uint16)
    depth[:9] = 0
    cv2.imwrite(str(tmp_path / "a.png"), scene.photo.srgb)
    cv2.imwrite(str(tmp_path / "a_depth.png"), depth)
    camera = [CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy]
    items = [
        {"id": "nyu-0", "kind": "depth", "image": "a.png", "depth": "a_depth.png", "intrinsics": camera},
        {
            "id": "pair",
            "kind": "nvs",
            "src": "a.png",
            "src_depth": "a_depth.png",
            "intrinsics": camera,
            "source": "own",
        },
        {"id": "other", "kind": "pose"},
    ]
    (tmp_path / "index.json").write_text(json.dumps(items))
    return tmp_path


def test_a_factor_costs_nothing() -> None:
    found = score(3 * TRUTH, TRUTH, ALL)
    assert found.absrel == pytest.approx(0, abs=1e-6)
    assert found.delta1 == found.affine_delta1 == 1


def test_a_shift_of_inverse_depth_costs_only_where_it_is_not_aligned() -> None:
    found = score(1 / (2 / TRUTH + 1.5), TRUTH, ALL)
    assert found.affine_absrel == pytest.approx(0, abs=1e-5)
    assert found.absrel > 0.1


def test_errors_are_those_of_the_definition() -> None:
    made = TRUTH.copy()
    made[:24] *= 1.3
    made *= np.median(TRUTH) / np.median(made)
    ratio = made / TRUTH
    found = score(made, TRUTH, ALL)
    assert found.absrel == pytest.approx(float(abs(ratio - 1).mean()), rel=1e-5)
    assert found.log10 == pytest.approx(float(abs(np.log10(ratio)).mean()), rel=1e-4)
    assert found.delta1 == pytest.approx(float((np.maximum(ratio, 1 / ratio) < 1.25).mean()), abs=1e-3)


def test_pixels_that_were_not_measured_do_not_count() -> None:
    valid = ALL.copy()
    valid[:10] = False
    made = np.where(valid, TRUTH, 77).astype(np.float32)
    assert score(made, np.where(valid, TRUTH, 0).astype(np.float32), valid).absrel == pytest.approx(0, abs=1e-6)
    with pytest.raises(InvalidInput, match="no valid pixel"):
        score(made, TRUTH, np.zeros(TRUTH.shape, bool))


def test_every_photo_with_measured_depth_is_scored_and_drawn(bench: Path) -> None:
    rows = list(run_depth_bench([Ramp()], bench, sheet=bench / "sheet.png"))
    assert [(row.name, row.group, row.backend) for row in rows] == [("nyu-0", "nyu", "ramp"), ("pair", "own", "ramp")]
    sheet = cv2.imread(str(bench / "sheet.png"))
    assert sheet is not None
    assert sheet.shape[0] == 2 * 240


def test_the_report_quotes_the_published_network_where_it_was_scored(bench: Path) -> None:
    lines = report(list(run_depth_bench([Ramp()], bench))).splitlines()
    quoted = [line for line in lines if QUOTED in line]
    assert [line.split()[0] for line in quoted] == ["nyu", "all", "indoors"]
    assert f"{QUOTED_SCORES['nyu'][0]:.3f}" in quoted[0]
    assert not any(math.isnan(row.score.absrel) for row in run_depth_bench([Ramp()], bench, limit=1))


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"index\.json"):
        list(run_depth_bench([Ramp()], tmp_path))
    with pytest.raises(InvalidInput, match="no photo"):
        report([])


def test_a_network_of_ones_own_is_a_row(bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = camera_flow_config(2, 2, 32, grid=4, rgb_codes=64, flow_codes=32)
    files = [tmp_path / name for name in ("network", "tokenizer", "flow-tokenizer")]
    save_transformer(network(config, torch.float32), files[0])
    save_quantizer(quantizer(3, 64), files[1])
    save_quantizer(quantizer(2, 32), files[2])
    words = ["bench", "depth", str(bench), "--backend", "layout", "--flow", *map(str, files), "--json"]
    assert run(*words) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["backend"] for row in rows} == {"layout", "flow"}
    assert run(*words[:-1], "--flow", *map(str, reversed(files))) != 0
    assert "is a quantizer, not a transformer" in capsys.readouterr().err
