"""LPIPS: a distance, read from two files and from no others."""

from pathlib import Path

import pytest
import torch

from core.errors import InvalidInput
from core.nets.lpips import Lpips, load_lpips


def write_weights(folder: Path) -> tuple[Path, Path]:
    """Random weights in the files' true format."""
    torch.manual_seed(0)
    network = Lpips()
    trunk = {f"features.{name}": value for name, value in network.features.state_dict().items()}
    torch.save(trunk, folder / "trunk.pt")
    torch.save(
        {f"lin{i}.model.1.weight": torch.rand_like(head) for i, head in enumerate(network.heads)}, folder / "h.pt"
    )
    return folder / "trunk.pt", folder / "h.pt"


@pytest.fixture
def judge(tmp_path: Path) -> Lpips:
    return load_lpips(*write_weights(tmp_path))


def test_equal_pictures_differ_by_nothing_and_order_does_not_matter(judge: Lpips) -> None:
    a, b = torch.rand(2, 3, 33, 50), torch.rand(2, 3, 33, 50)
    assert judge(a, a).abs().max() == 0
    assert judge(a, b).shape == (2, 33, 50)
    torch.testing.assert_close(judge(a, b), judge(b, a))
    assert judge(a, b).mean() > 0


def test_more_noise_differs_more(judge: Lpips) -> None:
    picture, noise = torch.rand(1, 3, 64, 64), torch.randn(1, 3, 64, 64)
    found = [judge(picture, picture + strength * noise).mean() for strength in (0.02, 0.1, 0.4)]
    assert found[0] < found[1] < found[2]


def test_it_has_the_trunks_weights_and_learns_nothing(judge: Lpips, tmp_path: Path) -> None:
    stored = torch.load(tmp_path / "trunk.pt", weights_only=True)
    torch.testing.assert_close(judge.features[0].weight, stored["features.0.weight"])
    assert not any(parameter.requires_grad for parameter in judge.parameters())


def test_other_files_are_refused(tmp_path: Path) -> None:
    trunk, heads = write_weights(tmp_path)
    with pytest.raises(InvalidInput, match="LPIPS's heads"):
        load_lpips(trunk, trunk)
    with pytest.raises(InvalidInput, match="LPIPS's heads"):
        load_lpips(heads, heads)
    (tmp_path / "text.pt").write_text("no weights")
    for path in (tmp_path / "text.pt", tmp_path / "absent.pt"):
        with pytest.raises(InvalidInput, match="missing, damaged"):
            load_lpips(path, heads)
