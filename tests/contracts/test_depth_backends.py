import numpy as np
import pytest

from core.errors import BackendUnavailable, Cancelled
from core.maths.camera import intrinsics_of_photo
from core.perception import registry
from core.types.photo import Photo
from core.types.protocols import CancelToken

RUNNABLE = [name for name, entry in registry.depth_backends().items() if entry.why_not() is None]


def photo_of(width: int, height: int, seed: int = 0) -> Photo:
    noise = np.random.default_rng(seed).integers(0, 60, (height, width, 3), dtype=np.uint8)
    noise[: height // 2] += 120
    return Photo("test", noise, noise)


@pytest.fixture(params=RUNNABLE)
def backend(request):
    return registry.make_depth_backend(request.param)


@pytest.mark.parametrize(("width", "height"), [(160, 120), (16, 16), (1, 2000), (2000, 1), (1, 1), (4000, 3000)])
def test_depth_is_positive_and_has_the_photos_aspect(backend, width, height):
    photo = photo_of(width, height)
    estimate = backend.estimate(photo, intrinsics_of_photo(photo), CancelToken())
    depth = estimate.depth
    assert depth.valid.any()
    assert depth.values[depth.valid].min() > 0
    assert abs(depth.width * height - depth.height * width) <= max(width, height)
    assert (estimate.intrinsics.width, estimate.intrinsics.height) == (width, height)
    assert depth.source


def test_the_same_photo_gives_the_same_depth(backend):
    photo = photo_of(120, 90, seed=3)
    intrinsics = intrinsics_of_photo(photo)
    first = backend.estimate(photo, intrinsics, CancelToken())
    again = backend.estimate(photo, intrinsics, CancelToken())
    assert first.depth.id == again.depth.id
    assert first.layout == again.layout


def test_cancel_stops_the_estimate(backend):
    photo, cancel = photo_of(64, 48), CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        backend.estimate(photo, intrinsics_of_photo(photo), cancel)


def test_the_registered_info_is_the_backends_own(backend):
    assert registry.depth_backends()[backend.info.name].info == backend.info


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(BackendUnavailable, match="layout"):
        registry.make_depth_backend("crystal ball")
