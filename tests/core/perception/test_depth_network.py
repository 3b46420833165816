"""The built-in network as a depth back-end: the contract with random weights, edges, and missing weights."""

import numpy as np
import pytest
import torch

from core.errors import BackendUnavailable, Cancelled
from core.files import weights
from core.maths.camera import intrinsics_of_photo
from core.nets.depth_student import DepthStudent, DepthStudentConfig
from core.perception import registry
from core.perception.depth.embedded import EmbeddedDepth, snapped
from core.types.photo import Photo
from core.types.protocols import CancelToken


@pytest.fixture(scope="module")
def backend() -> EmbeddedDepth:
    torch.manual_seed(0)
    return EmbeddedDepth(DepthStudent(DepthStudentConfig((8, 8, 16, 16), (1, 1, 1, 1), (8, 8, 8, 16), 2)).eval(), 96)


def photo_of(width: int, height: int) -> Photo:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Photo("test", pixels, pixels)


@pytest.mark.parametrize(
    ("width", "height"), [(160, 120), (90, 200), (16, 16), (1, 1000), (1000, 1), (1, 1), (1600, 900)]
)
def test_depth_is_positive_and_has_the_photos_aspect(backend: EmbeddedDepth, width: int, height: int) -> None:
    photo = photo_of(width, height)
    found = backend.estimate(photo, intrinsics_of_photo(photo), CancelToken())
    assert found.depth.valid.all()
    assert found.depth.scale == "relative"
    assert abs(found.depth.width * height - found.depth.height * width) <= max(width, height)
    assert found.depth.confidence is not None
    assert found.depth.confidence.shape == found.depth.values.shape
    assert 0 <= found.depth.confidence.min() <= found.depth.confidence.max() <= 1


def test_the_same_photo_gives_the_same_depth(backend: EmbeddedDepth) -> None:
    photo = photo_of(120, 80)
    first, again = (backend.estimate(photo, intrinsics_of_photo(photo), CancelToken()) for _ in range(2))
    assert first.depth.id == again.depth.id


def test_a_mirrored_photo_has_mirrored_depth(backend: EmbeddedDepth) -> None:
    pixels = photo_of(96, 64).srgb
    inverse, _ = backend.inverse_depth(pixels)
    mirrored, _ = backend.inverse_depth(np.ascontiguousarray(pixels[:, ::-1]))
    np.testing.assert_allclose(mirrored[:, ::-1], inverse, rtol=1e-4, atol=1e-5)


def test_cancel_stops_the_estimate(backend: EmbeddedDepth) -> None:
    photo, cancel = photo_of(64, 48), CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        backend.estimate(photo, intrinsics_of_photo(photo), cancel)


def test_a_blurred_step_becomes_a_clean_one_at_the_photos_edge() -> None:
    guide = np.zeros((128, 192, 3), np.uint8)
    guide[:, 100:] = 220
    coarse = np.repeat(np.where(np.arange(48) < 25, 1.0, 0.25)[None].astype(np.float32), 32, axis=0)
    fine = snapped(coarse, guide)
    between = (fine > 0.35) & (fine < 0.9)
    assert between.mean() < 0.01
    assert abs(np.argmax(fine[64] < 0.6) - 100) <= 1


def test_without_its_weights_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "embedded_files", lambda: ())
    with pytest.raises(BackendUnavailable, match="do not come with this copy"):
        registry.make_depth_backend("embedded")
