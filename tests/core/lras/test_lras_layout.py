"""Packing against the recorded tokens, and back."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import InvalidInput
from core.lras import layout
from core.lras.config import CAMERA_FLOW_1B, RGB_FLOW_7B, rgb_flow_config, transformer_config
from core.maths.rigid import rotation_from_euler_deg


def golden(shared_folder: Path, name: str) -> dict:
    return torch.load(shared_folder / "spec" / "golden" / name, weights_only=True)


def test_codes_come_back_from_patches() -> None:
    codes = np.arange(64).reshape(8, 8)
    packed = layout.patches(codes)
    assert packed[1].tolist() == [2, 3, 10, 11]
    assert np.array_equal(layout.codes_grid(packed), codes)


def test_recorded_packing(shared_folder: Path) -> None:
    io = golden(shared_folder, "lras_rgbflow_small_io.pt")
    config = transformer_config(golden(shared_folder, "lras_rgbflow_small_ckpt.pt")["cfg"])
    pack = io["pack"]
    for kind, count in (("frame0", 5), ("flow", 9)):
        pointers = pack[f"{kind}_tokens"][0, :, 0].numpy()
        order = pointers - pointers.min() if len(pointers) == 16 else pointers - config.rgb_patch_0_idx_range.start
        codes = io[f"{kind}_codes"]
        run = (
            layout.frame_0(config, codes[0].numpy(), order)
            if kind == "frame0"
            else layout.binned_flow(config, codes[0].numpy(), order)
        )
        assert np.array_equal(run.tokens.reshape(-1, count), pack[f"{kind}_tokens"][0].numpy())
        assert np.array_equal(run.positions.reshape(-1, count), pack[f"{kind}_pos"][0].numpy())


def test_recorded_flow_bins(shared_folder: Path) -> None:
    io = golden(shared_folder, "flow_codes.pt")
    for flow, codes in (
        (io["flow"], "codes"),
        (io["flow"].double(), "codes_float64_input"),
        (io["boundary_flow"], "boundary_codes"),
    ):
        assert np.array_equal(layout.flow_to_bins(RGB_FLOW_7B, flow.numpy()), io[codes].numpy())
    assert np.abs(layout.bins_to_flow(RGB_FLOW_7B, io["all_codes"].numpy()) - io["all_decoded"].numpy()).max() < 1e-4


def test_zero_flow_comes_back_as_half_a_bin() -> None:
    assert layout.flow_to_bins(RGB_FLOW_7B, np.zeros(1))[0] == 256
    assert layout.bins_to_flow(RGB_FLOW_7B, np.array([256]))[0] == pytest.approx(0.50098, abs=1e-5)


def test_bins_reach_as_far_as_the_network_says() -> None:
    small = rgb_flow_config(2, 2, 32, grid=16, bins=257)
    assert small.largest_flow_pixels == small.image_size == 128
    assert layout.flow_to_bins(small, np.array([-200.0, -128, 0, 1, 128])).tolist() == [0, 0, 128, 129, 256]
    assert layout.bins_to_flow(small, np.array([0, 128, 256])).tolist() == [-128, 0, 128]


def test_recorded_camera_codes(shared_folder: Path) -> None:
    io = golden(shared_folder, "campose.pt")
    for name, matrix, recorded, tokens, positions in zip(
        io["names"], io["matrix"], io["codes"], io["tokens"], io["positions"], strict=True
    ):
        ours = layout.camera_codes(matrix.numpy().astype(np.float64))
        if "180" in name:
            assert np.array_equal(np.abs(ours - 1801)[:3], np.abs(recorded.numpy() - 1801)[:3])
            continue
        assert np.array_equal(ours, recorded.numpy()), name
        run = layout.camera(CAMERA_FLOW_1B, ours)
        assert np.array_equal(run.tokens, tokens.numpy())
        assert np.array_equal(run.positions, positions.numpy())


def test_the_depth_recipes_camera_motion() -> None:
    up = np.eye(4)
    up[1, 3] = -0.3
    assert layout.camera_codes(up).tolist() == [1801, 1801, 1801, 1001, 1, 1001, 301]


def test_a_rotation_is_coded_in_tenths_of_a_degree() -> None:
    turned = np.eye(4)
    turned[:3, :3] = rotation_from_euler_deg(0, 12.34, 0)
    assert layout.camera_codes(turned)[:3].tolist() == [1801, 1924, 1801]


def test_positions_follow_the_place_not_the_order() -> None:
    segment = layout.target(RGB_FLOW_7B, "rgb")
    codes = np.arange(8).reshape(2, 4)
    run = segment.run(np.array([1023, 0]), codes)
    assert run.positions.tolist() == [*range(10235, 10240), *range(5120, 5125)]
    assert run.tokens.tolist() == [67583, 0, 1, 2, 3, 66560, 4, 5, 6, 7]


def test_no_flow_patch_at_all_is_an_empty_run() -> None:
    run = layout.binned_flow(RGB_FLOW_7B, np.zeros((2, 64, 64), np.int64), np.zeros(0, np.int64))
    assert len(run) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: layout.target(RGB_FLOW_7B, "flow"),
        lambda: layout.binned_flow(CAMERA_FLOW_1B, np.zeros((2, 64, 64), np.int64), np.arange(3)),
        lambda: layout.flow_to_bins(RGB_FLOW_7B, np.array([0.0, np.nan])),
        lambda: layout.flow_to_bins(CAMERA_FLOW_1B, np.zeros(1)),
        lambda: layout.camera(RGB_FLOW_7B, np.zeros(7, np.int64)),
        lambda: layout.camera(CAMERA_FLOW_1B, np.full(7, 10000)),
        lambda: layout.frame_0(RGB_FLOW_7B, np.zeros((32, 32), np.int64), np.arange(3)),
        lambda: layout.frame_0(RGB_FLOW_7B, np.full((64, 64), 65536), np.arange(3)),
    ],
)
def test_what_a_network_cannot_take_is_refused(wrong) -> None:
    with pytest.raises(InvalidInput):
        wrong()
