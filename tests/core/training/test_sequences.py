"""Training sequences are what decoding feeds, and their labels what it must draw."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from lras_networks import SMALL, network, picture_codes, plan_for
from training_data import CPU, random_quantizers, tiny, tiny_task

from core.lras.cache import KVCache
from core.lras.config import camera_flow_config
from core.lras.generate import decode, prefill
from core.lras.layout import Run, camera_codes, patches
from core.lras.plan import Known, Plan, flow_plan, orders
from core.lras.recipe import INTENDED
from core.lras.schedule import in_groups
from core.lras.transformer import Transformer
from core.training.config import SequenceSettings
from core.training.draws import draw_sequence
from core.training.losses import SequenceLoss
from core.training.packed import PackedSet
from core.training.samples import PairSample
from core.training.sequences import batched, training_sequence
from core.training.tasks import RgbTask

FRAME = picture_codes(seed=9)
KNOWN = np.array([2, 7, 11])


class Recorder(Transformer):
    """A network that notes every token it is fed."""

    def __init__(self) -> None:
        super().__init__(SMALL)
        self.load_state_dict(network(dtype=torch.float32).state_dict())
        self.requires_grad_(False)
        self.fed: list[Run] = []

    def forward(self, tokens: torch.Tensor, positions: torch.Tensor, *rest: KVCache) -> torch.Tensor:
        self.fed.append(Run(tokens[0].numpy(), positions[0].numpy()))
        return super().forward(tokens, positions, *rest)


@pytest.mark.parametrize("size", [1, 3, 13])
@pytest.mark.parametrize("known", [None, Known(KNOWN, FRAME)])
def test_tokens_and_labels_are_those_of_decoding(size: int, known: Known | None) -> None:
    plan = plan_for(known=known)
    recorder = Recorder()
    cache = KVCache(SMALL, plan.length, 1, torch.float32)
    prefill(recorder, plan.source + plan.condition, cache)
    groups = in_groups(plan.order, size)
    decoded = list(decode(recorder, plan, cache, groups))
    fed = recorder.fed[0]
    for run in recorder.fed[1:]:
        fed = fed + run
    table = patches(FRAME).copy()
    for part in decoded:
        table[part.ids] = part.codes[0]
    made = training_sequence(plan, table, groups)
    assert np.array_equal(made.run.tokens, fed.tokens)
    assert np.array_equal(made.run.positions, fed.positions)
    # A row's hidden state predicts its label: decoding was greedy, so the best code is the label.
    hidden = recorder(torch.from_numpy(made.run.tokens)[None], torch.from_numpy(made.run.positions)[None])[0]
    best = recorder.logits(hidden, plan.vocabulary).argmax(-1).numpy()
    revealed = 4 * len(plan.revealed_ids)
    assert np.array_equal(best[made.rows[revealed:]], made.labels[revealed:])
    assert np.array_equal(made.revealed, np.arange(4 * SMALL.n_patches) < revealed)
    assert len(made.labels) == 4 * SMALL.n_patches


def test_known_patches_predict_their_own_codes() -> None:
    plan = plan_for(known=Known(KNOWN, FRAME))
    made = training_sequence(plan, patches(FRAME), in_groups(plan.order, 4))
    shown = made.rows[:12]
    assert np.array_equal(made.run.tokens[shown + 1] - plan.target.codes.start, made.labels[:12])
    assert np.array_equal(made.labels[:12].reshape(3, 4), patches(FRAME)[plan.revealed_ids])


def test_a_camera_network_is_packed_likewise() -> None:
    config = camera_flow_config(2, 2, 32, grid=4, rgb_codes=64, flow_codes=32)
    frame = np.random.default_rng(0).integers(0, 32, (8, 8))
    plan = flow_plan(config, INTENDED, picture_codes(), orders(config, 3), camera_codes(np.eye(4)))
    made = training_sequence(plan, patches(frame), in_groups(plan.order, 1))
    whole = plan.source + plan.condition + plan.target.run(plan.order, patches(frame)[plan.order])
    assert np.array_equal(made.run.tokens, whole.tokens[:-1])
    assert np.array_equal(made.run.positions, whole.positions[:-1])


def test_every_sample_of_a_batch_counts_the_same() -> None:
    plans = [plan_for(), plan_for(known=Known(KNOWN, FRAME), seed=2)]
    short = plans[1].order[:2]
    orders = [plan.order for plan in plans] + [short]
    plans.append(plans[1])
    sequences = [
        training_sequence(plan, patches(FRAME), in_groups(order, 4)) for plan, order in zip(plans, orders, strict=True)
    ]
    assert len({len(sequence.rows) for sequence in sequences}) > 1
    loss = SequenceLoss(network(dtype=torch.float64), plans[0].target.codes, 0.5)
    together = loss(batched(sequences))
    parts = [loss(batched([sequence])) for sequence in sequences]
    for name, value in together.items():
        assert value.item() == pytest.approx(np.mean([part[name].item() for part in parts]), rel=1e-6)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_what_is_revealed_counts_by_its_weight_and_is_not_decoded(weight: float) -> None:
    plan = plan_for(known=Known(KNOWN, FRAME))
    made = training_sequence(plan, patches(FRAME), in_groups(plan.order, 4))
    model = network(dtype=torch.float64)
    figures = SequenceLoss(model, plan.target.codes, weight)(batched([made]))
    hidden = model(torch.from_numpy(made.run.tokens)[None], torch.from_numpy(made.run.positions)[None])[0]
    shares = model.logits(hidden[made.rows], plan.target.codes).float().log_softmax(-1)
    nats = -shares.numpy()[np.arange(len(made.labels)), made.labels]
    shown, decoded = nats[made.revealed], nats[~made.revealed]
    expected = (weight * shown.sum() + decoded.sum()) / (weight * len(shown) + len(decoded))
    assert figures["loss"].item() == pytest.approx(expected, rel=1e-5)
    assert figures["decoded"].item() == pytest.approx(decoded.mean(), rel=1e-5)


def test_scores_in_parts_give_the_same_loss_and_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_for()
    batch = batched([training_sequence(plan, patches(FRAME), in_groups(plan.order, 4))])
    found = []
    for at_once in (1 << 26, 64 * 10):
        monkeypatch.setattr("core.training.losses._SCORES_AT_ONCE", at_once)
        model = network(dtype=torch.float64).requires_grad_(True)
        value = SequenceLoss(model, plan.target.codes, 1.0)(batch)["loss"]
        value.backward()
        found.append((value.item(), model.lm_head.weight.grad.clone()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-7)
    outside = found[0][1][plan.target.codes.stop :]
    assert (outside == 0).all()


def test_draws_are_what_an_edit_asks_for() -> None:
    uncovered = np.zeros((32, 32), bool)
    uncovered[9:12, 9:12] = True
    cells = np.zeros((2, 8, 8))
    cells[:, :4] = 5.0
    config = replace(SMALL, flow_patches=6)
    settings = SequenceSettings(hole_share=1.0, scattered_share=0.0, group_sizes=(3, 0))
    counts = set()
    for seed in range(40):
        draw = draw_sequence(config, settings, np.random.default_rng(seed), cells, uncovered)
        decoded = np.concatenate([group.ids for group in draw.groups])
        assert sorted([*decoded, *draw.known_ids]) == list(range(16))
        assert 5 in decoded
        assert len(draw.flow_ids) <= 6
        counts.add(len(draw.groups))
    assert len(counts) > 1
    nothing = replace(settings, hole_share=0.0)
    assert len(draw_sequence(SMALL, nothing, np.random.default_rng(0)).known_ids) == 0


def test_a_batch_is_built_from_the_plan_of_each_sample(packed: PackedSet) -> None:
    config = tiny("lras-rgb")
    task = tiny_task(config, packed)
    assert isinstance(task, RgbTask)
    rgb = random_quantizers()[0].eval()
    samples = [task.samples.make(index) for index in range(3)]
    batch = task.batch(samples)
    assert batch.tokens.device == CPU.device
    for row, sample in enumerate(samples):
        assert isinstance(sample, PairSample)
        source, frame = (_codes(rgb, picture) for picture in (sample.source, sample.target))
        plan: Plan = task.plan(sample, source, frame)
        prefix = plan.source + plan.condition
        assert np.array_equal(batch.tokens[row, : len(prefix)].numpy(), prefix.tokens)
        assert np.array_equal(batch.positions[row, : len(prefix)].numpy(), prefix.positions)
        assert len(plan.revealed_ids) == len(sample.draw.known_ids)


def _codes(quantizer: torch.nn.Module, picture: np.ndarray) -> np.ndarray:
    from core.training.encoding import encoded_pictures

    return encoded_pictures(quantizer, picture[None])[0]
