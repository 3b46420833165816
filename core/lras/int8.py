"""Weights as int8 with one scale a row: half of bf16's memory and traffic, activations untouched."""

import torch
from jaxtyping import Float, Int8
from torch import Tensor, nn
from torch.nn import functional

from core.lras.linear import Linear

_LARGEST_CODE = 127
# A weight is quantised in so many parts, but for parts that one thread does at once: PyTorch splits larger ones.
_PARTS = 64
_SMALLEST_PART = 1 << 14


class Int8Linear(nn.Module):
    """A Linear whose weight is stored as round(weight / scale), scale = the row's largest magnitude / 127."""

    weight: Tensor
    scale: Tensor

    def __init__(self, weight: Float[Tensor, "out in"], bias: Float[Tensor, "out"] | None = None) -> None:
        super().__init__()
        self.register_buffer("weight", torch.empty_like(weight, dtype=torch.int8))
        self.register_buffer("scale", torch.empty_like(weight[:, 0]))
        if not weight.is_meta:
            quantise(weight, self.weight, self.scale)
        self.bias = None if bias is None else nn.Parameter(bias.detach(), requires_grad=False)

    def forward(self, x: Float[Tensor, "*N in"]) -> Float[Tensor, "*N out"]:
        product = _multiply(x, self.weight, self.scale)
        return product if self.bias is None else product + self.bias

    def rows(self, x: Float[Tensor, "*N in"], start: int, stop: int) -> Float[Tensor, "*N part"]:
        """Only outputs `start` to `stop`, without bias."""
        return _multiply(x, self.weight[start:stop], self.scale[start:stop])

    def expanded(self) -> Linear:
        """The Linear it stands for, of the scale's type."""
        rows, columns = self.weight.shape
        linear = Linear(columns, rows, bias=self.bias is not None, device=self.scale.device, dtype=self.scale.dtype)
        linear.weight.data = self.weight.to(self.scale.dtype) * self.scale[:, None]
        linear.register_parameter("bias", self.bias)
        return linear.requires_grad_(False)


def quantise_linears(module: nn.Module) -> None:
    """Replace every Linear below `module`, in place and one at a time, so that memory only falls."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, Int8Linear(child.weight, child.bias))
        else:
            quantise_linears(child)


def expand_linears(module: nn.Module) -> None:
    """Replace every Int8Linear below `module`, in place: twice the memory, and no weight is unpacked at every use."""
    for name, child in module.named_children():
        if isinstance(child, Int8Linear):
            setattr(module, name, child.expanded())
        else:
            expand_linears(child)


def quantise(weight: Float[Tensor, "out in"], codes: Int8[Tensor, "out in"], scale: Float[Tensor, "out"]) -> None:
    """Fill `codes` and `scale` from a weight of any float type, taken as of the scale's type and device.

    A few rows at a time, as quantising needs several copies of what it is given.
    """
    count = max(1, max(_SMALLEST_PART, weight.numel() // _PARTS) // weight.shape[1])
    for start in range(0, len(weight), count):
        rows = slice(start, start + count)
        part = weight[rows].detach().to(device=scale.device, dtype=scale.dtype).float()
        largest = part.abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny)
        scale[rows] = largest / _LARGEST_CODE
        codes[rows] = (part / scale[rows, None].float()).round().clamp(-_LARGEST_CODE, _LARGEST_CODE)


def _multiply(x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    if x.dtype == torch.bfloat16 and x.device.type == "cpu":
        # PyTorch's own kernel, which reads the int8 weights as they are.
        flat = torch.ops.aten._weight_int8pack_mm(x.reshape(-1, x.shape[-1]), weight.contiguous(), scale)
        return flat.view(*x.shape[:-1], weight.shape[0])
    return functional.linear(x, weight.to(x.dtype)) * scale
