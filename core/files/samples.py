"""The bundled sample pictures: scikit-image's own, read from its installed package, no download."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from core.errors import InvalidInput
from core.files.photo import open_photo
from core.types.camera import Intrinsics
from core.types.depth import DepthMap
from core.types.photo import Photo

SAMPLE_PICTURES = {
    "coffee": "coffee.png",
    "chelsea": "chelsea.png",
    "astronaut": "astronaut.png",
    "motorcycle": "motorcycle_left.png",
}
_DISPARITY = "motorcycle_disp.npz"

# Middlebury 2014 "Motorcycle" (Scharstein et al., GCPR 2014) at a quarter of its size, as documented by
# skimage.data.stereo_motorcycle: focal length and principal points in pixels, baseline in metres.
_FOCAL, _CX, _CY, _DOFFS, _BASELINE = 994.978, 311.193, 254.877, 31.086, 0.193001
# Those principal points are the full-size ones divided by 4; with pixel centres at integers, averaging
# 4x4 pixels also moves the origin by (4 - 1) / 2 / 4 of a small pixel.
_CENTRE_SHIFT = 0.375


def open_sample(name: str) -> tuple[Photo, DepthMap | None, Intrinsics | None]:
    """A sample picture; "motorcycle" with its measured depth in metres and its calibration.

    Raises InvalidInput for a name that is not in `SAMPLE_PICTURES`.
    """
    path = sample_file(name)
    photo = open_photo(path, path.name)
    if name != "motorcycle":
        return photo, None, None
    with np.load(path.with_name(_DISPARITY), allow_pickle=False) as stored:
        disparity = stored["arr_0"]
    valid = np.isfinite(disparity) & (disparity + _DOFFS > 0)
    depth = np.zeros(disparity.shape, np.float32)
    np.divide(_FOCAL * _BASELINE, disparity + _DOFFS, out=depth, where=valid)
    intrinsics = Intrinsics(
        _FOCAL, _FOCAL, _CX - _CENTRE_SHIFT, _CY - _CENTRE_SHIFT, disparity.shape[1], disparity.shape[0]
    )
    return photo, DepthMap(depth, valid, "metric", "measured (Middlebury 2014)"), intrinsics


def check_sample(name: str) -> None:
    """Raises InvalidInput for a name that is not in `SAMPLE_PICTURES`."""
    if name not in SAMPLE_PICTURES:
        raise InvalidInput(f"There is no sample {name!r}; choose one of {', '.join(SAMPLE_PICTURES)}.")


def sample_file(name: str) -> Path:
    """The picture file of a sample. Raises InvalidInput for a name that is not in `SAMPLE_PICTURES`."""
    check_sample(name)
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise InvalidInput("The sample pictures come with scikit-image, which is not installed; install it.")
    return Path(package.origin).parent / "data" / SAMPLE_PICTURES[name]
