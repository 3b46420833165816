"""PNG pixels: values as stored, and files that cost more than they show."""

import struct
import zlib

import numpy as np
import pytest
from carried import chunk

from core.errors import InvalidInput, NotEnoughMemory
from core.files.png import SIGNATURE, encode_png
from core.files.reading.png_pixels import decode_png, png_header


def promising(width: int, height: int, *extra: bytes, bits: int = 16, colours: int = 6) -> bytes:
    """A short PNG that says it is large."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0))
    picture = chunk(b"IDAT", zlib.compress(bytes(3_000_000), 9))
    return b"".join([SIGNATURE, header, *extra, picture, chunk(b"IEND", b"")])


def decoded(data: bytes, name: str = "a.png") -> np.ndarray:
    return decode_png(data, png_header(data, name), name)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_values_come_back(dtype: type, channels: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 7, *channels), dtype, endpoint=True)
    assert np.array_equal(decoded(encode_png(values)), values)


def test_a_short_file_cannot_hold_a_large_picture() -> None:
    with pytest.raises(InvalidInput, match="damaged or cut short"):
        png_header(promising(10_000, 10_000), "a.png")


@pytest.mark.parametrize("kind", [b"IDAT", b"PLTE", b"tRNS"])
def test_a_chunk_that_says_it_is_longer_than_the_file_is_no_reason_to_make_room(kind: bytes) -> None:
    values = np.zeros((5, 7, 4), np.uint16)
    plain = encode_png(values)
    for length in (0x7FFFFFFF, 0xFFFFFFFF):
        with pytest.raises(InvalidInput, match="damaged or cut short"):
            png_header(plain[:-12] + struct.pack(">I", length) + kind + b"abc", "a.png")


def test_frames_of_an_animation_are_not_decoded() -> None:
    values = np.random.default_rng(0).integers(0, 65535, (5, 7, 4), np.uint16)
    plain = encode_png(values)
    frames = chunk(b"acTL", struct.pack(">II", 1000, 0))
    frames += chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 7, 5, 0, 0, 1, 1, 0, 0))
    texts = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10_000_000), 9))
    assert np.array_equal(decoded(plain[:33] + frames + texts + plain[33:]), values)


@pytest.mark.parametrize(("width", "height"), [(1, 100_000_000), (100_000_000, 1), (0, 5), (2**31, 2**31)])
def test_impossible_sides_are_refused(width: int, height: int) -> None:
    with pytest.raises(InvalidInput):
        decoded(promising(width, height))


def test_endless_chunks_are_refused() -> None:
    with pytest.raises(InvalidInput, match="damaged"):
        png_header(promising(10, 10, chunk(b"tEXt", b"") * 250_000), "a.png")


def test_little_memory_is_not_called_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = encode_png(np.zeros((500, 500, 4), np.uint16))
    monkeypatch.setattr("core.memory.free_bytes", lambda: 5_000_000)
    with pytest.raises(NotEnoughMemory, match=r"a\.png"):
        decoded(whole)


def test_memory_that_runs_out_while_decoding_is_not_called_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = encode_png(np.zeros((50, 50, 4), np.uint16))
    free = iter((10**9, 1000))
    monkeypatch.setattr("core.memory.free_bytes", lambda: next(free))
    monkeypatch.setattr("core.memory._SHEDDING", [])
    monkeypatch.setattr("cv2.imdecode", lambda *_: None)  # as OpenCV does without room
    with pytest.raises(NotEnoughMemory, match=r"a\.png"):
        decoded(whole)


def test_damage_is_one_sentence_and_no_words_of_the_decoder(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(encode_png(np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)))
    data[len(data) // 2] ^= 0xFF
    for damaged in (bytes(data), bytes(data[: len(data) // 2])):
        with pytest.raises(InvalidInput, match="damaged"):
            decoded(damaged, "depth.png")
    assert capfd.readouterr().err == ""
