import io
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from core.errors import InvalidInput
from core.files.embedded_depth import depth_from_levels, embedded_depth

LEVELS = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def boxes(data: bytes) -> dict[bytes, bytes]:
    """Bodies of the boxes in `data` by kind (the last of each kind)."""
    found, place = {}, 0
    while place < len(data):
        size = struct.unpack_from(">I", data, place)[0]
        found[data[place + 4 : place + 8]] = data[place + 8 : place + size]
        place += size
    return found


def heic_with_depth() -> bytes:
    """Two HEIC pictures of which the second is declared the first one's auxiliary depth."""
    heif = pillow_heif.from_pillow(Image.new("RGB", (64, 64), "red"))
    heif.add_from_pillow(Image.fromarray(LEVELS))
    stream = io.BytesIO()
    heif.save(stream, quality=-1)
    top = boxes(stream.getvalue())
    meta = boxes(top[b"meta"][4:])
    properties = boxes(meta[b"iprp"])
    count = len(list(_walk(properties[b"ipco"])))
    properties[b"ipco"] += box(b"auxC", b"\0\0\0\0urn:mpeg:hevc:2015:auxid:2\0")
    entries = bytearray(properties[b"ipma"])
    second = entries.index(b"\0\2", 8)
    entries[second + 2] += 1
    properties[b"ipma"] = bytes(entries) + bytes([count + 1])
    meta[b"iprp"] = b"".join(box(kind, body) for kind, body in properties.items())
    meta[b"iref"] = b"\0\0\0\0" + box(b"auxl", struct.pack(">HHH", 2, 1, 1))
    grown = sum(8 + len(body) for body in meta.values()) + 4 - len(top[b"meta"])
    locations = bytearray(meta[b"iloc"])
    for item in range(2):
        place = 8 + item * 18 + 4
        struct.pack_into(">I", locations, place, struct.unpack_from(">I", locations, place)[0] + grown)
    meta[b"iloc"] = bytes(locations)
    top[b"meta"] = b"\0\0\0\0" + b"".join(box(kind, body) for kind, body in meta.items())
    return b"".join(box(kind, body) for kind, body in top.items())


def _walk(data: bytes):
    place = 0
    while place < len(data):
        yield data[place + 4 : place + 8]
        place += struct.unpack_from(">I", data, place)[0]


def test_heic_auxiliary_depth_is_read_as_inverse_depth():
    depth = embedded_depth(heic_with_depth())
    assert depth is not None
    assert depth.scale == "affine"
    assert (depth.width, depth.height) == (64, 64)
    assert depth.valid.all()
    assert np.abs(depth.values - (LEVELS.astype(float) + 1) / 255).max() < 0.02


def test_files_without_depth_give_none(tmp_path):
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 64))).save(stream)
    assert embedded_depth(stream.getvalue()) is None
    path = tmp_path / "photo.png"
    Image.new("RGB", (4, 4)).save(path)
    assert embedded_depth(path) is None


def test_damaged_file_gets_one_sentence():
    with pytest.raises(InvalidInput, match="damaged"):
        embedded_depth(heic_with_depth()[:300])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_ranges_make_depth_metric(dtype):
    levels = np.array([[0, np.iinfo(dtype).max]], dtype)
    inverse = depth_from_levels(levels, {"representation_type": 0, "z_near": 0.5, "z_far": 8.0})
    plain = depth_from_levels(levels, {"representation_type": 2, "z_near": 0.5, "z_far": 8.0})
    assert inverse.scale == plain.scale == "metric"
    assert inverse.values[0].tolist() == pytest.approx([8.0, 0.5])
    assert plain.values[0].tolist() == pytest.approx([0.5, 8.0])


def test_unknown_representations_are_refused():
    for metadata in ({"representation_type": 3}, {"representation_type": 2}):
        with pytest.raises(InvalidInput, match="depth"):
            depth_from_levels(np.zeros((2, 2), np.uint8), metadata)
