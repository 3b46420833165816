"""The click network: shapes, prompts that are heard, several prompts a photo, that it can learn, and its file."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from core.errors import InvalidInput
from core.nets.click_student import ClickStudent, ClickStudentConfig, Prompts, likeness, place_maps
from core.nets.files import click_student_bytes, load_click_student, load_depth_student

TINY = ClickStudentConfig(8, (8, 8, 16, 16), (1, 1, 1, 1), 2, (8, 8, 8, 16), 1, 2)


def tiny() -> ClickStudent:
    torch.manual_seed(0)
    return ClickStudent(TINY).eval()


def prompts(height: int, width: int, *clicks: tuple[float, float, float]) -> Prompts:
    """One prompt of clicks, without a box and an earlier mask."""
    return Prompts(
        torch.tensor([clicks]), torch.full((1, 4), torch.nan), torch.full((1, height // 4, width // 4), torch.nan)
    )


@pytest.mark.parametrize(("height", "width"), [(32, 32), (96, 64), (64, 160)])
def test_three_rated_masks_have_the_pictures_size(height: int, width: int) -> None:
    with torch.no_grad():
        masks, rated = tiny()(torch.rand(1, 3, height, width), prompts(height, width, (9.0, 7.0, 1.0)))
    assert masks.shape == (1, 3, height, width)
    assert rated.shape == (1, 3)
    assert masks.isfinite().all()
    assert ((rated >= 0) & (rated <= 1)).all()


def test_sides_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="48x32"):
        tiny().encode(torch.rand(1, 3, 32, 48))


def test_many_prompts_of_one_photo_are_answered_as_if_alone() -> None:
    network, images = tiny(), torch.rand(2, 3, 32, 64)
    asked = [prompts(32, 64, (5.0, 5.0, 1.0)), prompts(32, 64, (50.0, 20.0, 1.0))]
    together = Prompts(*(torch.cat([getattr(one, part) for one in asked]) for part in ("clicks", "boxes", "previous")))
    with torch.no_grad():
        features = network.encode(images)
        masks, rated = network.decode(features.of(torch.tensor([1, 1])), together)
        alone, rated_alone = network(images[1:], asked[1])
    torch.testing.assert_close(masks[1:], alone, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(rated[1:], rated_alone, rtol=1e-4, atol=1e-4)


def test_clicks_that_are_none_change_nothing() -> None:
    network, images = tiny(), torch.rand(1, 3, 32, 64)
    with torch.no_grad():
        masks, _ = network(images, prompts(32, 64, (5.0, 5.0, 1.0)))
        padded, _ = network(images, prompts(32, 64, (5.0, 5.0, 1.0), (40.0, 9.0, 0.0)))
    torch.testing.assert_close(masks, padded)


def test_maps_show_what_was_said_and_where() -> None:
    said = Prompts(
        torch.tensor([[[9.5, 5.5, 1.0], [49.5, 21.5, -1.0]]]),
        torch.tensor([[8.0, 4.0, 23.0, 19.0]]),
        torch.full((1, 8, 16), torch.nan),
    )
    added, near, _, taken, _, _, boxed, has_box, _, has_previous = place_maps(said, 8, 16)[0]
    assert (added[1, 2], taken[5, 12]) == (1.0, 1.0)
    assert added[5, 12] < 1e-6
    assert near[1, 2] > near[1, 5] > near[7, 15]
    torch.testing.assert_close(boxed.nonzero().aminmax(dim=0)[0], torch.tensor([1, 2]))
    torch.testing.assert_close(boxed.nonzero().aminmax(dim=0)[1], torch.tensor([4, 5]))
    assert has_box.all()
    assert not has_previous.any()


def test_likeness_is_one_where_the_features_are_those_of_the_click() -> None:
    keys = torch.zeros(1, 1, 2, 4, 8)
    keys[:, :, 0, :, :4] = keys[:, :, 1, :, 4:] = 1
    previous = torch.full((1, 4, 8), torch.nan)
    found = likeness(keys, torch.tensor([[[7.5, 7.5, 1.0]]]), previous, 4)
    torch.testing.assert_close(found[0, 0], torch.tensor([1.0] * 4 + [0.0] * 4).expand(4, 8))
    assert (found[0, 1] == -1).all()
    assert (found[0, 2] == 0).all()
    previous = torch.tensor([0.0] * 4 + [1.0] * 4).expand(1, 4, 8)
    found = likeness(keys, torch.tensor([[[7.5, 7.5, 1.0]]]), previous, 4)
    torch.testing.assert_close(found[0, 2], torch.tensor([-1.0] * 4 + [1.0] * 4).expand(4, 8))


def test_it_learns_which_of_two_squares_was_meant() -> None:
    network = tiny().train()
    images, wanted = torch.full((1, 3, 64, 64), 0.3), torch.zeros(2, 64, 64)
    for index, (x, colour) in enumerate(((8, 0), (36, 2))):
        images[:, colour, 20:44, x : x + 20] = 1.0
        wanted[index, 20:44, x : x + 20] = 1
    both = [prompts(64, 64, (18.0, 32.0, 1.0)), prompts(64, 64, (46.0, 32.0, 1.0))]
    said = Prompts(*(torch.cat([getattr(one, part) for one in both]) for part in ("clicks", "boxes", "previous")))
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(60):
        masks, _ = network.decode(network.encode(images).of(torch.tensor([0, 0])), said)
        loss = functional.binary_cross_entropy_with_logits(masks, wanted[:, None].expand_as(masks))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    found = masks[:, 0].detach() > 0
    overlap = (found & (wanted > 0)).sum((1, 2)) / (found | (wanted > 0)).sum((1, 2))
    assert overlap.min() > 0.8


def test_the_default_network_is_small_enough_to_ship() -> None:
    assert len(click_student_bytes(ClickStudent(ClickStudentConfig()))) <= 10_000_000


def test_a_file_gives_the_network_back_and_is_not_taken_for_another(tmp_path: Path) -> None:
    network, images = tiny(), torch.rand(1, 3, 32, 64)
    path = tmp_path / "click.safetensors"
    path.write_bytes(click_student_bytes(network, torch.float32))
    again = load_click_student(path)
    assert again.config == TINY
    said = prompts(32, 64, (9.0, 7.0, 1.0))
    with torch.no_grad():
        torch.testing.assert_close(again(images, said)[0], network(images, said)[0])
    with pytest.raises(InvalidInput, match="no depth network"):
        load_depth_student(path)


@pytest.mark.parametrize("sizes", [{"widths": (8, 8, 8, 9)}, {"heads": 0}, {"decoder_blocks": -1}])
def test_impossible_sizes_are_refused(sizes: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        ClickStudentConfig(**{"heads": 2, **sizes})  # type: ignore[arg-type]
