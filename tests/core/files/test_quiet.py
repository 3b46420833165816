"""Damaged files print nothing but the one sentence; what others print meanwhile comes out."""

import io
import logging
import os
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from carried import chunk
from PIL import Image

from core.files.exr import encode_exr
from core.files.quiet import decoding

_READ = """
import sys
from pathlib import Path
from core.errors import InvalidInput
from core.files.depth import read_depth
from core.files.photo import open_photo
for path in map(Path, sys.argv[1:]):
    try:
        (read_depth if path.suffix in (".exr", ".16") else open_photo)(path)
    except InvalidInput:
        print(path.name)
"""
ROOT = Path(__file__).resolve().parents[3]


def _png(bits: int, packed: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 40, bits, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _damaged() -> dict[str, bytes]:
    """Sound headers and broken pictures."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    files = {}
    for kind, options in (("JPEG", {}), ("WEBP", {}), ("TIFF", {"compression": "tiff_adobe_deflate"}), ("HEIF", {})):
        stream = io.BytesIO()
        Image.fromarray(noise).save(stream, kind, **options)
        data = bytearray(stream.getvalue())
        middle = len(data) // 2
        data[middle : middle + 40] = bytes(255 - value for value in data[middle : middle + 40])
        files[f"changed.{kind}"] = bytes(data)
        files[f"cut.{kind}"] = bytes(data[: len(data) * 2 // 3])
    rows = zlib.compress(bytes(81) * 40)
    files["broken.16"] = _png(16, rows[:8] + b"\xff" * 20 + rows[28:])
    files["broken.png"] = _png(8, rows[:8] + b"\xff" * 20 + rows[28:])
    files["filter.16"] = _png(16, zlib.compress(b"\x09" * 81 * 40))
    plane = np.random.default_rng(1).random((40, 40), np.float32)
    exr = bytearray(encode_exr({"Z": plane}))
    exr[-200:-100] = b"\xff" * 100
    return files | {"changed.exr": bytes(exr), "cut.exr": bytes(exr[:-300])}


def test_damaged_pictures_of_every_format_print_nothing(tmp_path: Path) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    files = _damaged()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    paths = [str(tmp_path / name) for name in files]
    done = subprocess.run([sys.executable, "-c", _READ, *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert {"cut.TIFF", "broken.16", "cut.exr"} <= set(done.stdout.split())


def test_what_decoders_print_is_logged_and_the_rest_comes_out(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with decoding():
        os.write(2, b"libpng error: bad\nThe studio runs at 127.0.0.1.\n")
    os.write(2, b"Afterwards.\n")
    assert capfd.readouterr().err == "The studio runs at 127.0.0.1.\nAfterwards.\n"
    assert caplog.messages == ["libpng error: bad"]


def test_several_threads_decode_at_once_and_leave_stderr_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    def decode() -> None:
        for _ in range(50):
            with decoding(), decoding():
                os.write(2, b"ZIPDecode: bad\n")

    before = os.fstat(2)
    threads = [threading.Thread(target=decode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (before.st_dev, before.st_ino) == (os.fstat(2).st_dev, os.fstat(2).st_ino)
    os.write(2, b"Afterwards.\n")
    assert capfd.readouterr().err == "Afterwards.\n"


def test_a_stderr_that_nobody_reads_is_no_fault_of_the_file() -> None:
    code = """
import os
from core.files.quiet import decoding
read_end, write_end = os.pipe()
os.dup2(write_end, 2)
own = os.fstat(write_end).st_ino
os.close(write_end)
os.close(read_end)
with decoding():
    os.write(2, b"The studio runs at 127.0.0.1.\\n")
print(os.fstat(2).st_ino == own)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
