"""The loss of masks by click: right masks cost little, the best candidate counts, corrections go where errors are."""

from dataclasses import replace

import pytest
import torch

from core.nets.click_student import ClickStudent, ClickStudentConfig, Prompts
from core.training.click_loss import ClickBatch, ClickLoss, mask_loss, overlap

TINY = ClickStudentConfig(8, (8, 8, 16, 16), (1, 1, 1, 1), 2, (8, 8, 8, 16), 1, 2)


def two_squares() -> ClickBatch:
    """One photo with a red and a blue square; a click on each means that one."""
    images, wanted = torch.full((1, 3, 64, 64), 0.3), torch.zeros(2, 64, 64)
    for index, (x, colour) in enumerate(((8, 0), (36, 2))):
        images[:, colour, 20:44, x : x + 20] = 1.0
        wanted[index, 20:44, x : x + 20] = 1
    clicks = torch.tensor([[[18.0, 32.0, 1.0]], [[46.0, 32.0, 1.0]]])
    said = Prompts(clicks, torch.full((2, 4), torch.nan), torch.full((2, 16, 16), torch.nan))
    return ClickBatch(
        images, torch.tensor([0, 0]), said, wanted, torch.ones(2, 64, 64, dtype=torch.bool), torch.ones(2)
    )


def test_right_masks_cost_little_and_wrong_ones_much() -> None:
    batch = two_squares()
    right = (20 * batch.wanted - 10)[:, None].expand(-1, 3, -1, -1)
    assert mask_loss(right, batch.wanted, batch.counted).max() < 0.01
    assert mask_loss(-right, batch.wanted, batch.counted).min() > 1
    torch.testing.assert_close(overlap(right > 0, batch.wanted, batch.counted), torch.ones(2, 3))
    assert not overlap(right < 0, batch.wanted, batch.counted).any()


def test_pixels_that_do_not_count_cost_nothing() -> None:
    batch = two_squares()
    logits = (20 * batch.wanted - 10)[:, None].repeat(1, 3, 1, 1)
    logits[..., :4] *= -1
    batch.counted[..., :4] = False
    assert mask_loss(logits, batch.wanted, batch.counted).max() < 0.01


@pytest.mark.parametrize("corrections", [0, 2])
def test_one_batch_is_learned(corrections: int) -> None:
    torch.manual_seed(0)
    loss = ClickLoss(ClickStudent(TINY))
    batch = replace(two_squares(), corrections=corrections)
    optimiser = torch.optim.AdamW(loss.parameters(), lr=3e-3)
    for _ in range(60):
        figures = loss(batch)
        optimiser.zero_grad()
        figures["loss"].backward()
        optimiser.step()
    assert figures["best"] > 0.75
    assert figures["overlap"] <= figures["best"]


def test_corrections_are_clicks_on_errors_with_the_mask_before() -> None:
    torch.manual_seed(0)
    loss, batch = ClickLoss(ClickStudent(TINY)), replace(two_squares(), corrections=1)
    prompts, _ = loss._corrected(loss.network.encode(batch.images).of(batch.photos), batch, batch.prompts)
    assert prompts.clicks.shape == (2, 2, 3)
    assert prompts.previous.isfinite().all()
    for (x, y, sign), wanted in zip(prompts.clicks[:, 1].tolist(), batch.wanted, strict=True):
        assert (wanted[int(y), int(x)] > 0.5) == (sign > 0)


def test_prompts_without_weight_do_not_matter() -> None:
    torch.manual_seed(0)
    loss, batch = ClickLoss(ClickStudent(TINY)), two_squares()
    other = replace(batch, wanted=torch.stack([batch.wanted[0], 1 - batch.wanted[1]]))
    only_first = torch.tensor([1.0, 0.0])
    values = [loss(replace(one, weights=only_first))["loss"] for one in (batch, other)]
    torch.testing.assert_close(*values)
