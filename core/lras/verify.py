"""Every recorded fixture of a folder through our code, one check at a time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from core.errors import InvalidInput
from core.lras.checks import Check
from core.lras.official import DAMAGED
from core.lras.verify_codes import check_camera_codes, check_flow_codes, check_quantizer, check_sampling
from core.lras.verify_motion import check_object_motion
from core.lras.verify_rollouts import check_camera_flow, check_rgb_flow
from core.lras.weights import load_quantizer, load_transformer

Case = Mapping[str, Any]

_ALONE: dict[str, Callable[[Case], Iterator[Check]]] = {
    "flow_codes": check_flow_codes,
    "campose": check_camera_codes,
    "sampling": check_sampling,
    "object_motion": check_object_motion,
}


def verify(folder: Path) -> Iterator[Check]:
    """Checks of all fixtures found, each named `fixture: case`. Raises InvalidInput when there is none."""
    alone = {name: folder / f"{name}.pt" for name in _ALONE if (folder / f"{name}.pt").is_file()}
    networks = sorted(folder.glob("*_ckpt.pt"))
    if not alone and not networks:
        raise InvalidInput(f"There are no golden fixtures in {folder}; give the folder that holds the .pt files.")
    for name, path in alone.items():
        yield from _named(name, _ALONE[name](_read(path)))
    for checkpoint in networks:
        stem = checkpoint.name.removesuffix("_ckpt.pt")
        yield from _named(stem, _network(checkpoint, _read(folder / f"{stem}_io.pt")))


def _network(checkpoint: Path, io: Case) -> Iterator[Check]:
    """Quantizers in float32 as released, transformers in float64, where greedy tokens have no ties."""
    if checkpoint.name.startswith("lpq"):
        return check_quantizer(load_quantizer(checkpoint), io)
    model = load_transformer(checkpoint, torch.float64)
    check = check_rgb_flow if model.config.flow_kind == "binned" else check_camera_flow
    return check(model, io)


def _named(fixture: str, checks: Iterator[Check]) -> Iterator[Check]:
    for check in checks:
        yield replace(check, name=f"{fixture}: {check.name}")


def _read(path: Path) -> Case:
    """A fixture's tensors. Raises InvalidInput."""
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except DAMAGED as error:
        raise InvalidInput(f"The fixture {path.name} cannot be read; it is missing, truncated or damaged.") from error
