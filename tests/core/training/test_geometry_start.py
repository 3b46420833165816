"""A transformer starts knowing which places are near and which codes look alike."""

import torch
from torch.nn.functional import cosine_similarity

from core.lras.config import PATCH_PIXELS, camera_flow_config, rgb_flow_config
from core.lras.transformer import Transformer
from core.training.optimiser import initialise


def started(config: object) -> Transformer:
    network = Transformer(config)  # type: ignore[arg-type]
    initialise(network, 0)
    return network


def places(network: Transformer, start: int, tokens: int) -> torch.Tensor:
    """Positions of the first token of every patch [rows, columns, C]."""
    weight = network.transformer["positional_embedding"].weight.detach()
    grid = network.config.grid
    return weight[start : start + tokens * grid * grid : tokens].view(grid, grid, -1)


def test_neighbours_are_more_alike_than_distant_places() -> None:
    network = started(rgb_flow_config(1, 2, 64, grid=8, rgb_codes=64, bins=32))
    config = network.config
    for span, tokens in (
        (config.frame_0_rgb_pos_range, 5),
        (config.frame_1_rgb_pos_range, 5),
        (config.flow_pos_range, 9),
    ):
        table = places(network, span.start, tokens)
        near = (table[:, 1:] - table[:, :-1]).norm(dim=-1)
        far = (table[:, 4:] - table[:, :-4]).norm(dim=-1)
        assert far.mean() > 1.1 * near.mean()
        # The way from one place to the next is equally far everywhere.
        torch.testing.assert_close(near, near[:1, :1].expand_as(near))


def test_the_same_place_of_both_frames_differs_by_the_frame_alone() -> None:
    network = started(rgb_flow_config(1, 2, 64, grid=4, rgb_codes=64, bins=32))
    config = network.config
    first, second = (
        places(network, span.start, 5) for span in (config.frame_0_rgb_pos_range, config.frame_1_rgb_pos_range)
    )
    away = (second - first).flatten(0, 1)
    torch.testing.assert_close(away, away[:1].expand_as(away), atol=1e-5, rtol=0)
    assert away.abs().max() > 0.05


def test_codes_that_share_more_signs_are_more_alike_read_and_written() -> None:
    network = started(rgb_flow_config(1, 2, 64, grid=4, rgb_codes=64, bins=32))
    span = network.config.rgb_range
    for table in (network.transformer["token_embedding"].weight, network.lm_head.weight):
        codes = table.detach()[span.start : span.stop]
        one, six = (cosine_similarity(codes[0], codes[other], dim=0) for other in (0b000001, 0b111111))
        assert one > 0.4
        assert six < -0.4


def test_a_camera_network_knows_its_quantised_flow_the_same_way() -> None:
    network = started(camera_flow_config(1, 2, 64, grid=4, rgb_codes=64, flow_codes=32))
    span = network.config.flow_range
    codes = network.transformer["token_embedding"].weight.detach()[span.start : span.stop]
    assert cosine_similarity(codes[0], codes[1], dim=0) > cosine_similarity(codes[0], codes[31], dim=0) + 0.5
    table = places(network, network.config.flow_pos_range.start, 5)
    assert cosine_similarity(table[0, 0], table[0, 1], dim=0) > cosine_similarity(table[0, 0], table[0, 3], dim=0)
    assert network.config.image_size == 4 * PATCH_PIXELS
