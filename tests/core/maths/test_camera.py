"""Laws of projection and of intrinsics that follow their picture."""

import numpy as np
import pytest
from scenes import textured_photo

from core.errors import InvalidInput
from core.files.reading.decoded import upright
from core.maths.camera import (
    as_stored,
    cropped,
    focal_35mm,
    fov_deg,
    intrinsics_from_fov,
    intrinsics_of_photo,
    pixel_rays,
    project,
    resized,
    unproject,
)
from core.maths.rigid import pose, rotation_from_euler_deg
from core.types.camera import Camera, Intrinsics

K = Intrinsics(500.0, 480.0, 300.2, 210.7, 640, 427)
RNG = np.random.default_rng(11)


def test_projecting_an_unprojection_returns_the_pixel():
    xy = RNG.uniform(0, 400, (50, 2))
    z = RNG.uniform(0.1, 90, 50)
    points = unproject(K, xy, z)
    assert np.allclose(project(K, points), xy)
    assert np.allclose(points[:, 2], z)


def test_rays_are_unprojections_at_unit_depth():
    y, x = np.mgrid[: K.height, : K.width]
    assert np.allclose(pixel_rays(K), unproject(K, np.stack([x, y], -1).astype(float), np.ones(x.shape)), atol=1e-5)


@pytest.mark.parametrize("size", [(320, 213), (1280, 854), (17, 900)])
def test_resizing_commutes_with_projecting(size):
    points = np.column_stack([RNG.uniform(-1, 1, 30), RNG.uniform(-1, 1, 30), RNG.uniform(1, 5, 30)])
    scale = np.array([size[0] / K.width, size[1] / K.height])
    moved = (project(K, points) + 0.5) * scale - 0.5  # pixel edges scale; centres are half a pixel inside
    assert np.allclose(project(resized(K, *size), points), moved)


def test_cropping_shifts_projections():
    points = np.array([[0.1, 0.2, 2.0]])
    assert np.allclose(project(cropped(K, 30, 40, 100, 100), points), project(K, points) - [30, 40])


def test_points_behind_the_camera_have_no_pixel():
    assert np.isnan(project(K, np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]))).all()


@pytest.mark.parametrize("size", [(600, 400), (400, 600)])
def test_field_of_view_is_across_the_longer_side(size):
    assert np.isclose(fov_deg(intrinsics_from_fov(55.0, *size)), 55.0)


@pytest.mark.parametrize("fov", [0.0, 180.0, float("nan")])
def test_impossible_fields_of_view_are_refused(fov):
    with pytest.raises(InvalidInput, match="field of view"):
        intrinsics_from_fov(fov, 100, 100)


def test_exif_focal_length_is_used():
    from dataclasses import replace

    photo = replace(textured_photo(600, 400), focal_35mm=50.0)
    assert np.isclose(focal_35mm(intrinsics_of_photo(photo)), 50.0)
    assert np.isclose(fov_deg(intrinsics_of_photo(textured_photo(600, 400))), 55.0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_fits_the_picture_as_it_is_stored(orientation):
    """A mark in the stored picture is where the stored camera sees the point under it in the upright one."""
    camera = Camera(Intrinsics(50.0, 60.0, 3.2, 1.7, 8, 6), pose(rotation_from_euler_deg(5, -9, 20), (0.1, 0.2, 0.3)))
    stored = as_stored(camera, orientation)
    if orientation in (2, 4, 5, 7):
        assert stored is None
        return
    assert stored is not None
    size = (8, 6) if orientation < 5 else (6, 8)
    assert (stored.intrinsics.width, stored.intrinsics.height) == size
    marks = np.zeros(size[::-1], np.uint8)
    marks[1, 2] = 1
    (y,), (x,) = np.nonzero(upright(marks, orientation))
    point = unproject(camera.intrinsics, np.array([x, y], float), np.array(2.0))
    world = np.linalg.inv(camera.camera_from_world.matrix) @ [*point, 1.0]
    seen = project(stored.intrinsics, (stored.camera_from_world.matrix @ world)[:3])
    assert np.allclose(seen, (2, 1))
