"""Depth in a session: from a file, by the brush, by a known distance."""

import numpy as np
import pytest
from serving import wait_until
from studio_photo import square_photo

from core.errors import InvalidInput
from core.files.npy import encode_npy


def test_bring_your_own_depth(session):
    session.open_photo(square_photo(), "square.png")
    session.use_depth_file(encode_npy(np.full((30, 40), 2.5, np.float32)), "depth.npy", None)
    assert session.state.depth_scale == "metric"
    assert session.state.unit == "m"
    with pytest.raises(InvalidInput, match="another shape"):
        session.use_depth_file(encode_npy(np.full((40, 40), 2.5, np.float32)), "square.npy", None)


def test_a_sparse_depth_file_sizes_the_guess_and_keeps_its_shape(coffee):
    coffee.use_depth_backend("layout")
    wait_until(lambda: coffee.project.depth.upright_objects)
    guess = coffee.project.depth
    measured = np.zeros((guess.height, guess.width), np.float32)
    measured[::16, ::16] = 3.0 * guess.values[::16, ::16]
    coffee.use_depth_file(encode_npy(measured), "lidar.npy", None)
    assert coffee.state.depth_scale == "metric"
    assert coffee.project.depth.upright_objects
    np.testing.assert_allclose(coffee.project.depth.values, 3.0 * guess.values, rtol=1e-3)


def test_the_depth_brush_and_a_known_distance_are_steps_of_the_history(coffee):
    coffee.select(None)
    before, steps = coffee.project.depth, len(coffee.state.steps)
    coffee.retouch_depth([(100.0, 300.0), (140.0, 300.0)], 30.0, "push", 1.0)
    assert coffee.project.depth.values[300, 120] > 1.2 * before.values[300, 120]
    assert coffee.state.depth_title.endswith(", retouched")
    coffee.set_distance((50.0, 350.0), (300.0, 350.0), 0.4)
    assert coffee.measure((50.0, 350.0), (300.0, 350.0)) == pytest.approx(0.4, rel=1e-4)
    assert coffee.state.unit == "m"
    assert len(coffee.state.steps) == steps + 2
    coffee.undo()
    coffee.undo()
    assert coffee.project.depth is before


def test_the_depth_brush_stays_within_the_selected_object(coffee):
    before = coffee.project.depth.values
    coffee.retouch_depth([(300.0, 200.0), (590.0, 390.0)], 80.0, "pull", 1.0)
    changed = coffee.project.depth.values != before
    mask = coffee.selected_object.mask.coverage
    assert changed.any()
    assert not changed[mask == 0].any()
