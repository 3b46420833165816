"""Sizes and ranges, as released and as refused."""

from dataclasses import asdict, replace

import pytest

from core.errors import InvalidInput
from core.lras.config import (
    CAMERA_FLOW_1B,
    RGB_FLOW_7B,
    ResBlock,
    Span,
    Upsample,
    camera_flow_config,
    quantizer_config,
    rgb_flow_config,
    transformer_config,
)

QUANTIZER = {
    "patch_size": 4, "dropout": 0.1, "vocab_size": 65536, "num_codebooks": 1, "num_in_channels": 3,
    "num_out_channels": 3, "encoder_blocks": [("ResBlock", 24, 24, 48, 1, 1, 0)],
    "decoder_blocks": [("ResBlock", 24, 24, 48, 3, 1, 1), ("Upsample", 24, 12), ("Upsample", 12, 8)],
}  # fmt: skip


def test_the_released_sizes_have_the_published_parameter_counts() -> None:
    assert RGB_FLOW_7B.parameter_count == 7_088_640_000
    assert CAMERA_FLOW_1B.parameter_count == 1_022_465_280


def test_the_released_ranges() -> None:
    assert (RGB_FLOW_7B.vocab_size, RGB_FLOW_7B.block_size) == (69120, 19456)
    assert RGB_FLOW_7B.flow_patch_idx_range == Span(68096, 69120)
    assert (CAMERA_FLOW_1B.vocab_size, CAMERA_FLOW_1B.block_size) == (111616, 22536)
    assert CAMERA_FLOW_1B.campose_pos_range == Span(22528, 22536)
    assert (RGB_FLOW_7B.flow_kind, CAMERA_FLOW_1B.flow_kind) == ("binned", "quantised")
    assert (RGB_FLOW_7B.image_size, RGB_FLOW_7B.head_width, CAMERA_FLOW_1B.head_width) == (256, 128, 64)


@pytest.mark.parametrize("config", [rgb_flow_config(2, 2, 8, grid=4), camera_flow_config(2, 2, 8, 4, 64, 32)])
def test_a_configuration_survives_its_cfg(config: object) -> None:
    assert transformer_config(config.as_cfg()) == config  # type: ignore[attr-defined]


def test_what_released_files_do_not_tell_is_as_released() -> None:
    silent = {
        name: value
        for name, value in RGB_FLOW_7B.as_cfg().items()
        if name not in ("flow_patches", "largest_flow_pixels")
    }
    assert transformer_config(silent) == RGB_FLOW_7B
    assert (RGB_FLOW_7B.flow_patches, RGB_FLOW_7B.largest_flow_pixels) == (200, 256)


def test_foreign_entries_are_ignored() -> None:
    assert transformer_config({**RGB_FLOW_7B.as_cfg(), "config_class": "os.system"}) == RGB_FLOW_7B


def test_a_quantizer_survives_its_cfg() -> None:
    config = quantizer_config(QUANTIZER)
    assert (config.bits, config.width) == (16, 24)
    assert config.decoder_blocks[:2] == (ResBlock(24, 48, 3), Upsample(24, 12))
    assert quantizer_config(config.as_cfg()) == config


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"n_head": 3}, "n_embd"),
        ({"n_layer": 0}, "n_layer"),
        ({"vocab_size": 1 << 30}, "vocab_size"),
        ({"patch_size": 4}, "patch_size"),
        ({"flow_patches": 0}, "flow_patches"),
        ({"largest_flow_pixels": 12.5}, "largest_flow_pixels"),
        ({"rgb_range": (5, 5)}, "rgb_range"),
        ({"rgb_range": (0, 70000)}, "rgb_range"),
        ({"rgb_range": "all"}, "rgb_range"),
        ({"rgb_patch_1_idx_range": (66560, 67000)}, "rgb_patch_1_idx_range"),
        ({"flow_range": None}, "flow_range"),
        ({"flow_pos_range": (10240, 19000)}, "flow_pos_range"),
        ({"n_embd": "wide"}, "n_embd"),
        ({"frame_0_rgb_pos_range": None}, "frame_0_rgb_pos_range"),
    ],
)
def test_an_impossible_configuration_is_refused_by_name(change: dict, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        transformer_config({**RGB_FLOW_7B.as_cfg(), **change})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"vocab_size": 1000}, "vocab_size"),
        ({"vocab_size": 0}, "vocab_size"),
        ({"decoder_blocks": 3}, "decoder_blocks"),
        ({"encoder_blocks": [5]}, "encoder_blocks"),
        ({"num_codebooks": 2}, "num_codebooks"),
        ({"num_in_channels": 4}, "channels"),
        ({"decoder_blocks": [("Upsample", 24, 12)]}, "1 times"),
        ({"decoder_blocks": [("Downsample", 24, 12)]}, "Downsample"),
        ({"decoder_blocks": [("Upsample", 12, 8), ("Upsample", 8, 8)]}, "width 24"),
        ({"encoder_blocks": [("ResBlock", 24, 48, 48, 1, 1, 0)]}, "ResBlock"),
    ],
)
def test_an_impossible_quantizer_is_refused_by_name(change: dict, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        quantizer_config({**QUANTIZER, **change})


def test_bias_adds_the_biases() -> None:
    biased = replace(RGB_FLOW_7B, bias=True)
    width, layers = biased.n_embd, biased.n_layer
    assert biased.parameter_count - RGB_FLOW_7B.parameter_count == layers * 11 * width + width
    assert asdict(biased)["bias"]
