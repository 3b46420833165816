import io

import numpy as np
import pytest
from PIL import ImageCms

from core.files import icc
from core.files.profile import colour_space, gray_to_srgb, is_srgb, srgb_of

RAMP = np.arange(256, dtype=np.uint8)


def srgb_coded(linear: np.ndarray) -> np.ndarray:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def test_srgb_made_here_is_srgb_to_the_colour_engine():
    made = icc.rgb_profile("sRGB", icc.BT709, icc.SRGB_CURVE)
    assert is_srgb(made)
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(made))).strip() == "sRGB"


def test_primaries_and_curve_mean_what_they_say():
    made = icc.rgb_profile("Adobe", icc.ADOBE_RGB, icc.ADOBE_RGB_CURVE)
    colours = np.array([[[200, 90, 60], [120, 130, 140], [90, 160, 100], [255, 255, 255], [30, 30, 30]]], np.uint8)
    light = (colours / 255) ** icc.ADOBE_RGB_CURVE[0]
    srgb_light = light @ (np.linalg.inv(icc.xyz_from_rgb(icc.BT709)) @ icc.xyz_from_rgb(icc.ADOBE_RGB)).T
    assert np.abs(srgb_of(colours, made).astype(float) - 255 * srgb_coded(srgb_light)).max() <= 1.5


def test_gray_and_rgb_profiles_of_one_curve_become_each_other():
    rgb = icc.rgb_profile("Gamma 1.8", icc.BT709, (1.8,))
    gray = icc.gray_from_rgb(rgb)
    assert gray is not None
    assert colour_space(gray) == "GRAY"
    assert np.abs(gray_to_srgb(RAMP[None], gray)[0] - 255 * srgb_coded((RAMP / 255) ** 1.8)).max() <= 1
    again = icc.rgb_from_gray(gray)
    assert again is not None
    assert icc.gray_from_rgb(again) == gray
    assert (
        np.abs(
            srgb_of(np.repeat(RAMP[None, :, None], 3, 2), again)[0, :, 0] - 255 * srgb_coded((RAMP / 255) ** 1.8)
        ).max()
        <= 1.5
    )


def test_only_the_colours_of_a_profile_are_left():
    for profile in (
        icc.rgb_profile("Owner's screen", icc.ADOBE_RGB, icc.ADOBE_RGB_CURVE),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ):
        bare = icc.only_colours(profile)
        assert "Owner".encode("utf-16-be") not in bare
        colours = np.random.default_rng(1).integers(0, 256, (4, 9, 3), dtype=np.uint8)
        assert np.array_equal(srgb_of(colours, bare), srgb_of(colours, profile))


@pytest.mark.parametrize("points", [(0.3, 0.3, 0.3, 0.3, 0.3, 0.3), (0.6, 0.0, 0.3, 0.6, 0.15, 0.06)])
def test_primaries_that_span_no_colours_are_refused(points):
    pairs = tuple(zip(points[::2], points[1::2], strict=True))
    with pytest.raises(ValueError, match="prim"):
        icc.rgb_profile("x", icc.Primaries((0.3127, 0.329), *pairs), (1.0,))
