"""How different two pictures look by the features of a small recognition network: LPIPS (Zhang et al. 2018), squeeze.

Its weights are read from files of the user's: the trunk of SqueezeNet 1.1 and the published linear heads (v0.1).
"""

import pickle
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from core.errors import InvalidInput

# What each of the seven compared layers adds to the one before, by its numbers in the trunk.
_SLICES = (0, 2), (2, 5), (5, 8), (8, 10), (10, 11), (11, 12), (12, 13)
# (squeezed, expanded) channels of the trunk's fire modules between its pools.
_FIRES = (16, 64), (16, 64), None, (32, 128), (32, 128), None, (48, 192), (48, 192), (64, 256), (64, 256)
_WIDTHS = 64, 128, 256, 384, 384, 512, 512
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_TINY = 1e-10


class _Fire(nn.Module):
    """Squeeze to few channels, expand by 1x1 and 3x3 convolutions (Iandola et al. 2016)."""

    def __init__(self, into: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(into, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.squeeze(x))
        return torch.cat([functional.relu(self.expand1x1(x)), functional.relu(self.expand3x3(x))], dim=1)


class Lpips(nn.Module):
    """Frozen. Pictures are sRGB 0..1 of one size, at least 16 pixels a side."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(), _pool()]
        width = 64
        for fire in _FIRES:
            layers.append(_pool() if fire is None else _Fire(width, *fire))
            width = width if fire is None else 2 * fire[1]
        self.features = nn.Sequential(*layers)
        self.heads = nn.ParameterList(torch.zeros(1, count, 1, 1) for count in _WIDTHS)
        self.shift: Tensor
        self.scale: Tensor
        self.register_buffer("shift", torch.tensor(_SHIFT).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(_SCALE).view(1, 3, 1, 1), persistent=False)

    def layers(self, pictures: Float[Tensor, "B 3 H W"]) -> list[Tensor]:
        """The seven compared layers, each place's features of length 1."""
        x = (2 * pictures - 1 - self.shift) / self.scale
        found = []
        for first, stop in _SLICES:
            x = self.features[first:stop](x)
            wide = x.float()
            found.append(wide / (wide.square().sum(dim=1, keepdim=True).sqrt() + _TINY))
        return found

    def forward(self, a: Float[Tensor, "B 3 H W"], b: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B H W"]:
        """The difference at every pixel; its mean is the published figure."""
        size = a.shape[-2:]
        total = a.new_zeros((len(a), 1, *size), dtype=torch.float32)
        for of_a, of_b, head in zip(self.layers(a), self.layers(b), self.heads, strict=True):
            part = ((of_a - of_b).square() * head).sum(dim=1, keepdim=True)
            total = total + functional.interpolate(part, size=size, mode="bilinear", align_corners=False)
        return total[:, 0]


def load_lpips(trunk: Path, heads: Path) -> Lpips:
    """LPIPS from the state of SqueezeNet 1.1's `features` and the heads of the `lpips` package. Raises InvalidInput."""
    network = Lpips()
    stored = {name.removeprefix("features."): value for name, value in _read(trunk).items()}
    linear = _read(heads)
    try:
        network.features.load_state_dict(stored)
        for index, head in enumerate(network.heads):
            head.data.copy_(linear[f"lin{index}.model.1.weight"])
    except (RuntimeError, KeyError) as error:
        raise InvalidInput(f"{trunk} and {heads} are not SqueezeNet 1.1's features and LPIPS's heads.") from error
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _read(path: Path) -> dict[str, Tensor]:
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise InvalidInput(f"{path} is missing, damaged or no file of weights.") from error
    if not isinstance(stored, dict):
        raise InvalidInput(f"{path} holds no table of weights.")
    return stored


def _pool() -> nn.Module:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)
