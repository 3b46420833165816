"""Networks to and from one safetensors file that carries its own sizes."""

import dataclasses
import json
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from core.compute import computes
from core.errors import InvalidInput
from core.nets.click_student import ClickStudent, ClickStudentConfig
from core.nets.depth_student import DepthStudent, DepthStudentConfig
from core.nets.fill_student import FillStudent, FillStudentConfig

Network = TypeVar("Network", DepthStudent, ClickStudent, FillStudent)

_KINDS = {
    DepthStudent: "lras-studio-depth-student-1",
    ClickStudent: "lras-studio-click-student-1",
    FillStudent: "lras-studio-fill-student-1",
}
_CONFIGS = {DepthStudent: DepthStudentConfig, ClickStudent: ClickStudentConfig, FillStudent: FillStudentConfig}
_ENCODER = {"stem", "shrink", "stages", "context"}
_WORDS = {DepthStudent: "depth", ClickStudent: "click", FillStudent: "fill"}


def depth_student_bytes(network: DepthStudent, dtype: torch.dtype = torch.float16) -> bytes:
    """The file's content."""
    return _bytes(network, dtype)


def click_student_bytes(network: ClickStudent, dtype: torch.dtype = torch.float16) -> bytes:
    """The file's content."""
    return _bytes(network, dtype)


def fill_student_bytes(network: FillStudent, dtype: torch.dtype = torch.float16) -> bytes:
    """The file's content."""
    return _bytes(network, dtype)


def load_depth_student(path: Path) -> DepthStudent:
    """The network in float32, ready to be asked. Raises InvalidInput when the file is missing or another's."""
    return _load(path, DepthStudent)


def load_click_student(path: Path) -> ClickStudent:
    """The network in float32, ready to be asked. Raises InvalidInput when the file is missing or another's."""
    return _load(path, ClickStudent)


def load_fill_student(path: Path) -> FillStudent:
    """The network in float32, ready to be asked. Raises InvalidInput when the file is missing or another's."""
    return _load(path, FillStudent)


def take_weights(path: Path, network: nn.Module) -> int:
    """Start `network` with what a depth or click network of a file has of it; how many tensors that was.

    All of one of the same kind, of the other kind its encoder. Raises InvalidInput when the file is damaged, or its
    encoder is of other sizes.
    """
    stored, described = _read(path)
    own = network.state_dict()
    is_same_kind = described.get("kind") == _KINDS.get(type(network))
    shared = {
        name: stored[name]
        for name in own
        if (is_same_kind or name.partition(".")[0] in _ENCODER)
        and name in stored
        and stored[name].shape == own[name].shape
    }
    if not {"stem.weight", "shrink.0.weight", "shrink.3.weight"} <= set(shared):
        raise InvalidInput(f"{path} has no encoder of this network's sizes; leave it out, or take those sizes.")
    network.load_state_dict(shared, strict=False)
    return len(shared)


def _bytes(network: DepthStudent | ClickStudent | FillStudent, dtype: torch.dtype) -> bytes:
    tensors = {name: value.detach().to("cpu", dtype).contiguous() for name, value in network.state_dict().items()}
    return save(tensors, {"kind": _KINDS[type(network)], "config": json.dumps(dataclasses.asdict(network.config))})


@computes
def _load(path: Path, network_type: type[Network]) -> Network:
    tensors, described = _read(path)
    if described.get("kind") != _KINDS[network_type]:
        raise InvalidInput(f"{path} is no {_WORDS[network_type]} network of this version; install it again.")
    table = json.loads(described["config"])
    sizes = {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}
    network = network_type(_CONFIGS[network_type](**sizes))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise InvalidInput(f"{path} does not hold what it says; install it again.") from error
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise InvalidInput(f"{path} holds weights that are not finite; install it again.")
    return network.to(memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload]


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors in float32, and what the file says of itself."""
    try:
        with safe_open(path, "pt") as stored:
            tensors = {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118 - not a dict
            return tensors, stored.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise InvalidInput(f"{path} is missing, truncated or damaged; install it again.") from error
