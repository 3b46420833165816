import io
import zipfile
from pathlib import Path, PurePath
from typing import get_args

import numpy as np
import pytest

from core.errors import InvalidInput
from core.files.cameras import CameraPath, CameraShot, read_transforms
from core.files.depth import read_depth
from core.files.flow import read_flow
from core.files.formats import FORMATS, Kind, as_download, format_for, format_named, formats_of, own_format
from core.files.layers import Layer, LayerStack
from core.files.photo import open_photo
from core.files.picture import Picture
from core.files.project import load_project
from core.types.camera import Camera, Intrinsics
from core.types.depth import DepthMap
from core.types.flow import FlowField
from core.types.geometry import PointCloud, TexturedMesh
from core.types.mask import Mask
from core.types.peeled import Peeled, PeeledLayer
from core.types.photo import Photo
from core.types.project import Project
from core.types.scene import Scene

GRAY = np.full((6, 8, 3), 90, np.uint8)
INTRINSICS = Intrinsics(9.0, 9.0, 3.5, 2.5, 8, 6)
DEPTH = DepthMap(np.full((6, 8), 2, np.float32), np.ones((6, 8), bool), "metric", "test")
PHOTO = Photo("a", GRAY, GRAY)
VALUES = {
    "picture": Picture(GRAY),
    "depth": DEPTH,
    "cloud": PointCloud(np.ones((4, 3), np.float32), np.ones((4, 3), np.uint8)),
    "mesh": TexturedMesh(
        np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.int32), np.ones((3, 2), np.float32), GRAY
    ),
    "mask": Mask(GRAY[..., 0]),
    "confidence": Mask(GRAY[..., 0]),
    "flow": FlowField(np.ones((6, 8, 2), np.float32), np.ones((6, 8), bool), np.zeros((6, 8), bool)),
    "layers": LayerStack((Layer("a", Picture(GRAY)),), Picture(GRAY)),
    "peeled": Peeled(PHOTO, (PeeledLayer("a", (0, 0), GRAY, GRAY[..., 0], DEPTH.values, DEPTH.valid),), metric=True),
    "camera": CameraPath((CameraShot("a.png", Camera(INTRINSICS)),)),
    "project": Project(PHOTO, DEPTH, Scene(INTRINSICS, Camera(INTRINSICS))),
}
# Clouds, meshes and layers are only written; the tests of their encoders read them with other libraries.
READ_AGAIN = ("picture", "mask", "depth", "flow", "camera", "project")
MAGIC = {
    "png": b"\x89PNG", "jpg": b"\xff\xd8", "tif": b"II*\0", "webp": b"RIFF", "exr": b"\x76\x2f\x31\x01",
    "npy": b"\x93NUMPY", "ply": b"ply\n", "pcd": b"# .PCD", "xyz": b"1 1 1", "glb": b"glTF", "obj": b"# axes opencv",
    "flo": b"PIEH", "ora": b"PK", "json": b"{", "lras": b"PK",
}  # fmt: skip


@pytest.mark.parametrize("item", FORMATS, ids=lambda item: item.name)
def test_every_format_writes_a_file_of_its_own_kind(item):
    files = item.encode(VALUES[item.kind], "photo")
    assert next(iter(files)) == f"photo.{item.extension}"
    assert next(iter(files.values())).startswith(MAGIC[item.extension])


def test_every_kind_has_a_format_and_names_are_unique():
    assert {item.kind for item in FORMATS} == set(get_args(Kind)) == set(VALUES)
    assert len({item.name for item in FORMATS}) == len(FORMATS)
    assert all(formats_of(kind)[0].kind == kind for kind in get_args(Kind))


@pytest.mark.parametrize("item", [item for item in FORMATS if item.kind in READ_AGAIN], ids=lambda item: item.name)
def test_what_we_read_reads_what_we_write(item):
    (data, *_) = item.encode(VALUES[item.kind], "photo").values()
    readers = {
        "picture": lambda: open_photo(data).pixels,
        "mask": lambda: open_photo(data).pixels[..., 0],
        "depth": lambda: open_photo(data).width if item.name == "depth-colours" else read_depth(data).values,
        "flow": lambda: read_flow(data),
        "camera": lambda: read_transforms(data) == VALUES["camera"],
        "project": lambda: load_project(data) == VALUES["project"],
    }
    expected = {
        "picture": GRAY if item.name != "tiff-16" else GRAY.astype(np.uint16) * 257,
        "mask": GRAY[..., 0],
        "depth": 8 if item.name == "depth-colours" else DEPTH.values,
        "flow": np.ones((6, 8, 2), np.float32),
        "camera": True,
        "project": True,
    }
    assert np.array_equal(readers[item.kind](), expected[item.kind])


def test_file_names_choose_the_format():
    assert format_for(Path("a/b.JPEG"), "picture").name == "jpeg"
    assert format_for(Path("b.tiff"), "picture").name == "tiff"
    assert format_for(Path("b.png"), "depth").name == "depth-png"
    assert format_for(Path("b.glb"), "cloud", "mesh").name == "glb"
    with pytest.raises(InvalidInput, match=r"b\.gif cannot be written as picture; .*\.jpg, \.png"):
        format_for(Path("b.gif"), "picture")
    with pytest.raises(InvalidInput, match="choose one of png"):
        format_named("gif")


def test_photos_go_back_to_their_own_format():
    assert [own_format(name).name for name in ("PNG", "JPEG", "TIFF", "WEBP", "HEIF", "AVIF")] == [
        "png", "jpeg", "tiff", "webp", "png", "png",
    ]  # fmt: skip


def test_several_files_are_downloaded_as_one_zip():
    assert as_download({"a.png": b"x"}, "a") == ("a.png", b"x")
    name, data = as_download(format_named("obj").encode(VALUES["mesh"], "cup"), "cup")
    assert name == "cup.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["cup.obj", "cup.mtl", "cup-texture.png"]


@pytest.mark.parametrize("item", FORMATS, ids=lambda item: item.name)
def test_what_is_written_is_known_before(item):
    for stem in ("photo", "my photo", "ü" * 140, "x" * 249):
        assert tuple(item.encode(VALUES[item.kind], stem)) == item.names(stem)
        assert all(len(name.encode()) <= 255 for name in item.names(stem))


def test_no_two_exports_of_one_photo_share_a_name():
    for photo in ("photo.jpg", "é" * 200 + ".jpg"):
        names = [name for item in FORMATS for name in item.names(item.export_stem(photo))]
        assert len({name.casefold() for name in names}) == len(names)
        assert {PurePath(name).name for name in names} == set(names)
    assert format_named("depth-colours").export_stem("photo.jpg") == "photo-depth-colours"
    assert format_named("transforms").names(format_named("transforms").export_stem("a.b.png")) == ("a.b-cameras.json",)


def test_a_format_says_at_once_what_it_cannot_hold():
    format_named("jpeg").check_size(65500, 10)
    format_named("png").check_size(10**6, 10**6)
    for name, side in (("jpeg", 65501), ("webp", 16384)):
        with pytest.raises(InvalidInput, match=f"{side}; choose PNG"):
            format_named(name).check_size(10, side)
