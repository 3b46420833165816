"""Rounding to int8, by hand."""

import pytest
import torch

from core.lras import int8
from core.lras.int8 import Int8Linear, expand_linears, quantise, quantise_linears


def test_a_row_is_its_codes_times_its_scale() -> None:
    layer = Int8Linear(torch.tensor([[1.27, -0.632, 0.004], [0.0, 0.0, 0.0], [254.0, 0.9, -254.0]]))
    assert layer.weight.tolist() == [[127, -63, 0], [0, 0, 0], [127, 0, -127]]
    assert layer.scale.tolist() == pytest.approx([0.01, 0.0, 2.0], abs=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_parts_make_the_same_codes_as_the_whole(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    weight = torch.randn(37, 50, generator=torch.Generator().manual_seed(0))
    found = []
    for part in (1 << 14, 120):
        monkeypatch.setattr(int8, "_SMALLEST_PART", part)
        codes, scale = torch.empty(37, 50, dtype=torch.int8), torch.empty(37, dtype=dtype)
        quantise(weight, codes, scale)
        found.append((codes, scale))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
    # A weight that is quantised for bfloat16 is first rounded to it, whatever it was stored as.
    rounded = Int8Linear(weight.to(dtype))
    assert torch.equal(rounded.weight, found[0][0])
    assert torch.equal(rounded.scale, found[0][1])


def test_a_layer_answers_as_its_weight_does() -> None:
    generator = torch.Generator().manual_seed(1)
    linear = torch.nn.Linear(64, 48)
    x = torch.randn(2, 5, 64, generator=generator)
    layer = Int8Linear(linear.weight, linear.bias)
    assert (layer(x) - linear(x)).abs().max() < 0.02
    assert torch.allclose(layer.rows(x, 8, 20) + linear.bias[8:20], layer(x)[..., 8:20], atol=1e-6)


def test_expanded_layers_answer_as_the_int8_ones_did() -> None:
    generator = torch.Generator().manual_seed(2)
    network = torch.nn.Sequential(torch.nn.Linear(24, 16), torch.nn.Sequential(torch.nn.Linear(16, 8, bias=False)))
    x = torch.randn(3, 24, generator=generator)
    quantise_linears(network)
    expected = network(x)
    expand_linears(network)
    assert not any(isinstance(layer, Int8Linear) for layer in network.modules())
    assert torch.allclose(network(x), expected, atol=1e-5)
