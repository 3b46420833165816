"""Depth that came with a photo: the auxiliary depth picture of HEIC files (portrait mode)."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InvalidInput
from core.files.limits import PHOTO_LIMITS, PhotoLimits, room_for_picture
from core.files.quiet import decoding
from core.files.source import DECODER_FAULTS, name_of, read_source, sniffed_format
from core.types.depth import DepthMap

# ISO/IEC 23008-2, depth representation information: what a stored number stands for.
_INVERSE_Z, _DISPARITY, _Z = 0, 1, 2
_SOURCE = "depth from the photo"


def embedded_depth(source: Path | bytes, limits: PhotoLimits = PHOTO_LIMITS) -> DepthMap | None:
    """The depth stored in a HEIC file at its own (smaller) size, upright as the photo; None when there is none.

    Metric when the file gives the nearest and farthest z; otherwise affine (`values` are inverse depth).
    Raises InvalidInput when the file or its depth is damaged.
    """
    name = name_of(source, "The picture")
    data = read_source(source, name, limits.max_bytes)
    if sniffed_format(data) != "HEIF":
        return None
    import pillow_heif

    try:
        with decoding():
            pictures = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False).info["depth_images"]
            if not pictures:
                return None
            picture = pictures[0]
            width, height = picture.size
            with room_for_picture(width, height, 16, name, limits):
                stored = np.array(picture)
        stored = stored.reshape(height, -1) if stored.ndim == 2 else stored[..., 0]
        levels = stored[:, :width]
        if levels.shape != (height, width) or not levels.size:
            raise ValueError(f"{levels.shape} of {width}x{height}")
    except DECODER_FAULTS as error:
        raise InvalidInput(f"{name} has a damaged depth picture; open a copy without it.") from error
    return depth_from_levels(levels, picture.info["metadata"] or {})


def depth_from_levels(levels: np.ndarray, metadata: dict[str, Any]) -> DepthMap:
    """Depth from stored integer levels [H W] and their HEIF representation information.

    Raises InvalidInput for representations that are no depth of a plane camera.
    """
    share = levels.astype(np.float32) / np.iinfo(levels.dtype).max
    kind = metadata.get("representation_type", _DISPARITY)
    near, far = metadata.get("z_near"), metadata.get("z_far")
    if kind not in (_INVERSE_Z, _DISPARITY, _Z):
        raise InvalidInput(f"The photo's depth picture is of an unknown kind ({kind}); give a depth file instead.")
    if kind == _Z and near is not None and far is not None and 0 < near < far:
        values, scale = near + share * (far - near), "metric"
    elif kind == _Z:
        # Without its range, z is known up to factor and offset, which is neither of our scales.
        raise InvalidInput("The photo's depth picture does not say its range; give a depth file instead.")
    elif kind == _INVERSE_Z and near is not None and far is not None and 0 < near < far:
        values, scale = 1.0 / (1.0 / far + share * (1.0 / near - 1.0 / far)), "metric"
    else:
        # The farthest level is a real place too, so inverse depth starts a little above zero.
        values, scale = share + 1.0 / np.iinfo(levels.dtype).max, "affine"
    return DepthMap(values.astype(np.float32), np.ones(levels.shape, bool), scale, _SOURCE)
