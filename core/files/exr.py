"""OpenEXR channels in bytes (OpenCV's wheels are built without EXR)."""

import io
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32

from core.errors import InvalidInput
from core.files.exr_bands import EXR_MAGIC, encode_exr_bands
from core.files.limits import check_size, room_for_planes
from core.files.quiet import decoding
from core.files.source import DECODER_FAULTS
from core.types.names import shown

_MOST_ATTRIBUTES, _LONGEST_WORD = 1000, 256
# Blocks of rows whose pixels are all alike are packed to a few bytes, whatever their width.
_LARGEST_RATIO = 200_000


def encode_exr(channels: dict[str, np.ndarray]) -> bytes:
    """Float32 channels [H W] as one ZIP-compressed scanline picture, made in memory."""
    height, width = next(iter(channels.values())).shape
    kinds = {name: np.dtype(np.float32) for name in channels}
    return encode_exr_bands(
        width, height, kinds, lambda first, last: {name: plane[first:last] for name, plane in channels.items()}
    )


def decode_exr(
    data: bytes, name: str, choose: Callable[[Sequence[str]], Sequence[str]] = tuple
) -> dict[str, Float32[np.ndarray, "H W"]]:
    """Channels of the first part by name, of one size; of all that there are, `choose` says which are decoded.

    Raises InvalidInput when the file is damaged, larger than the photo limits or has subsampled channels,
    NotEnoughMemory when its channels take more than there is.
    """
    import Imath
    import OpenEXR

    try:
        _check_attributes(data)
        with decoding(), OpenEXR.File(io.BytesIO(data), header_only=True) as described:
            header = described.header()
            width, height = (int(last) - int(first) + 1 for first, last in zip(*header["dataWindow"], strict=True))
            channels = {channel.name: (channel.xSampling, channel.ySampling) for channel in header["channels"]}
        check_size(width, height, name)
        chosen = list(choose(list(channels)))
        if any(channels[key] != (1, 1) for key in chosen):
            raise InvalidInput(f"{name} has channels of several sizes; export it without subsampling.")
        if 2 * width * height > _LARGEST_RATIO * len(data):
            raise ValueError(f"{width}x{height} pixels in {len(data)} bytes")
        with decoding(), room_for_planes(width, height, len(chosen), name):
            # OpenEXR.File would print what is damaged and give the rest as if it were whole.
            planes = OpenEXR.InputFile(io.BytesIO(data)).channels(chosen, Imath.PixelType(Imath.PixelType.FLOAT))
    except DECODER_FAULTS as error:
        raise InvalidInput(f"{name} is not a readable EXR file; export it again as scanline EXR.") from error
    return {
        key: np.frombuffer(plane, np.float32).reshape(height, width) for key, plane in zip(chosen, planes, strict=True)
    }


def listed_channels(channels: Sequence[str]) -> str:
    """Names of channels for a message, the first few of many."""
    return shown(", ".join(channels))[:_LONGEST_WORD]


def _check_attributes(data: bytes) -> None:
    """Raises ValueError for an attribute that is longer than the file: the library would make room for it."""
    place = len(EXR_MAGIC) + 4
    for _ in range(_MOST_ATTRIBUTES):
        name_end = data.find(b"\0", place, place + _LONGEST_WORD)
        if name_end == place:
            return
        type_end = data.find(b"\0", name_end + 1, name_end + _LONGEST_WORD)
        if name_end < 0 or type_end < 0 or type_end + 5 > len(data):
            break
        place = type_end + 5 + int.from_bytes(data[type_end + 1 : type_end + 5], "little")
        if place > len(data):
            break
    raise ValueError("a header that does not end")
