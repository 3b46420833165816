import numpy as np
import pytest

from core.maths.camera import intrinsics_of_photo
from core.perception.depth.cues import guess_layout
from core.perception.depth.layout import LayoutDepth
from core.types.depth import Layout
from core.types.photo import Photo
from core.types.protocols import CancelToken


def beach() -> np.ndarray:
    """Blue sky to 45 %, sea to 55 %, bright sand below."""
    picture = np.empty((240, 320, 3), np.uint8)
    picture[:108] = (110, 160, 230)
    picture[108:132] = (30, 70, 110)
    picture[132:] = (220, 200, 150)
    noise = np.random.default_rng(0).integers(-12, 13, (132, 320, 1))
    picture[108:] = np.clip(picture[108:] + noise, 0, 255)
    return picture


def wooden_table() -> np.ndarray:
    """One plain surface with grain fills the frame; a cup stands in the middle."""
    ys, xs = np.mgrid[:240, :320]
    grain = 12 * np.sin(ys / 9 + xs / 40)
    picture = np.clip(np.stack([130 + grain, 80 + grain, 40 + grain], 2), 0, 255).astype(np.uint8)
    picture[np.hypot(xs - 160, ys - 120) < 50] = (235, 235, 230)
    return picture


def test_the_sky_gives_the_horizon():
    layout, sky = guess_layout(beach())
    assert layout.horizon == pytest.approx(0.45, abs=0.06)
    assert 0.4 < sky.mean() < 0.48


def test_a_table_seen_from_above_has_its_horizon_above_the_frame():
    layout, sky = guess_layout(wooden_table())
    assert layout.horizon < -0.2
    assert not sky.any()


def test_a_flat_grey_picture_gets_a_usable_layout():
    layout, _ = guess_layout(np.full((90, 120, 3), 120, np.uint8))
    assert -1 <= layout.horizon < layout.ground_end < 1


def estimate(backend: LayoutDepth, pixels: np.ndarray):
    photo = Photo("scene", pixels, pixels)
    return backend.estimate(photo, intrinsics_of_photo(photo), CancelToken())


def test_the_sky_is_far_but_finite():
    found = estimate(LayoutDepth(), beach())
    values = found.depth.values
    assert values[20, 160] > 10 * values[180, 160]
    assert np.isfinite(values).all()
    assert found.depth.upright_objects
    assert found.depth.scale == "relative"
    assert "guess" in found.depth.source.lower()


def test_the_users_handles_are_used_as_they_are():
    mine = Layout(0.31, 0.62)
    found = estimate(LayoutDepth(mine), beach())
    assert found.layout == mine
    assert found.depth.id != estimate(LayoutDepth(), beach()).depth.id


def test_large_photos_are_estimated_small():
    found = estimate(LayoutDepth(), np.repeat(np.repeat(beach(), 5, 0), 5, 1))
    assert (found.depth.width, found.depth.height) == (1024, 768)
