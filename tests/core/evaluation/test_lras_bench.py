"""The network's benchmark on a network of a few hundred weights."""

import pytest
import torch
from lras_networks import SMALL, network, plan_for

from core.evaluation.lras_bench import bench_network, spoiled, table
from core.evaluation.roofline import Machine, pass_floor
from core.lras.config import camera_flow_config


@pytest.mark.parametrize("config", [SMALL, camera_flow_config(2, 2, 32, grid=4, rgb_codes=64, flow_codes=32)])
def test_every_mode_is_timed(config) -> None:
    report = bench_network(network(config, torch.float32), seed=0, groups=(4, 8))
    modes = [row.mode for row in report.rows]
    assert len(set(modes)) == len(modes) == 6
    assert [row.passes for row in report.rows[:3]] == [64, 16, 8]
    assert report.rows[4].drafts_accepted == 1
    assert all(row.seconds > 0 and row.floor_seconds > 0 for row in report.rows)
    assert len(table(report).splitlines()) == len(modes) + 3


def test_fewer_patches_and_int8() -> None:
    report = bench_network(network(SMALL, torch.bfloat16), seed=0, patches=8, groups=(4,), int8=True)
    assert {row.patches for row in report.rows} == {8}


def test_a_spoiled_draft_has_the_asked_share_right() -> None:
    plan = plan_for()
    frame = torch.zeros(16, 4, dtype=torch.int64).numpy()
    right = (spoiled(frame, 0.75, plan, seed=0) == frame).all(axis=1)
    assert right.mean() == 0.75


def test_the_floor_is_bytes_for_one_token_and_arithmetic_for_many() -> None:
    model = network(SMALL, torch.float32)
    machine = Machine(bytes_per_second=1e9, flops_per_second=1e12)
    blocks = SMALL.n_layer * (12 * 32 * 32 + 2 * 32) * 4
    scoring = SMALL.vocab_size * 32 * 4
    cached = 2 * SMALL.n_layer * 32 * 4 * 101
    assert pass_floor(model, machine, new=1, past=100, scored=1) == pytest.approx((blocks + scoring + cached) / 1e9)
    slow = Machine(bytes_per_second=1e15, flops_per_second=1e9)
    products = 2 * SMALL.n_layer * (12 * 32 * 32 + 2 * 32) * 10
    attention = 4 * SMALL.n_layer * 32 * 10 * 5
    assert pass_floor(model, slow, new=10, past=0, scored=0) == pytest.approx((products + attention) / 1e9)
