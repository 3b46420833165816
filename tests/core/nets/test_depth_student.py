"""The depth network: shapes, aspect ratios, its upsampling, and its file."""

from pathlib import Path

import pytest
import torch

from core.errors import InvalidInput
from core.nets.blocks import convex_upsampled
from core.nets.depth_student import DepthStudent, DepthStudentConfig
from core.nets.files import depth_student_bytes, load_depth_student

TINY = DepthStudentConfig((8, 8, 16, 16), (1, 1, 1, 2), (8, 8, 8, 16), 2)


def tiny() -> DepthStudent:
    torch.manual_seed(0)
    return DepthStudent(TINY).eval()


@pytest.mark.parametrize(("height", "width"), [(32, 32), (96, 64), (64, 160)])
def test_depth_and_doubt_have_the_pictures_size(height: int, width: int) -> None:
    with torch.no_grad():
        depth, doubt = tiny()(torch.rand(2, 3, height, width))
    assert depth.shape == doubt.shape == (2, height, width)
    assert depth.isfinite().all()
    assert doubt.isfinite().all()


def test_sides_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="48x32"):
        tiny()(torch.rand(1, 3, 32, 48))


def test_a_picture_is_read_alike_alone_and_among_others() -> None:
    images = torch.rand(3, 3, 64, 32)
    with torch.no_grad():
        together, _ = tiny()(images)
        alone, _ = tiny()(images[1:2])
    torch.testing.assert_close(together[1:2], alone, rtol=1e-4, atol=1e-5)


def test_every_place_sees_every_other() -> None:
    images = torch.rand(1, 3, 64, 96, requires_grad=True)
    tiny()(images)[0][0, 0, 0].backward()
    assert images.grad is not None
    assert images.grad[0, :, -8:, -8:].abs().max() > 0


def test_upsampling_repeats_a_constant_and_stays_within_its_neighbours() -> None:
    scores = torch.randn(1, 36, 5, 7)
    flat = convex_upsampled(torch.full((1, 1, 5, 7), 3.0), scores)
    torch.testing.assert_close(flat, torch.full((1, 1, 10, 14), 3.0))
    values = torch.rand(1, 1, 5, 7)
    fine = convex_upsampled(values, scores)
    assert fine.max() <= values.max() + 1e-6
    assert fine.min() >= values.min() - 1e-6


def test_upsampling_with_a_sure_score_copies_that_neighbour() -> None:
    scores = torch.zeros(1, 9, 4, 4, 4)
    scores[:, 5] = 50.0  # the right neighbour
    values = torch.arange(16.0).view(1, 1, 4, 4)
    fine = convex_upsampled(values, scores.view(1, 36, 4, 4))
    torch.testing.assert_close(fine[0, 0, 2:4, 0:6:2], torch.tensor([[5.0, 6.0, 7.0]] * 2))


def test_the_default_network_is_small_enough_to_ship() -> None:
    with torch.device("meta"):
        network = DepthStudent(DepthStudentConfig())
    assert 2 * sum(parameter.numel() for parameter in network.parameters()) <= 16_000_000


def test_a_file_gives_the_network_back(tmp_path: Path) -> None:
    network, images = tiny(), torch.rand(1, 3, 32, 64)
    path = tmp_path / "depth.safetensors"
    path.write_bytes(depth_student_bytes(network, torch.float32))
    again = load_depth_student(path)
    assert again.config == TINY
    with torch.no_grad():
        torch.testing.assert_close(again(images), network(images))


@pytest.mark.parametrize("kept", [0, 40, 3000])
def test_a_cut_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "depth.safetensors"
    path.write_bytes(depth_student_bytes(tiny())[:kept])
    with pytest.raises(InvalidInput, match=r"depth\.safetensors"):
        load_depth_student(path)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    network = tiny()
    with torch.no_grad():
        network.head.bias[0] = torch.nan
    path = tmp_path / "depth.safetensors"
    path.write_bytes(depth_student_bytes(network))
    with pytest.raises(InvalidInput, match="not finite"):
        load_depth_student(path)


@pytest.mark.parametrize("sizes", [{"widths": (8, 8, 8, 9)}, {"heads": 0}, {"blocks": (1, 1, 1, -1)}])
def test_impossible_sizes_are_refused(sizes: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        DepthStudentConfig(**{"heads": 2, **sizes})  # type: ignore[arg-type]
