"""Networks to and from one safetensors file that carries its own sizes."""

import dataclasses
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from core.errors import InvalidInput
from core.nets.depth_student import DepthStudent, DepthStudentConfig

_KIND = "lras-studio-depth-student-1"


def depth_student_bytes(network: DepthStudent, dtype: torch.dtype = torch.float16) -> bytes:
    """The file's content."""
    tensors = {name: value.detach().to("cpu", dtype).contiguous() for name, value in network.state_dict().items()}
    return save(tensors, {"kind": _KIND, "config": json.dumps(dataclasses.asdict(network.config))})


def load_depth_student(path: Path) -> DepthStudent:
    """The network in float32, ready to be asked. Raises InvalidInput when the file is missing or another's."""
    try:
        with safe_open(path, "pt") as stored:
            described = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise InvalidInput(f"{path} is missing, truncated or damaged; install it again.") from error
    if described.get("kind") != _KIND:
        raise InvalidInput(f"{path} is no depth network of this version; install it again.")
    table = json.loads(described["config"])
    config = DepthStudentConfig(
        tuple(table["widths"]), tuple(table["blocks"]), tuple(table["decoder_widths"]), table["heads"]
    )
    network = DepthStudent(config)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise InvalidInput(f"{path} does not hold what it says; install it again.") from error
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise InvalidInput(f"{path} holds weights that are not finite; install it again.")
    return network.to(memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload]
