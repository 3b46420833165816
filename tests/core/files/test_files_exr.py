"""EXR channels: what is chosen comes back, what is damaged is refused and not filled up."""

import struct

import numpy as np
import pytest

from core.errors import InvalidInput, NotEnoughMemory
from core.files.exr import decode_exr, encode_exr

PLANES = {name: np.random.default_rng(3).normal(size=(40, 30)).astype(np.float32) for name in ("Z", "A", "layer.R")}
DATA = encode_exr(PLANES)


def test_channels_come_back_all_or_chosen() -> None:
    assert all(np.array_equal(plane, PLANES[name]) for name, plane in decode_exr(DATA, "a.exr").items())
    assert [*decode_exr(DATA, "a.exr", lambda names: [name for name in names if "Z" in name])] == ["Z"]


@pytest.mark.parametrize("back", [100, 1000, 5000])
def test_a_damaged_block_is_not_left_out_in_silence(back: int, capfd: pytest.CaptureFixture[str]) -> None:
    damaged = bytearray(DATA)
    damaged[-back] ^= 0xFF
    damaged[-back + 1] ^= 0x1F
    with pytest.raises(InvalidInput, match="not a readable EXR"):
        decode_exr(bytes(damaged), "a.exr")
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("length", [0x7FFFFFFF, 0xFFFFFFFF, 100_000])
def test_an_attribute_longer_than_the_file_is_refused(length: int) -> None:
    place = DATA.index(b"pixelAspectRatio\0float\0") + len(b"pixelAspectRatio\0float\0")
    with pytest.raises(InvalidInput, match="not a readable EXR"):
        decode_exr(DATA[:place] + struct.pack("<I", length) + DATA[place + 4 :], "a.exr")


def test_cost_is_asked_for_by_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.memory.free_bytes", lambda: 2 * 40 * 30 * 4)
    decode_exr(DATA, "a.exr", lambda names: ["Z"])
    with pytest.raises(NotEnoughMemory, match="3 channels"):
        decode_exr(DATA, "a.exr")


def test_a_short_file_holds_no_large_picture() -> None:
    window = struct.pack("<4i", 0, 0, 29, 39)
    large = struct.pack("<4i", 0, 0, 65_534, 1499)
    with pytest.raises(InvalidInput):
        decode_exr(DATA[:500].replace(window, large), "a.exr")
    with pytest.raises(InvalidInput, match="limit"):
        decode_exr(DATA.replace(window, struct.pack("<4i", 0, 0, 99_999, 9_999)), "a.exr")
