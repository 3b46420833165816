"""An encoder goes from one network to another by name, and only where it fits."""

from pathlib import Path

import pytest
import torch

from core.errors import InvalidInput
from core.nets.click_student import ClickStudent, ClickStudentConfig
from core.nets.depth_student import DepthStudent, DepthStudentConfig
from core.nets.files import click_student_bytes, take_weights

CLICK = ClickStudentConfig(8, (8, 8, 8, 8), (1, 1, 1, 1), 1, (8, 8, 8, 8), 1, 1)


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    path = tmp_path / "click.safetensors"
    path.write_bytes(click_student_bytes(ClickStudent(CLICK), torch.float32))
    return path


def test_a_depth_network_sees_what_the_click_networks_encoder_sees(clicks: Path) -> None:
    torch.manual_seed(1)
    told = ClickStudent(CLICK)
    torch.manual_seed(2)
    network = DepthStudent(DepthStudentConfig((8, 8, 8, 8), (1, 1, 1, 2), (8, 8, 8, 8), 1))
    head = network.head.weight.clone()
    taken = take_weights(clicks, network)
    assert 0 < taken < len(told.state_dict())
    images = torch.rand(1, 3, 64, 64)
    for made, wanted in zip(network.pyramid(images)[:-1], told.pyramid(images)[:-1], strict=True):
        torch.testing.assert_close(made, wanted)
    # Only the deepest has a block more than what it was given.
    torch.testing.assert_close(network.context[0](network.shrink[3](made)), told.pyramid(images)[-1])
    torch.testing.assert_close(network.head.weight, head)


def test_an_encoder_of_other_sizes_is_refused(clicks: Path) -> None:
    network = DepthStudent(DepthStudentConfig((8, 8, 8, 16), (1, 1, 1, 1), (8, 8, 8, 8), 1))
    with pytest.raises(InvalidInput, match="no encoder of this network's sizes"):
        take_weights(clicks, network)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"no tensors")
    network = DepthStudent(DepthStudentConfig((8, 8, 8, 8), (1, 1, 1, 1), (8, 8, 8, 8), 1))
    with pytest.raises(InvalidInput, match="damaged"):
        take_weights(tmp_path / "broken.safetensors", network)
