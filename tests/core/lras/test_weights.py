import argparse
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lras_networks import SMALL, network
from safetensors.torch import load_file, save_file

from core.errors import EditorError, InvalidInput
from core.lras import checkpoint, int8, weights
from core.lras.config import (
    CAMERA_FLOW_1B,
    RGB_FLOW_7B,
    QuantizerConfig,
    ResBlock,
    TransformerConfig,
    Upsample,
)
from core.lras.int8 import quantise_linears
from core.lras.quantizer import Quantizer
from core.lras.saving import save_quantizer, save_transformer
from core.lras.transformer import Transformer
from core.lras.weights import inspect, load_quantizer, load_transformer

TINY_LPQ = QuantizerConfig(
    64, 3, (ResBlock(12, 24, 1),), (ResBlock(12, 24, 3), Upsample(12, 8), Upsample(8, 4), ResBlock(4, 8, 3))
)


def tiny(dtype: torch.dtype = torch.float32) -> Transformer:
    return network(SMALL, dtype)


def scores(model: Transformer) -> torch.Tensor:
    tokens = torch.arange(12)[None]
    return model.logits(model(tokens, tokens))


def write_official(path: Path, changes: dict[str, Any] | None = None, **tensors: torch.Tensor | None) -> Path:
    """A made-up released file; a tensor given as None is left out."""
    model = {**tiny().state_dict(), **tensors}
    stored = {"cfg": SMALL.as_cfg(), "model": {name: t for name, t in model.items() if t is not None}}
    torch.save({**stored, **(changes or {})}, path)
    return path


def at_table_sizes(config: TransformerConfig, path: Path, **cfg: Any) -> Path:
    """A released file with that layout's tables and a two-wide network, with nothing but `cfg` said of it."""
    narrow = replace(config, n_layer=1, n_head=1, n_embd=2)
    torch.save({"cfg": cfg, "model": Transformer(narrow).half().state_dict()}, path)
    return path


@pytest.mark.parametrize("name", ["rgbflow_small", "campose_small", "rgbflow_full", "campose_full"])
def test_released_transformers_load(shared_folder, name):
    path = shared_folder / "spec" / "golden" / f"lras_{name}_ckpt.pt"
    stored = torch.load(path, weights_only=True)["model"]
    for dtype, expected in ((None, torch.float16), (torch.float32, torch.float32), (torch.float64, torch.float64)):
        model = load_transformer(path, dtype)
        assert model.dtype == expected
        assert all(torch.equal(weight, stored[key].to(expected)) for key, weight in model.state_dict().items())
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())
    assert inspect(path).parameters == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize("name", ["rgb", "flow"])
def test_released_quantizers_load(shared_folder, name):
    folder = shared_folder / "spec" / "golden"
    io = torch.load(folder / f"lpq_{name}_io.pt", weights_only=True)
    quantizer = load_quantizer(folder / f"lpq_{name}_ckpt.pt")
    assert torch.equal(quantizer.encode(io["input_normalised"]), io["indices"])
    assert torch.allclose(quantizer.decode(io["indices"]), io["decoded"], rtol=0, atol=1e-4)


def test_the_trainers_other_names_and_entries_are_accepted(tmp_path):
    state = {
        f"_orig_mod.{key}".replace(".h.0.", ".h.0._orig_mod."): value for key, value in tiny().state_dict().items()
    }
    cfg = {**SMALL.as_cfg(), "config_class": "os.system", "model_type": "a.b", "flow_range": tuple(SMALL.flow_range)}
    torch.save(
        {"config": cfg, "weights": state, "args": argparse.Namespace(lr=1.0), "optimizer": {"step": torch.ones(3)}},
        tmp_path / "model.pt",
    )
    assert torch.equal(scores(load_transformer(tmp_path / "model.pt")), scores(tiny()))


@pytest.mark.parametrize(("config", "width", "heads"), [(RGB_FLOW_7B, 4096, 32), (CAMERA_FLOW_1B, 1280, 20)])
def test_a_layout_that_cfg_does_not_tell_is_told_by_the_tables(tmp_path, config, width, heads):
    path = at_table_sizes(config, tmp_path / "model.pt", n_head=1)
    summary = inspect(path)
    assert summary.config == replace(config, n_layer=1, n_head=1, n_embd=2)
    assert summary.ranges_from == "shapes"
    with pytest.raises(InvalidInput, match="n_head"):
        inspect(at_table_sizes(config, path))
    entries = {
        "transformer.token_embedding.weight": checkpoint.Entry((config.vocab_size, width), torch.float16),
        "transformer.positional_embedding.weight": checkpoint.Entry((config.block_size, width), torch.float16),
    }
    assert checkpoint.read_config(path, {"n_layer": 3}, entries)[0] == replace(config, n_layer=3, n_head=heads)


def test_the_files_own_ranges_come_before_the_tables(tmp_path):
    own = (67590, 68096)
    summary = inspect(at_table_sizes(RGB_FLOW_7B, tmp_path / "model.pt", n_head=1, flow_range=own))
    assert summary.config.flow_range == own


def test_a_network_of_pictures_only_is_told_by_its_tables(tmp_path):
    model = {
        name: table[:rows]
        for (name, table), rows in zip(
            Transformer(replace(RGB_FLOW_7B, n_layer=1, n_head=1, n_embd=2)).half().state_dict().items(),
            (67584, 10240, *[None] * 7, 67584),
            strict=True,
        )
    }
    torch.save({"cfg": {"n_head": 1}, "model": model}, tmp_path / "model.pt")
    summary = inspect(tmp_path / "model.pt")
    assert summary.layout == "RGB only"
    assert summary.config.frame_1_rgb_pos_range == (5120, 10240)


@pytest.mark.parametrize("dtype", [None, torch.float32, torch.bfloat16])
def test_a_saved_network_comes_back(tmp_path, dtype):
    save_transformer(tiny(), tmp_path / "new" / "model", dtype)
    model = load_transformer(tmp_path / "new" / "model")
    expected = tiny().to(dtype or torch.float32)
    assert model.config == SMALL
    assert torch.equal(scores(model), scores(expected))
    assert inspect(tmp_path / "new" / "model").dtypes == (str(dtype or torch.float32).removeprefix("torch."),)
    assert sorted(path.name for path in (tmp_path / "new" / "model").iterdir()) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("when", ["loading", "saving", "both"])
def test_int8_is_the_same_made_early_or_late(tmp_path, when, monkeypatch):
    monkeypatch.setattr(int8, "_SMALLEST_PART", 300)
    expected = tiny(torch.bfloat16)
    quantise_linears(expected)
    if when == "loading":
        model = load_transformer(write_official(tmp_path / "model.pt"), torch.int8)
    else:
        source = tiny() if when == "saving" else load_transformer(write_official(tmp_path / "m.pt"), torch.int8)
        save_transformer(source, tmp_path / "model", torch.int8 if when == "saving" else None)
        model = load_transformer(tmp_path / "model")
        assert inspect(tmp_path / "model").parameters == SMALL.parameter_count
    assert torch.equal(scores(model), scores(expected))
    assert model.dtype == torch.bfloat16


def test_stored_int8_stays_so_in_any_precision(tmp_path):
    save_transformer(tiny(), tmp_path / "model", torch.int8)
    model = load_transformer(tmp_path / "model", torch.float32)
    assert (model.dtype, model.lm_head.weight.dtype, model.lm_head.scale.dtype) == (
        torch.float32, torch.int8, torch.float32,
    )  # fmt: skip
    assert (scores(model) - scores(tiny())).abs().max() < 0.1 * scores(tiny()).std()


def test_a_saved_quantizer_comes_back(tmp_path):
    torch.manual_seed(1)
    quantizer = Quantizer(TINY_LPQ).eval()
    save_quantizer(quantizer, tmp_path / "lpq")
    loaded = load_quantizer(tmp_path / "lpq")
    images = torch.randn(1, 3, 16, 16)
    codes = loaded.encode(images)
    assert torch.equal(codes, quantizer.encode(images))
    assert torch.allclose(loaded.decode(codes), quantizer.decode(codes), atol=1e-6)
    summary = inspect(tmp_path / "lpq")
    assert (summary.kind, summary.layout) == ("quantizer", "RGB, 64 codes")
    assert summary.parameters == sum(weight.numel() for weight in quantizer.parameters())


def test_a_failed_save_leaves_the_earlier_checkpoint(tmp_path, monkeypatch):
    save_transformer(tiny(), tmp_path / "model")
    monkeypatch.setattr(os, "fsync", _full_disk)
    with pytest.raises(EditorError, match="make room"):
        save_transformer(network(SMALL, torch.float32, seed=9), tmp_path / "model")
    assert torch.equal(scores(load_transformer(tmp_path / "model")), scores(tiny()))
    assert len(list((tmp_path / "model").iterdir())) == 2


def _full_disk(*_):
    raise OSError(28, "No space left on device")


HEAD = "lm_head.weight"
NAN = torch.full((SMALL.vocab_size, SMALL.n_embd), float("nan"))


@pytest.mark.parametrize(
    ("changes", "tensors", "words"),
    [
        ({}, {HEAD: None}, r"lacks lm_head\.weight"),
        ({}, {"extra.weight": torch.ones(1)}, r"unknown extra\.weight"),
        ({}, {HEAD: torch.ones(3, 32)}, r"lm_head\.weight is 3x32 instead of"),
        ({}, {HEAD: NAN.int()}, r"lm_head\.weight is torch\.int32 instead of a float"),
        ({}, {HEAD: NAN}, r"lm_head\.weight holds NaN"),
        ({}, {HEAD: torch.full_like(NAN, float("inf"))}, r"lm_head\.weight holds NaN or inf"),
        ({}, {"transformer.token_embedding.weight": torch.ones(4)}, "1 axes"),
        ({}, {f"_orig_mod.{HEAD}": NAN}, "twice"),
        ({"cfg": {**SMALL.as_cfg(), "n_layer": 3}}, {}, "lacks transformer.h.2"),
        ({"cfg": {**SMALL.as_cfg(), "n_layer": 10**9}}, {}, "n_layer"),
        ({"cfg": {**SMALL.as_cfg(), "rgb_range": "a"}}, {}, "rgb_range"),
        ({"cfg": {}}, {}, "n_head"),
        ({"cfg": 5}, {}, "cfg is no dict"),
        ({"model": {"layer.weight": torch.ones(2)}}, {}, r"another model.*layer\.weight"),
        ({"model": {"layer": [1]}}, {}, "no plain tensor"),
        ({"model": None}, {}, "lacks a dict named model"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(tmp_path, changes, tensors, words):
    path = write_official(tmp_path / "model.pt", changes, **tensors)
    with pytest.raises(InvalidInput, match=words) as refused:
        load_transformer(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("cfg", "words"),
    [
        ({"encoder_blocks": 5}, "expected a list of blocks"),
        ({"vocab_size": 0}, "vocab_size is 0"),
        ({"encoder_blocks": [("ResBlock", 12, 12, -4, 1, 1, 0)]}, "no network has the sizes"),
        ({"encoder_blocks": [("ResBlock", 12, 12, 10**30, 1, 1, 0)]}, "no network has the sizes"),
        ({"num_in_channels": 2, "num_out_channels": 2}, r"encoder\.0\.weight is 12x3x4x4 instead of 12x2x4x4"),
    ],
)
def test_a_quantizers_impossible_sizes_are_refused(tmp_path, cfg, words):
    model = Quantizer(TINY_LPQ).state_dict()
    torch.save({"cfg": {**TINY_LPQ.as_cfg(), **cfg}, "model": model}, tmp_path / "lpq.pt")
    with pytest.raises(InvalidInput, match=words):
        load_quantizer(tmp_path / "lpq.pt")


def test_a_quantizer_with_other_bit_values_is_refused(tmp_path):
    model = {**Quantizer(TINY_LPQ).state_dict(), "quantizer.mask": 2 ** torch.arange(6)}
    torch.save({"cfg": TINY_LPQ.as_cfg(), "model": model}, tmp_path / "lpq.pt")
    with pytest.raises(InvalidInput, match="powers of two"):
        load_quantizer(tmp_path / "lpq.pt")


def test_a_checkpoint_of_the_other_kind_is_refused(tmp_path):
    save_quantizer(Quantizer(TINY_LPQ), tmp_path / "lpq")
    with pytest.raises(InvalidInput, match="is a quantizer"):
        load_transformer(tmp_path / "lpq")
    with pytest.raises(InvalidInput, match="is a transformer"):
        load_quantizer(write_official(tmp_path / "model.pt"))


class RunsACommand:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_code_in_a_checkpoint_is_named_and_never_run(tmp_path):
    path = write_official(tmp_path / "model.pt", {"args": RunsACommand(tmp_path / "ran")})
    with pytest.raises(InvalidInput, match=r"the code \w+\.mkdir"):
        load_transformer(path)
    assert not (tmp_path / "ran").exists()


def test_a_file_cut_off_or_damaged_anywhere_is_refused_in_one_sentence(tmp_path):
    whole = write_official(tmp_path / "whole.pt").read_bytes()
    path = tmp_path / "model.pt"
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidInput, match="truncated"):
            load_transformer(path)
    pickled = whole.index(b"ctorch._utils") - 300
    refused = 0
    for place in range(pickled, pickled + 600, 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            load_transformer(path)
        except InvalidInput as error:
            refused += "\n" not in str(error)
    assert refused > 20


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "model.pt"
    for content in (torch.ones(3), [1, 2]):
        torch.save(content, path)
        with pytest.raises(InvalidInput, match="no dict"):
            load_transformer(path)
    torch.save({"model": {}}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(InvalidInput, match="another format"):
        load_transformer(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "text")
    with pytest.raises(InvalidInput, match="another format"):
        load_transformer(path)
    with pytest.raises(InvalidInput, match="no checkpoint"):
        load_transformer(tmp_path / "absent.pt")
    with pytest.raises(InvalidInput, match="no checkpoint folder"):
        load_transformer(tmp_path)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (b"\xff", "no JSON"),
        (b"[1]", "lacks cfg"),
        (b'{"cfg": {}}', "lacks cfg or dtype"),
        (b"[" + b"[]," * 400_000 + b"[]]", "at most 1 MB"),
    ],
)
def test_a_damaged_description_is_refused(tmp_path, config, words):
    save_transformer(tiny(), tmp_path)
    (tmp_path / "config.json").write_bytes(config)
    with pytest.raises(InvalidInput, match=words):
        load_transformer(tmp_path)


def test_a_damaged_safetensors_file_is_refused(tmp_path):
    save_transformer(tiny(), tmp_path)
    path = tmp_path / "model.safetensors"
    whole = path.read_bytes()
    for content in (b"", whole[:7], whole[:1000], whole[:-1]):
        path.write_bytes(content)
        with pytest.raises(InvalidInput, match="damaged"):
            load_transformer(tmp_path)
    save_file({"a": torch.ones(2, dtype=torch.uint8)}, path)
    with pytest.raises(InvalidInput, match="unknown type"):
        load_transformer(tmp_path)
    path.unlink()
    with pytest.raises(InvalidInput, match="missing"):
        load_transformer(tmp_path)


def test_a_description_that_never_ends_is_not_read(tmp_path):
    save_transformer(tiny(), tmp_path)
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").symlink_to("/dev/zero")
    with pytest.raises(InvalidInput, match="at most 1 MB"):
        load_transformer(tmp_path)


def test_int8_tensors_need_an_int8_description(tmp_path):
    save_transformer(tiny(), tmp_path, torch.int8)
    described = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**described, "dtype": "float32"}))
    with pytest.raises(InvalidInput, match="unknown"):
        load_transformer(tmp_path)
    assert "transformer.h.0.mlp.c_fc.scale" in load_file(tmp_path / "model.safetensors")


def test_too_little_memory_is_told_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "free_bytes", lambda device: 20_000)
    path = write_official(tmp_path / "model.pt", **{HEAD: NAN})
    with pytest.raises(InvalidInput, match=r"needs 0\.0 GB of memory and 0\.0 GB are free"):
        load_transformer(path)
