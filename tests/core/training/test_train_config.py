"""Configurations: presets load, and what is wrong is named."""

from dataclasses import replace
from pathlib import Path

import pytest
from training_data import CONFIGS, tiny

from core.errors import InvalidInput
from core.lras.config import CAMERA_FLOW_1B, RGB_FLOW_7B
from core.training.config import as_table, changed, config_from_table, read_config

PRESETS = sorted(CONFIGS.glob("*.toml"))


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_preset_loads_and_survives_a_round_trip(path: Path) -> None:
    config = read_config(path)
    assert config_from_table(as_table(config), "table") == config
    assert (config.quantizer is None) == (config.task != "lpq")


def test_the_official_presets_have_the_released_sizes() -> None:
    shapes = {name: read_config(CONFIGS / f"official-lras-{name}.toml") for name in ("rgb", "flow")}
    assert shapes["rgb"].network is not None
    assert shapes["flow"].network is not None
    assert shapes["rgb"].network.config("lras-rgb") == RGB_FLOW_7B
    assert shapes["flow"].network.config("lras-flow") == CAMERA_FLOW_1B
    quantizer = read_config(CONFIGS / "official-lpq-rgb.toml").quantizer
    assert quantizer is not None
    assert [block[0] for block in quantizer.config().as_cfg()["decoder_blocks"]] == [
        *["ResBlock"] * 3, "Upsample", *["ResBlock"] * 3, "Upsample", *["ResBlock"] * 3,
    ]  # fmt: skip


def test_presets_of_one_family_fit_each_other() -> None:
    for size, network, quantizer in (
        ("small", "small-lras-rgb", "small-lpq-rgb"),
        ("gpu", "small-lras-rgb-gpu", "small-lpq-rgb-gpu"),
        ("tiny", "tiny-lras-rgb", "tiny-lpq-rgb"),
        ("flow", "small-lras-flow", "small-lpq-rgb"),
    ):
        shape, codes = read_config(CONFIGS / f"{network}.toml").network, read_config(CONFIGS / f"{quantizer}.toml")
        assert shape is not None, size
        assert codes.quantizer is not None, size
        assert shape.rgb_codes == codes.quantizer.codes, size


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("steps = 40", "steps = 40\nstep_count = 3", "unknown fields: step_count"),
        ("[run]", "[runs]\na = 1\n[run]", "unknown fields: runs"),
        ("steps = 40", "steps = 0", "schedule.steps is 0"),
        ("steps = 40", 'steps = "many"', "steps"),
        ("steps = 40", "", "lacks the fields steps"),
        ("codes = 64", "codes = 63", "power of two"),
        ("[quantizer]", "[network]\nlayers=1\nheads=1\nwidth=8\n[quantizer]", "no table [network]"),
        ("side_pixels = 32", "side_pixels = 30", "multiple of 8"),
        ("learning_rate = 3e-3", "learning_rate = nan", "learning_rate is nan"),
        ('task = "lpq"', 'task = "lpz"', "lpz"),
        ("[run]", "[run", "no TOML"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, fault: str) -> None:
    text = (CONFIGS / "tiny-lpq-rgb.toml").read_text()
    assert old in text
    path = tmp_path / "run.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InvalidInput) as found:
        read_config(path)
    assert fault in str(found.value)
    assert "\n" not in str(found.value)


def test_only_what_changes_learning_counts_as_changed() -> None:
    config = tiny("lras-rgb")
    assert changed(config, replace(config, run=replace(config.run, log_every_steps=7))) == []
    assert changed(config, tiny("lras-rgb", steps=80)) == []
    assert changed(config, tiny("lras-rgb", batch_size=2)) == ["schedule.batch_size"]
    assert changed(config, replace(config, run=replace(config.run, seed=1))) == ["run.seed"]
