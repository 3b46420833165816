"""Weights as int8 with one scale a row: half of bf16's memory and traffic, activations untouched."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

_LARGEST_CODE = 127


class Int8Linear(nn.Module):
    """A Linear whose weight is stored as round(weight / scale), scale = the row's largest magnitude / 127."""

    weight: Tensor
    scale: Tensor

    def __init__(self, weight: Float[Tensor, "out in"], bias: Float[Tensor, "out"] | None = None) -> None:
        super().__init__()
        largest = weight.detach().float().abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny)
        scale = (largest / _LARGEST_CODE).to(weight.dtype)
        codes = (weight.detach().float() / scale.float()[:, None]).round().clamp(-_LARGEST_CODE, _LARGEST_CODE)
        self.register_buffer("weight", codes.to(torch.int8))
        self.register_buffer("scale", scale)
        self.bias = None if bias is None else nn.Parameter(bias.detach(), requires_grad=False)

    def forward(self, x: Float[Tensor, "*N in"]) -> Float[Tensor, "*N out"]:
        product = _multiply(x, self.weight, self.scale)
        return product if self.bias is None else product + self.bias

    def rows(self, x: Float[Tensor, "*N in"], start: int, stop: int) -> Float[Tensor, "*N part"]:
        """Only outputs `start` to `stop`, without bias."""
        return _multiply(x, self.weight[start:stop], self.scale[start:stop])


def quantise_linears(module: nn.Module) -> None:
    """Replace every Linear below `module`, in place and one at a time, so that memory only falls."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, Int8Linear(child.weight, child.bias))
        else:
            quantise_linears(child)


def _multiply(x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    if x.dtype == torch.bfloat16 and x.device.type == "cpu":
        # PyTorch's own kernel, which reads the int8 weights as they are.
        flat = torch.ops.aten._weight_int8pack_mm(x.reshape(-1, x.shape[-1]), weight.contiguous(), scale)
        return flat.view(*x.shape[:-1], weight.shape[0])
    return functional.linear(x, weight.to(x.dtype)) * scale
