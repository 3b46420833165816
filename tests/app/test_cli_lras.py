"""`launch.py lras`: what is typed, what is printed, what is written."""

import json
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from lras_networks import SMALL, network

from app import cli
from core.files.weights import read_manifest
from core.lras.config import QuantizerConfig, ResBlock, Upsample
from core.lras.quantizer import Quantizer
from core.lras.saving import save_quantizer
from core.lras.weights import load_transformer


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    path = tmp_path / "released.pt"
    torch.save({"cfg": SMALL.as_cfg(), "model": network(dtype=torch.float32).state_dict()}, path)
    return str(path)


@pytest.fixture
def quantizer(tmp_path: Path) -> str:
    blocks = (ResBlock(8, 8, 3), Upsample(8, 4), Upsample(4, 4))
    save_quantizer(Quantizer(QuantizerConfig(16, 3, (ResBlock(8, 8, 1),), blocks)), tmp_path / "lpq")
    return str(tmp_path / "lpq")


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """Serves every released file's address with a few bytes."""
    for file in read_manifest().files:
        (tmp_path / "mirror" / file.path).parent.mkdir(parents=True)
        (tmp_path / "mirror" / file.path).write_bytes(file.name.encode())

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "mirror")))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def lras(*words: str) -> int:
    return cli.main(["lras", *words])


def test_inspect_says_what_a_checkpoint_holds(checkpoint, quantizer, capsys):
    assert lras("inspect", checkpoint) == 0
    printed = capsys.readouterr().out
    assert "transformer (RGB + binned flow)" in printed
    assert f"{SMALL.parameter_count:,}" in printed
    assert "32x32 pixels, 16 patches" in printed
    assert lras("inspect", "--json", quantizer) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["dtypes"], found["config"]["vocab_size"]) == ("quantizer", ["float32"], 16)


@pytest.mark.parametrize(("words", "dtype"), [((), torch.float32), (("--dtype", "bf16"), torch.bfloat16)])
def test_convert_keeps_the_network(checkpoint, tmp_path, capsys, words, dtype):
    assert lras("convert", checkpoint, "-o", str(tmp_path / "out"), *words) == 0
    converted, expected = load_transformer(tmp_path / "out").state_dict(), network(dtype=torch.float32).state_dict()
    assert all(torch.equal(converted[name], weight.to(dtype)) for name, weight in expected.items())


def test_convert_replaces_a_checkpoint_only_when_told(checkpoint, tmp_path, capsys):
    out = str(tmp_path / "out")
    assert lras("convert", checkpoint, "-o", out) == 0
    before = (tmp_path / "out" / "model.safetensors").read_bytes()
    for source, extra in ((checkpoint, ()), (out, ("--overwrite",))):
        assert lras("convert", source, "-o", out, "--dtype", "int8", *extra) == 2
        assert (tmp_path / "out" / "model.safetensors").read_bytes() == before
    assert lras("convert", checkpoint, "-o", out, "--dtype", "int8", "--overwrite") == 0
    assert (tmp_path / "out" / "model.safetensors").read_bytes() != before


def test_convert_to_int8_is_said(checkpoint, tmp_path, capsys):
    assert lras("convert", checkpoint, "-o", str(tmp_path / "out"), "--dtype", "int8") == 0
    assert "bfloat16, int8" in capsys.readouterr().out


def test_quantizers_stay_in_float32(quantizer, tmp_path, capsys):
    assert lras("convert", quantizer, "-o", str(tmp_path / "out"), "--dtype", "bf16") == 2
    assert "leave out --dtype" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert lras("convert", quantizer, "-o", str(tmp_path / "out")) == 0


def test_a_file_that_is_no_checkpoint_gives_one_line(tmp_path, capsys):
    (tmp_path / "photo.pt").write_bytes(b"no checkpoint")
    for words in (("inspect",), ("convert", "-o", str(tmp_path / "out"))):
        assert lras(words[0], str(tmp_path / "photo.pt"), *words[1:]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_download_shows_the_licence_and_fetches_the_group(mirror, tmp_path, capsys):
    assert lras("download", "quantizers", "--mirror", mirror, "--folder", str(tmp_path / "w"), "--yes") == 0
    printed = capsys.readouterr().out
    assert printed.index("Licence: MIT") < printed.index(str(tmp_path / "w" / "rgb_quantizer"))
    assert (tmp_path / "w" / "flow_quantizer" / "flow_quantizer.pt").read_text() == "flow_quantizer"
    assert sorted(path.name for path in (tmp_path / "w").iterdir()) == ["flow_quantizer", "rgb_quantizer"]


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("", 2), ("no", 2)])
def test_download_asks_on_a_terminal(mirror, tmp_path, monkeypatch, answer, code):
    monkeypatch.setenv("LRAS_WEIGHTS", str(tmp_path / "w"))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert lras("download", "1b", "--mirror", mirror) == code
    assert (tmp_path / "w" / "flow_predictor" / "flow_predictor.pt").exists() == (code == 0)


def test_download_without_a_terminal_needs_yes(mirror, tmp_path, capsys):
    assert lras("download", "7b", "--mirror", mirror, "--folder", str(tmp_path / "w")) == 2
    assert "add --yes" in capsys.readouterr().err
    assert not (tmp_path / "w").exists()


def test_every_group_of_the_manifest_can_be_asked_for():
    from app.commands.lras import GROUPS

    assert read_manifest().groups == GROUPS
