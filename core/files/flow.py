"""Flow fields as Middlebury .flo and EXR, in and out."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from core.errors import InvalidInput
from core.files.exr import decode_exr, encode_exr, listed_channels
from core.files.exr_bands import EXR_MAGIC
from core.files.limits import LARGEST_FLOW_BYTES, check_size
from core.files.source import name_of, read_source
from core.types.flow import FlowField

_FLO_MAGIC = b"PIEH"
# Middlebury's code for "unknown": anything beyond 1e9.
_FLO_UNKNOWN, _FLO_LIMIT = 1e10, 1e9


def encode_flo(flow: FlowField) -> bytes:
    """Middlebury .flo: little-endian float32 (dx, dy); 1e10 where there is no correspondence."""
    height, width = flow.flow.shape[:2]
    known = np.isfinite(flow.flow).all(axis=2, keepdims=True)
    values = np.where(known, flow.flow, _FLO_UNKNOWN).astype("<f4")
    return _FLO_MAGIC + struct.pack("<ii", width, height) + values.tobytes()


def encode_flow_exr(flow: FlowField) -> bytes:
    """EXR with R = dx and G = dy in pixels; NaN where there is no correspondence."""
    return encode_exr({"R": flow.flow[..., 0], "G": flow.flow[..., 1]})


def read_flow(source: Path | bytes, name: str = "") -> Float32[np.ndarray, "H W 2"]:
    """Displacements (dx, dy) in pixels from a .flo file or an EXR with R, G or X, Y; NaN = no correspondence.

    Raises InvalidInput when the file is neither, is damaged or has no finite vector.
    """
    name = name or name_of(source, "The flow file")
    data = read_source(source, name, LARGEST_FLOW_BYTES)
    if data.startswith(_FLO_MAGIC):
        flow = _decode_flo(data, name)
    elif data.startswith(EXR_MAGIC):
        planes = decode_exr(data, name, lambda channels: _flow_channels(channels, name))
        flow = np.stack([*planes.values()], axis=-1)
    else:
        raise InvalidInput(f"{name} is no flow file; use Middlebury .flo or EXR.")
    unknown = np.any(~(np.abs(flow) < _FLO_LIMIT), axis=2, keepdims=True)
    if unknown.all():
        raise InvalidInput(f"{name} has no pixel with a known displacement; check that it is a flow field.")
    flow = np.where(unknown, np.float32(np.nan), flow)
    return np.ascontiguousarray(flow, dtype=np.float32)


def _flow_channels(channels: Sequence[str], name: str) -> tuple[str, str]:
    pair = next((pair for pair in (("R", "G"), ("X", "Y"), ("x", "y")) if set(pair) <= set(channels)), None)
    if pair is None:
        raise InvalidInput(f"{name} has channels {listed_channels(channels)}; a flow field needs R and G, or X and Y.")
    return pair


def _decode_flo(data: bytes, name: str) -> Float32[np.ndarray, "H W 2"]:
    width, height = struct.unpack_from("<ii", data, 4) if len(data) >= 12 else (0, 0)
    if width < 1 or height < 1 or len(data) != 12 + 8 * width * height:
        raise InvalidInput(f"{name} says {width}x{height} but its length does not fit; it is damaged or cut short.")
    check_size(width, height, name)
    return np.frombuffer(data, "<f4", offset=12).reshape(height, width, 2).astype(np.float32)
