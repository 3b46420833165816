"""Fill by the network: known pixels and hidden surfaces stay out of it, at any size and depth of bits."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scenes import textured_photo

from core.engines.network_fill import NetworkFill
from core.errors import InvalidInput
from core.maths.exemplar import exemplar
from core.maths.fill import Picture, smooth
from core.nets.files import fill_student_bytes
from core.nets.fill_student import FillStudent, FillStudentConfig


def network() -> FillStudent:
    """Untrained, its answer made strong enough to be seen."""
    torch.manual_seed(0)
    made = FillStudent(FillStudentConfig((8, 8, 16, 16), (1, 1, 1, 1), 2))
    made.head.weight.data *= 8
    made.correcting.weight.data *= 8
    return made


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "fill.safetensors"
    path.write_bytes(fill_student_bytes(network(), torch.float32))
    return path


def only_copies(folder: Path) -> Path:
    """Weights that believe the copied guess wholly and add nothing."""
    made = network()
    for layer in (made.head, made.correcting):
        layer.weight.data.zero_()
        layer.bias.data.zero_()
    # sigmoid(30 + ...) is 1, and 1.25 sigmoid(1.386294) is 1.
    made.head.bias.data[:] = torch.tensor([30.0, np.log(4) - 1.39])
    path = folder / "copies.safetensors"
    path.write_bytes(fill_student_bytes(made, torch.float32))
    return path


def case(width: int = 110, height: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    picture = textured_photo(width, height).srgb.copy()
    unknown, hidden = np.zeros((height, width), bool), np.zeros((height, width), bool)
    unknown[30:55, 40:62] = True
    hidden[25:60, 62:70] = True
    return picture, unknown, hidden


def filled(weights: Path, picture: Picture, unknown: np.ndarray, ok: np.ndarray, side: int = 512) -> Picture:
    return NetworkFill(weights, side)(picture, unknown, ok, depth=None, seed=3, check=lambda: None)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("side", [512, 48])
def test_known_pixels_are_untouched_and_the_hole_is_filled(weights: Path, kind: type, side: int) -> None:
    picture, unknown, hidden = case()
    scale = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[kind]
    picture = (picture.astype(np.float32) * scale).astype(kind)
    result = filled(weights, picture, unknown, ~hidden, side)
    assert result.dtype == kind
    np.testing.assert_array_equal(result[~unknown], picture[~unknown])
    assert np.isfinite(result).all()
    guess = smooth(picture, unknown, ~hidden)
    assert not np.array_equal(result[unknown], guess[unknown])


def test_nearer_pixels_never_bleed_in(weights: Path) -> None:
    picture, unknown, hidden = case()
    other = picture.copy()
    other[hidden] = (255, 0, 0)
    a, b = (filled(weights, each, unknown, ~hidden) for each in (picture, other))
    np.testing.assert_array_equal(a[unknown], b[unknown])


def test_the_answer_depends_on_the_network(weights: Path, tmp_path: Path) -> None:
    picture, unknown, hidden = case()
    a, b = (filled(path, picture, unknown, ~hidden) for path in (weights, only_copies(tmp_path)))
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("side", [512, 48])
def test_belief_in_the_copied_guess_keeps_its_texture_at_full_size(tmp_path: Path, side: int) -> None:
    """Also where the network saw a reduced picture only."""
    picture, unknown, _ = case()
    everything = np.ones_like(unknown)
    result = filled(only_copies(tmp_path), picture, unknown, everything, side)
    np.testing.assert_allclose(result, exemplar(picture, unknown, everything, seed=3), atol=1)


def test_without_a_usable_pixel_or_without_a_hole_no_network_is_asked(tmp_path: Path) -> None:
    picture, unknown, _ = case()
    absent = tmp_path / "absent.safetensors"
    nothing = np.zeros_like(unknown)
    result = filled(absent, picture, unknown, nothing)
    assert len(np.unique(result[unknown])) == 1
    np.testing.assert_array_equal(filled(absent, picture, nothing, ~nothing), picture)
    with pytest.raises(InvalidInput, match="install it again"):
        filled(absent, picture, unknown, ~nothing)


def test_it_stops_when_told_to(weights: Path) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    picture, unknown, _ = case()
    with pytest.raises(Stop):
        NetworkFill(weights)(picture, unknown, ~unknown, depth=None, seed=0, check=stop)
