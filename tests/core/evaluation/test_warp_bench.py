"""The camera benchmark on a pair of its own making, and on real ones where they are."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import FlatEngine
from scenes import CAMERA, card_before_wall

from core.errors import InvalidInput
from core.evaluation.warp_bench import mean, report, run_warp_bench

SHIFT = 0.1


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A wall and a card seen from two places; the wall's shift is 2 pixels, the card's 4."""
    scene = card_before_wall()
    source = scene.photo.srgb
    truth = np.roll(source, -2, axis=1)
    truth[24:48, 32:56] = source[24:48, 36:60]
    depth = (scene.estimate.depth.values * 1000).astype(np.uint16)
    depth[:5] = 0
    for name, picture in {"a.png": source, "b.png": truth}.items():
        cv2.imwrite(str(tmp_path / name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(tmp_path / "a_depth.png"), depth)
    pose = np.eye(4)
    pose[0, 3] = -SHIFT
    item = {
        "id": "pair",
        "kind": "nvs",
        "src": "a.png",
        "dst": "b.png",
        "src_depth": "a_depth.png",
        "intrinsics": [CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy],
        "pose_dst_from_src": pose.tolist(),
        "source": "made",
    }
    other = {"id": "depth only", "kind": "depth"}
    (tmp_path / "index.json").write_text(json.dumps([other, item]))
    return tmp_path


def test_a_true_warp_scores_far_above_both_baselines(bench: Path) -> None:
    sheet = bench / "sheet.png"
    (row,) = run_warp_bench(FlatEngine(), bench, sheet=sheet)
    assert (row.name, row.group) == ("pair", "made")
    assert row.visible.psnr > 40
    assert row.visible.psnr > row.shifted.psnr + 10 > row.unwarped.psnr
    assert row.invented is not None
    assert row.invented.psnr < row.whole.psnr < row.visible.psnr
    assert row.measured is not None
    assert row.measured.share == pytest.approx(row.visible.share * 67 / 72, abs=0.02)
    assert cv2.imread(str(sheet)).shape[1] == 4 * 480


def test_the_report_names_pairs_and_means(bench: Path) -> None:
    rows = list(run_warp_bench(FlatEngine(), bench))
    lines = report(rows).splitlines()
    assert [line.split("  ")[0] for line in lines[2:]] == ["pair", "mean made", "mean"]
    assert lines[0] == "measured depth"
    assert mean([*rows, *rows], "mean").visible == rows[0].visible


def test_a_missing_or_empty_benchmark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"index\.json"):
        list(run_warp_bench(FlatEngine(), tmp_path))
    with pytest.raises(InvalidInput, match="no pair"):
        mean([], "mean")


def test_a_real_pair_is_warped_to_its_target(shared_folder: Path) -> None:
    (row,) = run_warp_bench(FlatEngine(), shared_folder / "bench", limit=1)
    assert row.visible.psnr > row.shifted.psnr + 3
    assert row.visible.psnr > 25
