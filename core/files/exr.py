"""OpenEXR channels in bytes (OpenCV's wheels are built without EXR)."""

import io

import numpy as np

from core.errors import InvalidInput
from core.files.exr_bands import encode_exr_bands
from core.files.limits import check_planes
from core.files.source import DECODER_FAULTS
from core.memory import memory_for


def encode_exr(channels: dict[str, np.ndarray]) -> bytes:
    """Float32 channels [H W] as one ZIP-compressed scanline picture, made in memory."""
    height, width = next(iter(channels.values())).shape
    kinds = {name: np.dtype(np.float32) for name in channels}
    return encode_exr_bands(
        width, height, kinds, lambda first, last: {name: plane[first:last] for name, plane in channels.items()}
    )


def decode_exr(data: bytes, name: str) -> dict[str, np.ndarray]:
    """The first part's channels by name, as float32 [H W] of one size.

    Raises InvalidInput when the file is damaged, larger than the photo limits or has subsampled channels,
    NotEnoughMemory when its channels take more than there is.
    """
    import OpenEXR

    try:
        with OpenEXR.File(io.BytesIO(data), header_only=True) as described:
            # All parts are decoded, though only the first is used.
            sizes = [_size(part.header) for part in described.parts]
        needed = sum(check_planes(width, height, channels, name) for width, height, channels in sizes)
        with memory_for(needed, name), OpenEXR.File(io.BytesIO(data), separate_channels=True) as picture:
            planes = {key: np.asarray(channel.pixels, np.float32) for key, channel in picture.channels().items()}
    except DECODER_FAULTS as error:
        raise InvalidInput(f"{name} is not a readable EXR file; export it again as scanline EXR.") from error
    width, height, _ = sizes[0]
    if any(plane.shape != (height, width) for plane in planes.values()):
        raise InvalidInput(f"{name} has channels of several sizes; export it without subsampling.")
    return planes


def _size(header: dict) -> tuple[int, int, int]:
    """Width, height and number of channels of a part."""
    low, high = header["dataWindow"]
    width, height = (int(last) - int(first) + 1 for first, last in zip(low, high, strict=True))
    return width, height, len(header["channels"])
