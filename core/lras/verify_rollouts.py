"""The transformer against recorded runs of the public implementation: logits, greedy rollouts, seq2par."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from core.lras.cache import KVCache
from core.lras.checks import Check, exact, within
from core.lras.generate import decode, prefill
from core.lras.layout import Codes, PatchCodes, PatchIds, target
from core.lras.plan import Known, Plan, flow_plan, released_orders, rgb_plan
from core.lras.recipe import RELEASED
from core.lras.schedule import Group, in_groups, seq2par
from core.lras.transformer import Transformer

# What the fixtures allow for float32 logits of up to about 15.
_LOGIT_TOLERANCE = 1e-4
_ASKED = replace(RELEASED, reveal="asked")
# The two-frame and flow sequences show every patch of frame 0.
_WHOLE = replace(_ASKED, frame_0_share=1.0)

Case = Mapping[str, Any]


def check_rgb_flow(model: Transformer, io: Case) -> Iterator[Check]:
    """An RGB+flow network: 7B-style rollouts, two-frame rollouts, logits."""
    cases = io.get("cases", {"reference": io})
    for name, case in cases.items():
        recipe = _ASKED if name.startswith("revealed_as_intended") else RELEASED
        orders = released_orders(model.config, case["rng_seed"])
        if "decoding_order" in case:
            orders = replace(orders, target=np.asarray(case["decoding_order"], np.int64))
        flow = np.asarray(io["flow_codes"][0], np.int64), np.asarray(case["unmask_flow"], np.int64)
        known = _known(case.get("requested_reveal"), io["frame1_codes"])
        plan = rgb_plan(model.config, recipe, _grid(io["frame0_codes"]), orders, flow, known)
        yield from _rollout(name, model, plan, in_groups(plan.order, 1), case)
    for name, case in _rollouts(io):
        orders = released_orders(model.config, case["rng_seed"], flow=False)
        known = _known(case.get("revealed"), io["frame1_codes"])
        plan = rgb_plan(model.config, _WHOLE, _grid(io["frame0_codes"]), orders, known=known)
        yield from _rollout(name, model, plan, _groups(case, plan), case)
    yield from _forward(model, io)


def check_camera_flow(model: Transformer, io: Case) -> Iterator[Check]:
    """A camera+flow network: flow rollouts, logits."""
    for name, case in _rollouts(io) or [("reference", io)]:
        camera = None if name.endswith("nocampose") else io["campose_codes"].numpy()
        orders = released_orders(model.config, case["rng_seed"], flow=False)
        known = None
        if case.get("revealed"):
            known = _known(case["revealed"], io["flow_codes_plus_offset"] - _first_flow_code(model))
        plan = flow_plan(model.config, _WHOLE, _grid(io["frame0_codes"]), orders, camera, known)
        yield from _rollout(name, model, plan, _groups(case, plan), case)
    yield from _forward(model, io)


def _rollout(name: str, model: Transformer, plan: Plan, groups: Sequence[Group], case: Case) -> Iterator[Check]:
    """Prefix, greedy tokens, the frame they make and the scores they came from."""
    prefix = plan.source + plan.condition
    recorded = case.get("pred_seq", case.get("roll_pred_seq"))
    cache = KVCache(model.config, plan.length, 1, model.dtype, model.device)
    prefill(model, prefix, cache)
    decoded = list(decode(model, plan, cache, groups))
    ids = np.concatenate([part.ids for part in decoded])
    codes = np.concatenate([part.codes[0] for part in decoded])
    if recorded is not None:
        whole = recorded[0].numpy().astype(np.int64)
        yield exact(f"{name}: prefix", prefix.tokens, whole[: len(prefix)])
        yield exact(f"{name}: positions", prefix.positions, _positions(case)[: len(prefix)])
        count = (len(whole) - len(prefix)) // 5
        ours = plan.target.run(ids[:count], codes[:count]).tokens
        yield exact(f"{name}: greedy tokens", ours, whole[len(prefix) :])
    grid = next((case[key] for key in case if key.endswith(("pred_codes", "pred_codes_plus_offset"))), None)
    if grid is not None:
        offset = plan.target.codes.start if "pred_codes_plus_offset" in case else 0
        yield exact(f"{name}: frame", plan.assemble(ids, codes) + offset, _grid(grid))
    yield from _scores(name, model, plan, ids, codes, case)


def _scores(
    name: str,
    model: Transformer,
    plan: Plan,
    ids: PatchIds,
    codes: PatchCodes,
    case: Case,
) -> Iterator[Check]:
    """The recorded scores of single steps and of the parallel tail."""
    if "step_logits" in case:
        every = case.get("step_logits_every", 1)
        steps = np.arange(len(case["step_logits"])) * every
        first = case["cond_seq"].shape[1] - 1
        ours = _logits(model, case["pred_seq"][0].numpy(), case["pos"][0].numpy())[first + steps]
        yield within(f"{name}: scores", ours, case["step_logits"].double().numpy(), _LOGIT_TOLERANCE)
    tail = _recorded_tail(case, ids)
    if tail is not None:
        ours = _tail_logits(model, plan, ids, codes, case.get("num_seq_patches", 0))
        yield within(f"{name}: tail's scores", ours[tail[0]], tail[1].double().numpy(), _LOGIT_TOLERANCE)


def _recorded_tail(case: Case, ids: PatchIds) -> tuple[PatchIds, Tensor] | None:
    """Raster ids and the scores recorded for them."""
    if "par_logits" in case:
        return np.arange(len(case["par_logits"])), case["par_logits"]
    if "par_logits_last_seq_position_rows" in case:
        return ids[-1:], case["par_logits_last_seq_position_rows"]
    if "logits_rows" in case and "logits" in case:
        return case["logits_rows"].numpy(), case["logits"]
    return None


def _tail_logits(
    model: Transformer, plan: Plan, ids: PatchIds, codes: PatchCodes, sequential: int
) -> Float64[np.ndarray, "M 4 V"]:
    """Scores of the parallel patches by raster id, from one pass over the tokens slot by slot; zeros elsewhere."""
    head, tail = plan.target.run(ids[:sequential], codes[:sequential]), ids[sequential:]
    run = plan.source + plan.condition + head
    tokens = [run.tokens, plan.target.pointer_tokens(tail)]
    positions = [run.positions, plan.target.pointer_positions(tail)]
    for slot in range(3):
        tokens.append(plan.target.codes.start + codes[sequential:, slot])
        positions.append(plan.target.code_positions(tail, slot))
    logits = _logits(model, np.concatenate(tokens), np.concatenate(positions))[len(run) :]
    table = np.zeros((plan.config.n_patches, 4, logits.shape[-1]))
    table[tail] = logits.reshape(4, len(tail), -1).transpose(1, 0, 2)
    return table


def _forward(model: Transformer, io: Case) -> Iterator[Check]:
    """Teacher-forced scores of one whole sequence."""
    forward = io["forward"]
    tokens = forward["seq"] if "seq" in forward else io["pred_seq"][0]
    positions = forward["pos"] if "pos" in forward else io["pos"][0, : len(tokens)]
    hidden = _hidden(model, tokens.numpy().astype(np.int64), positions.numpy().astype(np.int64))
    with torch.inference_mode():
        rows = model.logits(hidden[forward["logits_rows"].long()]).double().numpy()
        best, total = zip(*(_summary(model.logits(part)) for part in hidden.split(512)), strict=True)
    rows = rows[:, :: forward.get("logits_col_stride", 1)]
    yield within("forward: scores", rows, forward["logits"].double().numpy(), _LOGIT_TOLERANCE)
    yield exact("forward: best tokens", torch.cat(best).numpy(), forward["argmax"].numpy().astype(np.int64))
    yield within(
        "forward: log partition", torch.cat(total).numpy(), forward["logsumexp"].double().numpy(), _LOGIT_TOLERANCE
    )


def _summary(logits: Tensor) -> tuple[Tensor, Tensor]:
    return logits.argmax(-1), logits.double().logsumexp(-1)


def _hidden(model: Transformer, tokens: np.ndarray, positions: np.ndarray) -> Tensor:
    """Hidden states [T, C] of one sequence."""
    with torch.inference_mode():
        rows = (torch.from_numpy(part.astype(np.int64)).to(model.device)[None] for part in (tokens, positions))
        return model(*rows)[0]


def _logits(model: Transformer, tokens: np.ndarray, positions: np.ndarray) -> Float64[np.ndarray, "T V"]:
    with torch.inference_mode():
        return model.logits(_hidden(model, tokens, positions)).double().cpu().numpy()


def _rollouts(io: Case) -> list[tuple[str, Case]]:
    """The named rollouts of a file; none where the file itself is one."""
    names = ("seq2par", "sequential", "two_frame", "patchwise")
    return [(name, case) for name, case in io.items() if name.startswith(names)]


def _groups(case: Case, plan: Plan) -> list[Group]:
    """Sequential unless a number of sequential patches was recorded; patchwise has none."""
    if "cond_seq" in case and "num_seq_patches" not in case:
        return in_groups(plan.order, 1)
    return seq2par(plan.order, case.get("num_seq_patches", _sequential(case)))


def _sequential(case: Case) -> int:
    """Read off the recorded roll-out when the number was not recorded."""
    if "roll_pred_seq" not in case:
        return 0
    return (case["roll_pred_seq"].shape[1] - case["roll_cond_seq"].shape[1]) // 5


def _positions(case: Case) -> np.ndarray:
    return case.get("pos", case.get("roll_pos"))[0].numpy().astype(np.int64)  # type: ignore[union-attr]


def _grid(codes: Tensor) -> Codes:
    return codes[0].numpy().astype(np.int64)


def _known(ids: Sequence[int] | None, frame: Tensor) -> Known | None:
    return Known(np.asarray(ids, np.int64), _grid(frame)) if ids else None


def _first_flow_code(model: Transformer) -> int:
    return target(model.config, "flow").codes.start
