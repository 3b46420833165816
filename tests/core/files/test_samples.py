import numpy as np
import pytest

from core.errors import InvalidInput
from core.files.samples import SAMPLE_PICTURES, open_sample


@pytest.mark.parametrize("name", SAMPLE_PICTURES)
def test_samples_open(name):
    photo, depth, intrinsics = open_sample(name)
    assert photo.pixels.std() > 10
    assert (depth is not None) == (intrinsics is not None) == (name == "motorcycle")


def test_motorcycle_depth_explains_the_right_picture():
    """Sampling the right picture where the depth says a pixel went must give the left picture."""
    from skimage.data import stereo_motorcycle

    photo, depth, intrinsics = open_sample("motorcycle")
    assert depth is not None
    assert intrinsics is not None
    _, right, _ = stereo_motorcycle()
    assert (intrinsics.width, intrinsics.height) == (photo.width, photo.height)
    assert 0.04 < 1 - depth.valid.mean() < 0.12
    # The right camera stands 0.193 m to the right and its principal point 31.086 px more to the right.
    disparity = np.zeros(depth.values.shape)
    disparity[depth.valid] = intrinsics.fx * 0.193001 / depth.values[depth.valid] - 31.086
    ys, xs = np.nonzero(depth.valid)
    moved = np.rint(xs - disparity[ys, xs]).astype(int)
    inside = (moved >= 0) & (moved < photo.width)
    difference = photo.srgb[ys, xs][inside].astype(int) - right[ys[inside], moved[inside]]
    assert np.median(np.abs(difference)) < 8


def test_unknown_sample_is_refused():
    with pytest.raises(InvalidInput, match="coffee"):
        open_sample("tea")
