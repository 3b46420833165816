"""The one table of what can be written: interface, command line and tests all read it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.errors import InvalidInput
from core.files import cameras, cloud, depth, flow, layers, mask, mesh, peeled, picture, project
from core.files.archive import encode_zip
from core.files.depth_range import told_units
from core.files.names import fitted, plain_stem

# What each kind's encoders take: Picture, DepthMap, PointCloud, TexturedMesh, Mask, Mask, FlowField, LayerStack,
# Peeled, tuple[CameraShot, ...] and Project.
Kind = Literal[
    "picture", "depth", "cloud", "mesh", "mask", "confidence", "flow", "layers", "peeled", "camera", "project"
]
Files = dict[str, bytes]


@dataclass(frozen=True)
class Format:
    """One way to write one kind of value. `extensions` start with the usual one, without dots.

    `word` is what an export adds to the photo's name, `beside` the endings of the files that belong to the main one.
    `make(value, names)` gives the content of each of `names(stem)`. `longest_side` is in pixels, None for no limit.
    `told(value)` is what whoever reads the file has to know, None when it is as usual.
    """

    name: str
    kind: Kind
    extensions: tuple[str, ...]
    title: str
    word: str
    make: Callable[[Any, tuple[str, ...]], tuple[bytes, ...]]
    beside: tuple[str, ...] = ()
    longest_side: int | None = None
    told: Callable[[Any], str | None] = lambda _: None

    @property
    def extension(self) -> str:
        return self.extensions[0]

    def names(self, stem: str) -> tuple[str, ...]:
        """The files that are written: `stem`.extension first, then what belongs beside it, without blanks."""
        plain = re.sub(r"\s", "_", stem)  # readers of OBJ split lines at blanks
        return fitted(stem, f".{self.extension}"), *(fitted(plain, ending) for ending in self.beside)

    def encode(self, value: Any, stem: str) -> Files:
        """The files by `names`."""
        names = self.names(stem)
        return dict(zip(names, self.make(value, names), strict=True))

    def export_stem(self, photo_name: str) -> str:
        """What an export of that photo is called: safe on every system, and another for each format."""
        longest = max((f".{self.extension}", ".zip", *self.beside), key=len)
        return fitted(plain_stem(photo_name), f"-{self.word}{longest}").removesuffix(longest)

    def check_size(self, width: int, height: int) -> None:
        """Raises InvalidInput for a picture that the format cannot hold."""
        if self.longest_side is not None:
            picture.check_side(max(width, height), self.longest_side, self.title.partition(",")[0])


def _format(
    name: str, kind: Kind, extensions: str, word: str, title: str, encode: Callable[[Any], bytes],
    **properties: Any,
) -> Format:  # fmt: skip
    """A format of one file."""
    first, *others = extensions.split()
    return Format(name, kind, (first, *others), title, word, lambda value, _: (encode(value),), **properties)


def _picture(
    name: str, extensions: str, word: str, title: str, encode: Callable[[picture.Picture], bytes],
    longest_side: int | None = None,
) -> Format:  # fmt: skip
    return _format(name, "picture", extensions, word, title, encode, longest_side=longest_side)


# Of several formats with one extension the first is meant when only a file name is given.
FORMATS: tuple[Format, ...] = (
    _picture("png", "png", "edited", "PNG, lossless", picture.encode_picture_png),
    _picture("jpeg", "jpg jpeg", "edited", "JPEG, quality 95", picture.encode_picture_jpeg, picture.JPEG_LARGEST),
    _picture("tiff", "tif tiff", "edited", "TIFF, bit depth of the photo", picture.encode_picture_tiff),
    _picture("tiff-8", "tif tiff", "edited-8bit", "TIFF, 8 bit", picture.encode_picture_tiff_8),
    _picture("tiff-16", "tif tiff", "edited-16bit", "TIFF, 16 bit", picture.encode_picture_tiff_16),
    _picture("webp", "webp", "edited", "WebP, lossless", picture.encode_picture_webp, picture.WEBP_LARGEST),
    _format(
        "depth-png", "depth", "png", "depth", "16-bit PNG, 1000 per scene unit", depth.encode_depth_png, told=told_units
    ),
    _format("depth-exr", "depth", "exr", "depth", "EXR, float", depth.encode_depth_exr),
    _format("depth-npy", "depth", "npy", "depth", "NumPy, float", depth.encode_depth_npy),
    _format("depth-colours", "depth", "png", "depth-colours", "Coloured PNG, for eyes", depth.encode_depth_colours),
    _format("ply", "cloud", "ply", "cloud", "PLY, binary", cloud.encode_ply),
    _format("ply-ascii", "cloud", "ply", "cloud-text", "PLY, text", cloud.encode_ply_ascii),
    _format("pcd", "cloud", "pcd", "cloud", "PCD, binary", cloud.encode_pcd),
    _format("xyz", "cloud", "xyz", "cloud", "XYZ, text with colours", cloud.encode_xyz),
    _format("glb", "mesh", "glb", "mesh", "GLB, textured", mesh.encode_glb),
    Format("obj", "mesh", ("obj",), "OBJ with material and texture", "mesh", mesh.encode_obj, (".mtl", "-texture.png")),
    _format("mask-png", "mask", "png", "mask", "PNG, white is the object", mask.encode_mask),
    _format(
        "confidence-png",
        "confidence",
        "png",
        "confidence",
        "PNG, white is the photo, darker is less sure",
        mask.encode_mask,
    ),
    _format("flo", "flow", "flo", "flow", "Middlebury .flo", flow.encode_flo),
    _format("flow-exr", "flow", "exr", "flow", "EXR, R = dx, G = dy", flow.encode_flow_exr),
    _format("ora", "layers", "ora", "layers", "OpenRaster layers", layers.encode_ora),
    _format("peeled-ora", "peeled", "ora", "peeled", "Peeled layers (.ora)", peeled.encode_peeled_ora),
    _format("peeled-exr", "peeled", "exr", "peeled", "Peeled layers with depth (.exr)", peeled.encode_peeled_exr),
    _format("transforms", "camera", "json", "cameras", "nerfstudio transforms.json", cameras.encode_transforms),
    _format("lras", "project", "lras", "project", "LRAS Studio project", project.save_project),
)

_OWN_FORMATS = {"PNG": "png", "JPEG": "jpeg", "TIFF": "tiff", "WEBP": "webp"}


def formats_of(kind: Kind) -> tuple[Format, ...]:
    """Every way to write that kind, the usual one first."""
    return tuple(item for item in FORMATS if item.kind == kind)


def format_named(name: str) -> Format:
    """Raises InvalidInput for a name that is not in the table."""
    for item in FORMATS:
        if item.name == name:
            return item
    raise InvalidInput(f"There is no format {name!r}; choose one of {', '.join(item.name for item in FORMATS)}.")


def format_for(path: Path, *kinds: Kind) -> Format:
    """The format that a file name asks for, among these kinds. Raises InvalidInput listing what would do."""
    extension = path.suffix.lower().removeprefix(".")
    choices = [item for item in FORMATS if item.kind in kinds]
    for item in choices:
        if extension in item.extensions:
            return item
    known = sorted({f".{item.extension}" for item in choices})
    raise InvalidInput(f"{path.name} cannot be written as {' or '.join(kinds)}; end its name with {', '.join(known)}.")


def own_format(file_format: str) -> Format:
    """The picture format for a photo opened as `file_format` (Photo.file_format); PNG when we only read that one."""
    return format_named(_OWN_FORMATS.get(file_format, "png"))


def as_download(files: Files, stem: str) -> tuple[str, bytes]:
    """One file to hand to a browser: the file itself, or a ZIP when it has others beside it."""
    if len(files) == 1:
        return next(iter(files.items()))
    return fitted(stem, ".zip"), encode_zip(files, stored=frozenset())
