"""The fill network: any sides, where its guesses go, how far it sees, and its file."""

from pathlib import Path

import pytest
import torch

from core.errors import InvalidInput
from core.nets.blocks import doubled
from core.nets.files import fill_student_bytes, load_depth_student, load_fill_student
from core.nets.fill_student import FillAnswer, FillInputs, FillStudent, FillStudentConfig

TINY = FillStudentConfig((8, 8, 16, 16), (1, 1, 3, 1), 2)


def tiny() -> FillStudent:
    torch.manual_seed(0)
    return FillStudent(TINY).eval()


def inputs(count: int, height: int, width: int) -> FillInputs:
    torch.manual_seed(1)
    unknown = torch.zeros(count, height, width, dtype=torch.bool)
    unknown[:, height // 4 : height // 2, width // 4 : width // 2] = True
    return FillInputs(torch.rand(count, 3, height, width), torch.rand(count, 3, height, width), unknown, ~unknown)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (37, 90), (64, 21)])
def test_an_answer_has_the_pictures_size_whatever_its_sides(height: int, width: int) -> None:
    with torch.no_grad():
        answer = tiny()(inputs(2, height, width))
    assert answer.share.shape == (2, 1, height, width)
    assert answer.correction.shape == (2, 3, height, width)
    assert ((answer.share >= 0) & (answer.share <= 1)).all()
    assert answer.maps.isfinite().all()


def test_an_untrained_network_believes_the_copied_guess() -> None:
    asked = inputs(1, 48, 48)
    with torch.no_grad():
        made = tiny()(asked).applied(asked.copied, asked.smooth)
    assert (made - asked.copied).abs().mean() < 0.25 * (made - asked.smooth).abs().mean()


def test_the_mixture_is_either_guess_at_the_ends_of_its_share() -> None:
    asked = inputs(1, 32, 32)
    with torch.no_grad():
        answer = tiny()(asked)
    nothing = torch.zeros_like(answer.correction)
    for end, wanted in ((0.0, asked.smooth), (1.0, asked.copied)):
        ends = torch.full_like(answer.share, end)
        found = FillAnswer(torch.cat([ends, ends, answer.colour, nothing], dim=1))
        torch.testing.assert_close(found.applied(asked.copied, asked.smooth), wanted)


def test_an_answer_has_no_fine_detail_of_its_own() -> None:
    """Halved and doubled again it is what it was, but for the border of the hole, where the correction sets in."""
    asked = inputs(1, 64, 64)
    with torch.no_grad():
        maps = tiny()(asked).maps[:, [0, 1, 5, 6, 7], 36:, 36:]
    again = doubled(torch.nn.functional.avg_pool2d(maps, 2))
    error = (again - maps)[..., 2:-2, 2:-2].abs().mean()
    assert error < 0.15 * (maps - maps.mean((2, 3), keepdim=True)).abs().mean()


def test_a_hole_is_filled_alike_alone_and_among_others() -> None:
    many = inputs(3, 48, 32)
    one = FillInputs(many.copied[1:2], many.smooth[1:2], many.unknown[1:2], many.usable[1:2])
    with torch.no_grad():
        together, alone = tiny()(many), tiny()(one)
    torch.testing.assert_close(together.maps[1:2], alone.maps, rtol=1e-4, atol=1e-5)


def test_every_place_sees_every_other() -> None:
    asked = inputs(1, 64, 96)
    asked.smooth.requires_grad_()
    tiny()(asked).share[0, 0, 0, 0].backward()
    assert asked.smooth.grad is not None
    assert asked.smooth.grad[0, :, -8:, -8:].abs().max() > 0


def test_a_file_gives_the_network_back(tmp_path: Path) -> None:
    network, path = tiny(), tmp_path / "fill.safetensors"
    path.write_bytes(fill_student_bytes(network, torch.float32))
    loaded, asked = load_fill_student(path), inputs(1, 32, 32)
    assert loaded.config == TINY
    with torch.no_grad():
        torch.testing.assert_close(loaded(asked).maps, network(asked).maps, rtol=1e-4, atol=1e-5)
    with pytest.raises(InvalidInput, match="no depth network"):
        load_depth_student(path)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="multiple of the 3 heads"):
        FillStudentConfig((8, 8, 8, 16), (1, 1, 1, 1), 3)
    with pytest.raises(InvalidInput, match="at least 1"):
        FillStudentConfig((0, 8, 8, 16), (1, 1, 1, 1), 2)


def test_the_network_that_is_trained_fits_its_share_of_the_weights() -> None:
    count = sum(parameter.numel() for parameter in FillStudent(FillStudentConfig()).parameters())
    assert count <= 2_500_000
