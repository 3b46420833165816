from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import InvalidInput
from core.lras.config import QuantizerConfig, ResBlock, Upsample, quantizer_config
from core.lras.quantizer import (
    Quantizer,
    bit_values,
    denormalise_flow,
    denormalise_rgb,
    normalise_flow,
    normalise_rgb,
    to_uint8,
)

# Of the fixtures' README.
TOLERANCE = 1e-4


def small(width: int = 12, bits: int = 6, channels: int = 3) -> Quantizer:
    torch.manual_seed(5)
    decoder = (ResBlock(width, 2 * width, 3), Upsample(width, 8), ResBlock(8, 16, 3), Upsample(8, 4))
    return Quantizer(QuantizerConfig(1 << bits, channels, (ResBlock(width, 2 * width, 1),), decoder)).eval()


def golden(shared_folder: Path, name: str) -> tuple[Quantizer, dict[str, Any]]:
    """The fixture's network, loaded strictly, and what the reference made with it."""
    folder = shared_folder / "spec" / "golden"
    checkpoint = torch.load(folder / f"lpq_{name}_ckpt.pt", weights_only=True)
    quantizer = Quantizer(quantizer_config(checkpoint["cfg"])).eval().requires_grad_(False)
    quantizer.load_state_dict(checkpoint["model"], strict=True)
    return quantizer, torch.load(folder / f"lpq_{name}_io.pt", weights_only=True)


@pytest.mark.parametrize("name", ["rgb", "flow"])
def test_codes_and_pictures_are_the_references(shared_folder, name):
    quantizer, io = golden(shared_folder, name)
    assert torch.equal(quantizer.encode(io["input_normalised"]), io["indices"])
    assert torch.allclose(quantizer.encoder(io["input_normalised"]), io["encoder_out"], rtol=0, atol=TOLERANCE)
    assert torch.allclose(quantizer.decode(io["indices"]), io["decoded"], rtol=0, atol=TOLERANCE)
    assert torch.allclose(quantizer.decode(io["random_indices"]), io["random_decoded"], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", ["rgb", "flow"])
def test_the_training_pass_agrees_with_the_codes(shared_folder, name):
    quantizer, io = golden(shared_folder, name)
    made = quantizer(io["input_normalised"])
    expected = torch.nn.functional.normalize(io["projected_bits"], dim=-1)
    assert torch.allclose(made.bits, expected, rtol=0, atol=TOLERANCE)
    assert torch.allclose(made.embedding, io["code_embedding"], rtol=0, atol=TOLERANCE)
    assert torch.allclose(made.images, io["decoded"], rtol=0, atol=TOLERANCE)


def test_pictures_are_prepared_as_in_the_reference(shared_folder):
    _, rgb = golden(shared_folder, "rgb")
    assert torch.allclose(normalise_rgb(rgb["input_raw"]), rgb["input_normalised"], rtol=0, atol=1e-6)
    assert torch.allclose(denormalise_rgb(rgb["decoded"]), rgb["decoded_denormalised"], rtol=0, atol=1e-6)
    assert torch.equal(to_uint8(rgb["decoded_denormalised"]).permute(0, 2, 3, 1), rgb["decoded_uint8_hwc"])
    _, flow = golden(shared_folder, "flow")
    assert torch.equal(normalise_flow(flow["input_raw"]), flow["input_normalised"])
    assert torch.allclose(denormalise_flow(flow["decoded"]), flow["decoded_denormalised"], rtol=0, atol=1e-5)


def test_bytes_and_floats_of_a_picture_are_the_same_input():
    values = torch.arange(192, dtype=torch.uint8).reshape(1, 3, 8, 8)
    assert torch.allclose(normalise_rgb(values), normalise_rgb(values.float() / 255))
    restored = denormalise_rgb(normalise_rgb(values)) * 255
    assert torch.allclose(restored, values.float(), atol=1e-3)


def test_uint8_is_truncated():
    assert to_uint8(torch.tensor([0.0, 0.9999, 1.0, 99.9 / 255])).tolist() == [0, 254, 255, 99]


def test_a_patch_is_encoded_from_its_own_pixels_only():
    quantizer = small()
    images = torch.randn(1, 3, 24, 32)
    whole = quantizer.encoder(images)
    changed = torch.randn_like(images)
    changed[:, :, 8:12, 16:20] = images[:, :, 8:12, 16:20]
    assert torch.allclose(quantizer.encoder(changed)[..., 2, 4], whole[..., 2, 4], atol=1e-6)
    alone = quantizer.encoder(images[:, :, 8:12, 16:20])
    assert torch.allclose(alone[..., 0, 0], whole[..., 2, 4], atol=1e-6)
    assert not torch.allclose(quantizer.encoder(changed)[..., 2, 3], whole[..., 2, 3], atol=1e-2)


def test_codes_begin_with_the_highest_bit_and_zero_gives_none():
    core = small(bits=6).quantizer
    bits = torch.tensor([0.5, -1.0, 0.0, 1e-9, -0.0, 2.0]).reshape(1, 1, 1, 6)
    assert core.codes(bits).item() == 0b100101


def test_every_code_lies_on_the_unit_sphere_and_comes_back():
    core = small(bits=6).quantizer
    codes = torch.arange(64).reshape(1, 8, 8)
    signs = core.signs(codes)
    assert torch.allclose(signs.norm(dim=-1), torch.ones(1, 8, 8))
    assert torch.allclose(signs.abs(), torch.full_like(signs, 6**-0.5))
    assert torch.equal(core.codes(signs), codes)
    assert bit_values(6).tolist() == [32, 16, 8, 4, 2, 1]


def test_codes_out_of_range_are_refused_or_wrapped_on_request():
    quantizer = small(bits=6)
    with torch.no_grad():
        wrapped = quantizer.decode(torch.tensor([[[64 + 5, -1]]]), wrap=True)
        assert torch.equal(wrapped, quantizer.decode(torch.tensor([[[5, 63]]])))
    for code in (64, -1):
        with pytest.raises(InvalidInput, match=r"0\.\.63"):
            quantizer.decode(torch.full((1, 2, 2), code))


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.zeros(1, 2, 8, 8), "3 channels, got 2"),
        (torch.zeros(1, 3, 8, 10), "multiples of 4 pixels, got 10x8"),
        (torch.full((1, 3, 8, 8), float("nan")), "not finite"),
    ],
)
def test_images_of_another_kind_are_refused(images, words):
    with pytest.raises(InvalidInput, match=words):
        small().encode(images)


def test_gradients_pass_through_the_signs():
    quantizer = small().train()
    images = torch.randn(2, 3, 16, 16)
    made = quantizer(images)
    (made.images - images).square().mean().backward()
    untouched = [name for name, weight in quantizer.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert untouched == []


def test_a_width_of_as_many_bits_needs_no_projection():
    quantizer = small(width=6, bits=6)
    assert [name for name in quantizer.state_dict() if name.startswith("quantizer.")] == ["quantizer.mask"]
    codes = torch.arange(64).reshape(1, 8, 8)
    assert torch.equal(
        quantizer.quantizer.embedding(quantizer.quantizer.signs(codes)).norm(dim=1).round(), torch.ones(1, 8, 8)
    )


def test_codes_are_made_in_float32_under_autocast():
    quantizer = small()
    images = torch.randn(1, 3, 32, 32)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        codes, decoded = quantizer.encode(images), quantizer.decode(torch.arange(64).reshape(1, 8, 8))
        assert quantizer(images).bits.dtype == torch.float32
    assert torch.equal(codes, quantizer.encode(images))
    assert decoded.dtype == torch.float32


def test_nothing_beyond_reach_changes_a_pixel_and_something_at_it_may():
    quantizer = small()
    reach = quantizer.reach
    codes = torch.randint(0, quantizer.config.vocab_size, (1, 1, 2 * reach + 3), generator=torch.manual_seed(3))
    middle = reach + 1
    pixels = slice(4 * middle, 4 * middle + 4)
    whole = quantizer.decode(codes)[..., pixels]
    for away, is_seen in ((reach, True), (reach + 1, False)):
        changed = codes.clone()
        changed[..., middle + away] ^= quantizer.config.vocab_size - 1
        same = torch.allclose(quantizer.decode(changed)[..., pixels], whole, rtol=0, atol=1e-7)
        assert same != is_seen


@pytest.mark.parametrize("box", [((0, 3), (0, 40)), ((17, 20), (22, 23)), ((36, 40), (1, 39)), ((0, 40), (0, 40))])
def test_a_box_of_codes_is_decoded_as_the_whole_is(box):
    quantizer = small()
    codes = torch.randint(0, quantizer.config.vocab_size, (2, 40, 40), generator=torch.manual_seed(4))
    rows, columns = (slice(4 * first, 4 * stop) for first, stop in box)
    whole = quantizer.decode(codes)[..., rows, columns]
    assert torch.allclose(quantizer.decode_box(codes, *box), whole, rtol=0, atol=1e-5)
