"""The depth loss: what it must not see, and what it must."""

import pytest
import torch
from torch import nn

from core.training.depth_config import DepthSettings
from core.training.depth_loss import (
    DepthBatch,
    DepthLoss,
    affine_delta1,
    aligned,
    coarse,
    laplace,
    least_squares,
    multi_scale_gradient,
)


def scene(count: int = 2) -> torch.Tensor:
    """Inverse depth of tilted planes with a step."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 32), torch.linspace(0, 1, 64), indexing="ij")
    plane = 0.2 + y + 0.3 * x
    return torch.stack([plane + number * (x > 0.5) for number in range(count)])


class Given(nn.Module):
    """A network that answers with what it was made with."""

    def __init__(self, inverse: torch.Tensor, doubt: float = 0.0) -> None:
        super().__init__()
        self.inverse = nn.Parameter(inverse)
        self.doubt = nn.Parameter(torch.full_like(inverse, doubt))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.inverse, self.doubt


def figures(made: torch.Tensor, wanted: torch.Tensor, weak: bool) -> dict[str, torch.Tensor]:
    batch = DepthBatch(torch.zeros(len(wanted), 3, 32, 64), wanted, torch.full((len(wanted),), weak))
    return DepthLoss(Given(made), DepthSettings())(batch)


@pytest.mark.parametrize("weak", [False, True])
def test_scale_and_shift_cost_nothing_and_other_differences_do(weak: bool) -> None:
    right = figures(7 * scene() - 3, scene(), weak)
    wrong = figures(scene().flip(-1), scene(), weak)
    name = "weak" if weak else "exact"
    assert right[name] < 1e-4
    assert wrong[name] > 0.3
    assert right["gradient"] < 1e-4


def test_a_shift_costs_where_depth_is_exact_and_a_scale_does_not() -> None:
    assert figures(7 * scene(), scene(), False)["scale"] < 1e-5
    assert figures(scene() + 1, scene(), False)["scale"] > 0.1
    assert figures(scene() + 1, scene(), True)["scale"] == 0


def test_depth_upside_down_costs_more_than_none() -> None:
    turned, flat = figures(-scene(), scene(), False), figures(torch.rand_like(scene()), scene(), False)
    assert turned["exact"] > flat["exact"]


def test_unknown_pixels_change_neither_loss_nor_gradient() -> None:
    wanted = scene()
    wanted[:, 4:9, 10:30] = torch.nan
    made = scene().flip(-1)
    results = []
    for inside in (0.0, 100.0):
        changed = made.clone()
        changed[:, 4:9, 10:30] = inside
        network = Given(changed)
        batch = DepthBatch(torch.zeros(2, 3, 32, 64), wanted, torch.zeros(2, dtype=torch.bool))
        found = DepthLoss(network, DepthSettings())(batch)
        found["loss"].backward()
        assert network.inverse.grad is not None
        assert network.inverse.grad.isfinite().all()
        assert (network.inverse.grad[:, 4:9, 10:30] == 0).all()
        results.append(float(found["loss"].detach()))
    assert results[0] == pytest.approx(results[1], rel=1e-5)


def test_a_batch_of_one_kind_gives_every_figure() -> None:
    for weak in (False, True):
        found = figures(scene().flip(-1), scene(), weak)
        assert all(value.isfinite() for value in found.values())


def test_aligned_values_have_middle_0_and_deviation_1() -> None:
    found = aligned(scene() * 5 + 2)
    rows = found.flatten(1)
    torch.testing.assert_close(rows.abs().mean(1), torch.ones(2), rtol=0.05, atol=0.0)
    assert rows.median(1).values.abs().max() < 0.05


def test_noise_on_a_flat_wall_is_not_blown_up() -> None:
    wall = 0.5 + 1e-4 * torch.rand(1, 32, 64)
    assert aligned(wall).abs().max() < 0.05


def test_a_blocks_mean_is_unknown_when_one_pixel_is() -> None:
    values = torch.ones(1, 8, 8)
    values[0, 1, 2] = torch.nan
    assert coarse(values).isnan().tolist() == [[[True, False], [False, False]]]


def test_a_sharp_step_where_it_belongs_beats_a_blurred_one() -> None:
    wanted = scene()[1:]
    blurred = torch.nn.functional.avg_pool2d(wanted[:, None], 7, 1, 3, count_include_pad=False)[:, 0]
    known = torch.ones_like(wanted, dtype=torch.bool)
    assert multi_scale_gradient(blurred - wanted, known) > multi_scale_gradient(torch.zeros_like(wanted), known)


def test_doubt_is_least_costly_at_the_mean_difference() -> None:
    residual = torch.full((1, 2, 2), 0.5)
    costs = [float(laplace(residual, torch.full((1, 2, 2), value).log()).mean()) for value in (0.25, 0.5, 1.0)]
    assert costs[1] == min(costs)


def test_least_squares_finds_scale_and_shift() -> None:
    wanted = scene()
    known = torch.rand(wanted.shape) > 0.5
    torch.testing.assert_close(least_squares(0.1 * wanted + 4, wanted, known), wanted, rtol=1e-3, atol=1e-3)
    assert affine_delta1(0.1 * wanted + 4, wanted) == 1.0
