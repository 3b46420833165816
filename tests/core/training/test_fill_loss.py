"""The fill loss: holes alone count, equally for each sample; texture tells blur from detail."""

import torch
from torch import nn

from core.nets.fill_student import FillAnswer, FillInputs
from core.nets.lpips import Lpips
from core.training.fill_config import FillSettings
from core.training.fill_loss import FillBatch, FillLoss, hole_mean, inside, texture_difference


class Believes(nn.Module):
    """Says one share everywhere."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, inputs: FillInputs) -> FillAnswer:
        share = torch.full_like(inputs.copied[:, :1], self.share)
        return FillAnswer(torch.cat([share, share, inputs.copied, torch.zeros_like(inputs.copied)], dim=1))


def batch() -> FillBatch:
    """Copied right, smooth wrong by 0.25 in the hole."""
    torch.manual_seed(0)
    truth = 0.5 * torch.rand(2, 3, 32, 32)
    unknown = torch.zeros(2, 32, 32, dtype=torch.bool)
    unknown[0, 4:8, 4:8] = True
    unknown[1, 4:28, 4:28] = True
    smooth = torch.where(unknown[:, None], truth + 0.25, truth)
    return FillBatch(FillInputs(truth.clone(), smooth, unknown, ~unknown), truth)


def figures(share: float, settings: FillSettings, judge: Lpips | None = None) -> dict[str, float]:
    return {name: float(value) for name, value in FillLoss(Believes(share), settings, judge)(batch()).items()}


def test_the_absolute_difference_is_the_holes() -> None:
    settings = FillSettings(perceptual_weight=0.0)
    assert figures(1.0, settings)["loss"] == 0
    found = figures(0.2, settings)
    torch.testing.assert_close(found["absolute"], 0.2, rtol=1e-5, atol=0)
    torch.testing.assert_close(found["loss"], 0.2, rtol=1e-5, atol=0)
    torch.testing.assert_close(found["share"], 0.2, rtol=1e-5, atol=0)


def test_a_judge_adds_what_it_sees() -> None:
    judge = Lpips()
    for head in judge.heads:
        head.data.fill_(0.1)
    right, wrong = (figures(share, FillSettings(), judge.requires_grad_(False)) for share in (1.0, 0.0))
    assert right["perceptual"] == 0
    assert wrong["perceptual"] > 0
    torch.testing.assert_close(wrong["loss"], wrong["absolute"] + wrong["perceptual"])


def test_where_nothing_is_learned_the_copied_guess_is_judged_too() -> None:
    with torch.no_grad():
        found = figures(0.0, FillSettings(perceptual_weight=0.0))
    assert found["copied_absolute"] == 0
    assert found["absolute"] > 0
    assert "copied_absolute" not in figures(0.0, FillSettings(perceptual_weight=0.0))


def test_every_samples_hole_counts_alike() -> None:
    unknown = batch().inputs.unknown
    values = torch.stack([torch.full((32, 32), 1.0), torch.full((32, 32), 3.0)])
    torch.testing.assert_close(hole_mean(values, unknown), torch.tensor(2.0))


def test_the_truth_stays_outside_the_hole() -> None:
    asked = batch()
    found = inside(torch.full_like(asked.truth, 2.0), asked.truth, asked.inputs.unknown)
    unknown = asked.inputs.unknown[:, None].expand_as(found)
    assert (found[unknown] == 1).all()
    torch.testing.assert_close(found[~unknown], asked.truth[~unknown])


def test_blur_lacks_texture_wherever_it_lay() -> None:
    torch.manual_seed(1)
    rough = torch.rand(1, 3, 48, 48)
    moved, flat = torch.roll(rough, 5, dims=-1), torch.full_like(rough, 0.5)
    assert texture_difference(rough, rough).abs().max() == 0
    assert texture_difference(moved, rough).mean() < 0.5 * texture_difference(flat, rough).mean()
