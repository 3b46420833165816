"""OpenEXR channels in bytes (OpenCV's wheels are built without EXR)."""

import io
import tempfile
from pathlib import Path

import numpy as np

from core.errors import InvalidInput
from core.files.limits import check_size
from core.files.source import DECODER_FAULTS

EXR_MAGIC = b"\x76\x2f\x31\x01"


def encode_exr(channels: dict[str, np.ndarray]) -> bytes:
    """Float32 channels [H W] as one ZIP-compressed scanline picture."""
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    planes = {name: np.ascontiguousarray(plane, dtype=np.float32) for name, plane in channels.items()}
    # The library reads streams but writes only paths.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.exr"
        OpenEXR.File(header, planes).write(str(path))
        return path.read_bytes()


def decode_exr(data: bytes, name: str) -> dict[str, np.ndarray]:
    """The first part's channels by name, as float32 [H W] of one size.

    Raises InvalidInput when the file is damaged, larger than the photo limits or has subsampled channels.
    """
    import OpenEXR

    try:
        with OpenEXR.File(io.BytesIO(data), header_only=True) as header_only:
            low, high = header_only.header()["dataWindow"]
        width, height = (int(size) for size in np.asarray(high) - np.asarray(low) + 1)
        check_size(width, height, name)
        with OpenEXR.File(io.BytesIO(data), separate_channels=True) as picture:
            planes = {key: np.array(channel.pixels, np.float32) for key, channel in picture.channels().items()}
    except DECODER_FAULTS as error:
        raise InvalidInput(f"{name} is not a readable EXR file; export it again as scanline EXR.") from error
    if any(plane.shape != (height, width) for plane in planes.values()):
        raise InvalidInput(f"{name} has channels of several sizes; export it without subsampling.")
    return planes
