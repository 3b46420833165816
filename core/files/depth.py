"""Depth maps as files: 16-bit PNG, EXR, NPY in and out, and a coloured picture out."""

import io
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from core.errors import InvalidInput
from core.files.exr import decode_exr, encode_exr
from core.files.exr_bands import EXR_MAGIC
from core.files.limits import PHOTO_LIMITS, check_size
from core.files.npy import NPY_MAGIC, decode_npy, encode_npy
from core.files.png import encode_png
from core.files.source import DECODER_FAULTS, name_of, read_source
from core.types.depth import DepthMap, DepthScale

PNG_UNITS_PER_SCENE_UNIT = 1000.0
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_EXR_CHANNELS = ("Z", "z", "depth", "Depth", "Y", "V", "R")
ColourMap = Literal["viridis", "cividis"]
_COLOUR_MAPS: dict[ColourMap, int] = {"viridis": cv2.COLORMAP_VIRIDIS, "cividis": cv2.COLORMAP_CIVIDIS}


def encode_depth_png(depth: DepthMap, units_per_scene_unit: float = PNG_UNITS_PER_SCENE_UNIT) -> bytes:
    """16-bit gray PNG: 0 where invalid, else depth times units, held within 1..65535."""
    scaled = np.where(depth.valid, depth.values, 0) * units_per_scene_unit
    coded = np.where(depth.valid, np.clip(np.rint(scaled), 1, 65535), 0)
    return encode_png(coded.astype(np.uint16))


def encode_depth_exr(depth: DepthMap) -> bytes:
    """Channel Z, float32, scene units; NaN where invalid."""
    return encode_exr({"Z": _nan_where_invalid(depth)})


def encode_depth_npy(depth: DepthMap) -> bytes:
    """Float32 [H W], scene units; NaN where invalid."""
    return encode_npy(_nan_where_invalid(depth))


def encode_depth_colours(depth: DepthMap) -> bytes:
    """The map for eyes as an RGB PNG; see `depth_colours`."""
    return encode_png(depth_colours(depth))


def depth_colours(depth: DepthMap, colour_map: ColourMap = "viridis") -> UInt8[np.ndarray, "H W 3"]:
    """Inverse depth in a perceptual colour map: near bright, far dark, invalid black.

    The range is that of the valid pixels without the nearest and farthest half per cent.
    """
    inverse = np.zeros(depth.values.shape, np.float32)
    if depth.scale == "affine":
        inverse[depth.valid] = depth.values[depth.valid]
    else:
        np.divide(1.0, depth.values, out=inverse, where=depth.valid)
    if not depth.valid.any():
        return np.zeros((*inverse.shape, 3), np.uint8)
    low, high = np.percentile(inverse[depth.valid], (0.5, 99.5))
    spread = high - low
    share = np.clip((inverse - low) / spread, 0, 1) if spread > 0 else np.full_like(inverse, 0.5)
    picture = cv2.applyColorMap(np.rint(share * 255).astype(np.uint8), _COLOUR_MAPS[colour_map])
    picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    picture[~depth.valid] = 0
    return picture


def read_depth(
    source: Path | bytes,
    units_per_scene_unit: float | None = None,
    scale: DepthScale = "metric",
    name: str = "",
) -> DepthMap:
    """Depth from a 16-bit gray PNG, EXR or NPY file, by content.

    `units_per_scene_unit` is 1000 for PNG and 1 for float files when None. NaN, infinite, zero and negative
    values are invalid. Raises InvalidInput when the file cannot be used or no pixel is valid.
    """
    name = name or name_of(source, "The depth file")
    if units_per_scene_unit is not None and not (np.isfinite(units_per_scene_unit) and units_per_scene_unit > 0):
        raise InvalidInput(f"The depth scale must be a positive number, got {units_per_scene_unit:g}.")
    data = read_source(source, name, PHOTO_LIMITS.max_bytes)
    stored, default_units = _stored_depth(data, name)
    with np.errstate(over="ignore", invalid="ignore"):
        values = (stored / (units_per_scene_unit or default_units)).astype(np.float32)
        valid = np.isfinite(values) & (values > 0)
    if not valid.any():
        raise InvalidInput(f"{name} has no positive, finite depth anywhere; check that it is a depth map.")
    return DepthMap(np.where(valid, values, np.float32(0)), valid, scale, f"file {name}")


def _stored_depth(data: bytes, name: str) -> tuple[np.ndarray, float]:
    """The numbers of the file [H W] and how many make one scene unit by default."""
    if data.startswith(_PNG_MAGIC):
        return _png_depth(data, name), PNG_UNITS_PER_SCENE_UNIT
    if data.startswith(EXR_MAGIC):
        planes = decode_exr(data, name)
        chosen = next((c for c in _EXR_CHANNELS if c in planes), next(iter(planes)) if len(planes) == 1 else None)
        if chosen is None:
            raise InvalidInput(f"{name} has channels {', '.join(planes)} but none named Z; rename the depth channel.")
        return planes[chosen], 1.0
    if data.startswith(NPY_MAGIC):
        array = decode_npy(data, name)
        array = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
        if array.ndim != 2 or array.dtype.kind not in "fiu" or not array.size:
            raise InvalidInput(f"{name} holds {array.dtype} of shape {array.shape}; depth must be numbers [H W].")
        check_size(array.shape[1], array.shape[0], name)
        return array, 1.0
    raise InvalidInput(f"{name} is no depth file; use a 16-bit PNG, EXR or NPY file.")


def _png_depth(data: bytes, name: str) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            check_size(*image.size, name)
            if not image.mode.startswith("I"):
                raise InvalidInput(f"{name} is not a 16-bit gray PNG; depth needs 16 bits (or EXR or NPY).")
            return np.asarray(image)
    except DECODER_FAULTS as error:
        raise InvalidInput(f"{name} is damaged or cut short; save or download it again.") from error


def _nan_where_invalid(depth: DepthMap) -> np.ndarray:
    return np.where(depth.valid, depth.values, np.float32(np.nan))
