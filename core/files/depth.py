"""Depth maps as files: 16-bit PNG, EXR, NPY in and out, and a coloured picture out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from jaxtyping import UInt8

from core.errors import InvalidInput
from core.files.depth_range import USUAL_UNITS, measured, png_units
from core.files.exr import decode_exr, encode_exr, listed_channels
from core.files.exr_bands import EXR_MAGIC
from core.files.limits import PHOTO_LIMITS, check_size
from core.files.npy import NPY_MAGIC, decode_npy, encode_npy
from core.files.png import SIGNATURE, encode_png, read_metadata
from core.files.reading.png_pixels import decode_png, png_header
from core.files.source import name_of, read_source
from core.types.depth import DepthMap, DepthScale
from core.types.metadata import Metadata, Text

_UNITS_KEYWORD = "DepthUnitsPerSceneUnit"
_EXR_CHANNELS = ("Z", "z", "depth", "Depth", "Y", "V", "R")
ColourMap = Literal["viridis", "cividis"]
_COLOUR_MAPS: dict[ColourMap, int] = {"viridis": cv2.COLORMAP_VIRIDIS, "cividis": cv2.COLORMAP_CIVIDIS}


def encode_depth_png(depth: DepthMap) -> bytes:
    """16-bit gray PNG: 0 where invalid, else depth times `png_units`, which a text in the file tells.

    Raises InvalidInput for a map whose range 16 bits do not hold.
    """
    units = png_units(depth)
    scaled = np.where(depth.valid, depth.values, 0) * np.float64(units)
    coded = np.where(depth.valid, np.maximum(np.rint(scaled), 1), 0)
    told = Metadata(texts=(Text(_UNITS_KEYWORD, f"{units:g}"),))
    return encode_png(coded.astype(np.uint16), metadata=told)


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

    `units_per_scene_unit` None: what the file says, else 1000 for PNG and 1 for float files. What is no depth
    (`depth_range.measured`) is invalid. Raises InvalidInput when the file cannot be used or no pixel is valid.
    """
    name = name or name_of(source, "The depth file")
    if units_per_scene_unit is not None and not (np.isfinite(units_per_scene_unit) and units_per_scene_unit > 0):
        raise InvalidInput(f"The depth scale must be a positive number, got {units_per_scene_unit:g}.")
    data = read_source(source, name, PHOTO_LIMITS.max_bytes)
    stored, default_units = _stored_depth(data, name)
    with np.errstate(over="ignore", invalid="ignore"):
        values = (stored / (units_per_scene_unit or default_units)).astype(np.float32)
        valid = measured(stored) & np.isfinite(values) & (values > 0)
    if not valid.any():
        raise InvalidInput(f"{name} has no positive, finite depth anywhere; check that it is a depth map.")
    return DepthMap(np.where(valid, values, np.float32(0)), valid, scale, f"file {name}")


def _stored_depth(data: bytes, name: str) -> tuple[np.ndarray, float]:
    """The numbers of the file [H W] and how many make one scene unit by default."""
    if data.startswith(SIGNATURE):
        return _png_depth(data, name), _told_units(data)
    if data.startswith(EXR_MAGIC):
        (plane,) = decode_exr(data, name, lambda channels: [_depth_channel(channels, name)]).values()
        return plane, 1.0
    if data.startswith(NPY_MAGIC):
        array = decode_npy(data, name)
        array = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
        if array.ndim != 2 or array.dtype.kind not in "fiu" or not array.size:
            raise InvalidInput(f"{name} holds {array.dtype} of shape {array.shape}; depth must be numbers [H W].")
        check_size(array.shape[1], array.shape[0], name)
        return array, 1.0
    raise InvalidInput(f"{name} is no depth file; use a 16-bit PNG, EXR or NPY file.")


def _depth_channel(channels: Sequence[str], name: str) -> str:
    """Raises InvalidInput when none of several channels is called as depth is."""
    chosen = next((channel for channel in _EXR_CHANNELS if channel in channels), None)
    if chosen is None and len(channels) != 1:
        raise InvalidInput(
            f"{name} has channels {listed_channels(channels)} but none named Z; rename the depth channel."
        )
    return chosen or channels[0]


def _png_depth(data: bytes, name: str) -> np.ndarray:
    header = png_header(data, name)
    if header.bit_depth != 16 or header.channels != 1:
        raise InvalidInput(f"{name} is not a 16-bit gray PNG; depth needs 16 bits (or EXR or NPY).")
    return decode_png(data, header, name)


def _told_units(data: bytes) -> float:
    """What a PNG of this program says, else what is usual."""
    told = next((text.text for text in read_metadata(data)[0].texts if text.keyword == _UNITS_KEYWORD), "")
    try:
        units = float(told)
    except ValueError:
        return USUAL_UNITS
    return units if np.isfinite(units) and units > 0 else USUAL_UNITS


def _nan_where_invalid(depth: DepthMap) -> np.ndarray:
    return np.where(depth.valid, depth.values, np.float32(np.nan))
