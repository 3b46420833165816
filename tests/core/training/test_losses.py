"""The quantizer's terms: clear decisions and even use are worth something."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from training_data import packed_data, random_quantizers, tiny

from core.errors import InvalidInput
from core.nets.lpips import Lpips
from core.training.config import QuantizerLoss
from core.training.losses import ReconstructionLoss, code_entropies, perplexity
from core.training.samples import Drawer
from core.training.tasks import make_task


def bits_of(codes: torch.Tensor, count: int, length: float = 1.0) -> torch.Tensor:
    signs = ((codes[:, None] >> torch.arange(count)) & 1) * 2.0 - 1
    return length * signs / math.sqrt(count)


def test_clear_and_even_bits_have_no_doubt_and_all_variety() -> None:
    doubt, variety = code_entropies(bits_of(torch.arange(64).repeat(4), 6), sharpness=50)
    assert float(doubt) == pytest.approx(0, abs=1e-6)
    assert float(variety) == pytest.approx(math.log(64), rel=1e-5)


def test_one_code_has_no_variety_and_vague_bits_are_in_doubt() -> None:
    assert float(code_entropies(bits_of(torch.full((64,), 5), 6), 50)[1]) == pytest.approx(0, abs=1e-5)
    doubt, variety = code_entropies(bits_of(torch.arange(64), 6, length=0.0), 4)
    assert float(doubt) == pytest.approx(6 * math.log(2), rel=1e-6)
    assert float(variety) == pytest.approx(6 * math.log(2), rel=1e-6)


def test_bits_that_go_together_have_less_joint_variety() -> None:
    codes = torch.tensor([0, 3]).repeat(32)
    assert float(code_entropies(bits_of(codes, 2), 50)[1]) == pytest.approx(math.log(2), rel=1e-5)


def test_long_codes_are_counted_in_groups_of_bits() -> None:
    codes = torch.randint(0, 1 << 14, (4096,), generator=torch.Generator().manual_seed(0))
    assert float(code_entropies(bits_of(codes, 14), 50)[1]) == pytest.approx(14 * math.log(2), rel=0.03)


def test_perplexity_is_the_number_of_codes_in_even_use() -> None:
    assert float(perplexity(torch.arange(10).repeat(3), 64)) == pytest.approx(10, rel=1e-4)
    assert float(perplexity(torch.zeros(30, dtype=torch.long), 64)) == pytest.approx(1, rel=1e-4)


def test_a_judge_is_part_of_the_reconstruction() -> None:
    rgb, _ = random_quantizers()
    torch.manual_seed(0)
    judge, images = Lpips(), torch.randn(2, 3, 32, 32)
    for head in judge.heads:
        head.data.fill_(1.0)
    plain = ReconstructionLoss(rgb, QuantizerLoss())(images)
    judged = ReconstructionLoss(rgb, QuantizerLoss(perceptual_weight=2.0), judge)(images)
    assert judged["perceptual"] > 0
    torch.testing.assert_close(judged["reconstruction"], plain["reconstruction"] + 2 * judged["perceptual"])
    torch.testing.assert_close(judged["loss"].detach(), plain["loss"].detach() + 2 * judged["perceptual"])


@pytest.mark.parametrize("name", ["lpq-rgb", "lpq-flow"])
def test_a_judge_that_is_asked_for_must_be_given_and_sees_pictures_only(tmp_path: Path, name: str) -> None:
    config = tiny(name)
    config = replace(config, loss=QuantizerLoss(perceptual_weight=1.0))
    judge = None if name == "lpq-rgb" else Lpips()
    with pytest.raises(InvalidInput, match="needs LPIPS"):
        make_task(config, Drawer(packed_data(tmp_path), config), torch.device("cpu"), judge=judge)
