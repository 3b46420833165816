"""Damaged files by seed: small sound ones of every kind that is read, and what may happen to them."""

import io
import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

from core.files.cameras import read_pose_text, read_transforms
from core.files.depth import encode_depth_exr, encode_depth_npy, encode_depth_png, read_depth
from core.files.edits import read_edits
from core.files.embedded_depth import embedded_depth
from core.files.exr import encode_exr
from core.files.flow import encode_flo, encode_flow_exr, read_flow
from core.files.mask import encode_mask, read_mask
from core.files.npy import encode_npy
from core.files.photo import open_photo
from core.files.picture import Picture, encode_picture_png, encode_picture_tiff
from core.files.png import SIGNATURE, chunks
from core.files.project import load_project, save_project
from core.types.camera import Camera, Intrinsics
from core.types.depth import DepthMap
from core.types.flow import FlowField
from core.types.mask import Mask
from core.types.photo import Photo
from core.types.project import Project
from core.types.scene import Scene, SceneObject

WIDTH, HEIGHT = 13, 9
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_WORDS = (b"NaN", b"1e400", b"-1", b"[[[[", b"{}", b"\\u0000", b"\\ud800", b"9" * 400, b"null", b"true", b"-" * 99)


@dataclass(frozen=True)
class Reader:
    """One of the program's readers, and sound files for it."""

    read: Callable[[bytes], object]
    sound: Callable[[], tuple[bytes, ...]]
    is_text: bool = False


def damaged(data: bytes, others: tuple[bytes, ...], is_text: bool, rng: np.random.Generator) -> bytes:
    """`data` with one to four things done to it, as `rng` says."""
    for _ in range(int(rng.integers(1, 5))):
        if not data:
            break
        data = _CHANGES[int(rng.integers(len(_CHANGES) - (not is_text)))](data, others, rng)
    return data


def _place(data: bytes, rng: np.random.Generator) -> int:
    """Anywhere, and half of the time among the first bytes, where headers are."""
    return int(rng.integers(min(len(data), 128) if rng.random() < 0.5 else len(data)))


def _flip(data: bytes, _others: tuple[bytes, ...], rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        changed[_place(data, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _cut(data: bytes, _others: tuple[bytes, ...], rng: np.random.Generator) -> bytes:
    return data[: _place(data, rng)]


def _splice(data: bytes, others: tuple[bytes, ...], rng: np.random.Generator) -> bytes:
    other = others[int(rng.integers(len(others)))]
    return data[: _place(data, rng)] + other[_place(other, rng) :]


def _extreme(data: bytes, _others: tuple[bytes, ...], rng: np.random.Generator) -> bytes:
    """A number of the header at the edge of its range: lengths, counts, sides."""
    kind = ("<H", ">H", "<I", ">I")[int(rng.integers(4))]
    size = struct.calcsize(kind)
    place = min(_place(data, rng), max(0, len(data) - size))
    value = _EXTREMES[int(rng.integers(len(_EXTREMES)))] & (256**size - 1)
    return data[:place] + struct.pack(kind, value) + data[place + size :]


def _repeat(data: bytes, _others: tuple[bytes, ...], rng: np.random.Generator) -> bytes:
    first, last = sorted((_place(data, rng), _place(data, rng)))
    return data[:last] + data[first:last] * int(rng.integers(1, 30)) + data[last:]


def _drop(data: bytes, _others: tuple[bytes, ...], rng: np.random.Generator) -> bytes:
    first, last = sorted((_place(data, rng), _place(data, rng)))
    return data[:first] + data[last:]


def _word(data: bytes, _others: tuple[bytes, ...], rng: np.random.Generator) -> bytes:
    """A word that parsers stumble over in place of a number or between two characters; for text alone."""
    place, word = _place(data, rng), _WORDS[int(rng.integers(len(_WORDS)))]
    end = place
    while end < len(data) and data[end : end + 1] in b"0123456789.-+e":
        end += 1
    return data[:place] + word + data[end:]


_CHANGES = (_flip, _cut, _splice, _extreme, _repeat, _drop, _word)


@cache
def _photo() -> Photo:
    pixels = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return Photo("p.png", pixels, pixels)


@cache
def _depth() -> DepthMap:
    values = np.random.default_rng(2).uniform(1, 9, (HEIGHT, WIDTH)).astype(np.float32)
    return DepthMap(values, np.ones(values.shape, bool), "metric", "test")


def _mask() -> Mask:
    return Mask(np.eye(HEIGHT, WIDTH, dtype=np.uint8) * np.uint8(255))


def _photos() -> tuple[bytes, ...]:
    image = Image.fromarray(_photo().pixels)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "words"
    exif.get_ifd(0x8769)[0xA405] = 28
    options = {"exif": exif.tobytes()}
    files = [_saved(image, kind, **options) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")]
    files += [_saved(image.convert(mode), "TIFF") for mode in ("1", "L", "P", "CMYK", "LAB")]
    files += [
        _saved(image.convert("P"), "PNG"),
        _saved(image.convert("LA"), "PNG"),
        _saved(image, "JPEG", progressive=True),
    ]
    deep = Picture(_photo().pixels.astype(np.uint16) * np.uint16(257))
    return (*files, encode_picture_png(deep), encode_picture_tiff(deep), _heif(image))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _heif(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream)
    return stream.getvalue()


def _depths() -> tuple[bytes, ...]:
    half = np.where(np.eye(HEIGHT, WIDTH), 65504, 2).astype(np.float16)
    return encode_depth_png(_depth()), encode_depth_exr(_depth()), encode_depth_npy(_depth()), encode_npy(half)


def _masks() -> tuple[bytes, ...]:
    labels = Image.frombytes("P", (WIDTH, HEIGHT), np.eye(HEIGHT, WIDTH, dtype=np.uint8).tobytes())
    labels.putpalette([0, 0, 0, 128, 0, 0])
    share = np.linspace(0, 1, WIDTH * HEIGHT, dtype=np.float32).reshape(HEIGHT, WIDTH)
    pictures = (_saved(labels, "PNG"), _saved(Image.fromarray(share), "TIFF"))
    return encode_mask(_mask()), *pictures, encode_npy(share), encode_exr({"Y": share})


def _flows() -> tuple[bytes, ...]:
    field = FlowField(np.ones((HEIGHT, WIDTH, 2), np.float32), *(np.ones((HEIGHT, WIDTH), bool) for _ in range(2)))
    return encode_flo(field), encode_flow_exr(field)


def _projects() -> tuple[bytes, ...]:
    intrinsics = Intrinsics(10.0, 11.0, 6.0, 4.0, WIDTH, HEIGHT)
    item = SceneObject("a", "A", _mask(), (0.1, 0.2, 3.0))
    whole = Project(_photo(), _depth(), Scene(intrinsics, Camera(intrinsics), None, (item,)))
    return save_project(whole), save_project(Project(_photo(), _depth(), Scene(intrinsics, Camera(intrinsics))))


def _indices() -> tuple[bytes, ...]:
    with zipfile.ZipFile(io.BytesIO(_projects()[0])) as archive:
        return (archive.read("project.json"),)


def _with_index(index: bytes) -> object:
    """A project whose blobs are sound and whose index is this."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_projects()[0])) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, index if name == "project.json" else old.read(name))
    return load_project(stream.getvalue())


def _edits() -> tuple[bytes, ...]:
    listed = [
        {"edit": "PlaceObject", "object_id": "a", "placement": {"translation": [0.1, 0, 0], "rotation_deg": [1, 2, 3]}},
        {"edit": "HideObject", "object_id": "a"},
        {"edit": "AddObject", "object_id": "b", "mask": {"file": "mask.png"}, "label": "B"},
    ]
    return (json.dumps(listed).encode(),)


def _cameras() -> tuple[bytes, ...]:
    shot = {"file_path": "a.png", "w": 13, "h": 9, "fl_x": 10.0, "cx": 6.5, "cy": 4.5}
    return (json.dumps({"frames": [shot | {"transform_matrix": np.eye(4).tolist()}]}).encode(),)


def _poses() -> tuple[bytes, ...]:
    return ("\n".join(" ".join(map(str, row)) for row in np.eye(4)).encode(),)


def _packed() -> tuple[bytes, ...]:
    """PNG bodies that are packed again after damage, so that it reaches what lies behind the checksums."""
    return (zlib.decompress(b"".join(_bodies(_photos()[1]))),)


def _bodies(data: bytes) -> list[bytes]:
    return [body for kind, body in chunks(data) if kind == b"IDAT"]


def _with_body(rows: bytes) -> object:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return open_photo(b"".join([SIGNATURE, *parts]))


def _by_path(read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """A reader that wants a path; a sound mask lies beside it."""

    def reading(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "given"
            path.write_bytes(data)
            (path.parent / "mask.png").write_bytes(encode_mask(_mask()))
            return read(path)

    return reading


READERS: Mapping[str, Reader] = {
    "photo": Reader(open_photo, _photos),
    "png-rows": Reader(_with_body, _packed),
    "embedded-depth": Reader(embedded_depth, _photos),
    "depth": Reader(read_depth, _depths),
    "mask": Reader(lambda data: read_mask(data, WIDTH, HEIGHT), _masks),
    "flow": Reader(read_flow, _flows),
    "project": Reader(load_project, _projects),
    "project-index": Reader(_with_index, _indices, is_text=True),
    "edits": Reader(_by_path(lambda path: read_edits(path, WIDTH, HEIGHT)), _edits, is_text=True),
    "cameras": Reader(read_transforms, _cameras, is_text=True),
    "pose": Reader(_by_path(read_pose_text), _poses, is_text=True),
}


def case(name: str, seed: int) -> bytes:
    """The damaged file of that seed for a reader of `READERS`."""
    reader = READERS[name]
    rng = np.random.default_rng(seed)
    sound = _sound(name)
    return damaged(sound[int(rng.integers(len(sound)))], sound, reader.is_text, rng)


@cache
def _sound(name: str) -> tuple[bytes, ...]:
    return READERS[name].sound()
