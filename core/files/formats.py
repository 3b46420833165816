"""The one table of what can be written: interface, command line and tests all read it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.errors import InvalidInput
from core.files import cameras, cloud, depth, flow, layers, mask, mesh, peeled, picture, project
from core.files.archive import encode_zip

# What each kind's encoders take: Picture, DepthMap, PointCloud, TexturedMesh, Mask, Mask, FlowField, LayerStack,
# Peeled, tuple[CameraShot, ...] and Project.
Kind = Literal[
    "picture", "depth", "cloud", "mesh", "mask", "confidence", "flow", "layers", "peeled", "camera", "project"
]
Files = dict[str, bytes]


@dataclass(frozen=True)
class Format:
    """One way to write one kind of value. `extensions` start with the usual one, without dots.

    `encode(value, stem)` gives the files by name: `stem`.extension first, then what belongs beside it.
    """

    name: str
    kind: Kind
    extensions: tuple[str, ...]
    title: str
    encode: Callable[[Any, str], Files]

    @property
    def extension(self) -> str:
        return self.extensions[0]


def _format(name: str, kind: Kind, extensions: str, title: str, encode: Callable[[Any], bytes]) -> Format:
    """A format of one file."""
    first, *others = extensions.split()

    def files(value: Any, stem: str) -> Files:
        return {f"{stem}.{first}": encode(value)}

    return Format(name, kind, (first, *others), title, files)


# Of several formats with one extension the first is meant when only a file name is given.
FORMATS: tuple[Format, ...] = (
    _format("png", "picture", "png", "PNG, lossless", picture.encode_picture_png),
    _format("jpeg", "picture", "jpg jpeg", "JPEG, quality 95", picture.encode_picture_jpeg),
    _format("tiff", "picture", "tif tiff", "TIFF, bit depth of the photo", picture.encode_picture_tiff),
    _format("tiff-8", "picture", "tif tiff", "TIFF, 8 bit", picture.encode_picture_tiff_8),
    _format("tiff-16", "picture", "tif tiff", "TIFF, 16 bit", picture.encode_picture_tiff_16),
    _format("webp", "picture", "webp", "WebP, lossless", picture.encode_picture_webp),
    _format("depth-png", "depth", "png", "16-bit PNG, 1000 per scene unit", depth.encode_depth_png),
    _format("depth-exr", "depth", "exr", "EXR, float", depth.encode_depth_exr),
    _format("depth-npy", "depth", "npy", "NumPy, float", depth.encode_depth_npy),
    _format("depth-colours", "depth", "png", "Coloured PNG, for eyes", depth.encode_depth_colours),
    _format("ply", "cloud", "ply", "PLY, binary", cloud.encode_ply),
    _format("ply-ascii", "cloud", "ply", "PLY, text", cloud.encode_ply_ascii),
    _format("pcd", "cloud", "pcd", "PCD, binary", cloud.encode_pcd),
    _format("xyz", "cloud", "xyz", "XYZ, text with colours", cloud.encode_xyz),
    _format("glb", "mesh", "glb", "GLB, textured", mesh.encode_glb),
    Format("obj", "mesh", ("obj",), "OBJ with material and texture", mesh.encode_obj),
    _format("mask-png", "mask", "png", "PNG, white is the object", mask.encode_mask),
    _format("confidence-png", "confidence", "png", "PNG, white is the photo, darker is less sure", mask.encode_mask),
    _format("flo", "flow", "flo", "Middlebury .flo", flow.encode_flo),
    _format("flow-exr", "flow", "exr", "EXR, R = dx, G = dy", flow.encode_flow_exr),
    _format("ora", "layers", "ora", "OpenRaster layers", layers.encode_ora),
    _format("peeled-ora", "peeled", "ora", "Peeled layers (.ora)", peeled.encode_peeled_ora),
    _format("peeled-exr", "peeled", "exr", "Peeled layers with depth (.exr)", peeled.encode_peeled_exr),
    _format("transforms", "camera", "json", "nerfstudio transforms.json", cameras.encode_transforms),
    _format("lras", "project", "lras", "LRAS Studio project", project.save_project),
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
    return f"{stem}.zip", encode_zip(files, stored=frozenset())
