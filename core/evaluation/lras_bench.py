"""How fast the network decodes one frame in each mode, and how near that is to what the machine can do."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from core.evaluation.roofline import Machine, measure_machine, pass_floor
from core.lras.cache import KVCache
from core.lras.config import CAMERA_FLOW_1B, RGB_FLOW_7B, TransformerConfig, rgb_flow_config
from core.lras.draft import DraftTally, decode_drafted
from core.lras.generate import Decoded, decode, prefill
from core.lras.graphs import GraphedTransformer
from core.lras.int8 import quantise_linears
from core.lras.layout import PatchCodes, camera_codes
from core.lras.plan import Plan, flow_plan, orders, rgb_plan
from core.lras.recipe import INTENDED, RELEASED
from core.lras.sampling import GREEDY, Sampling
from core.lras.schedule import in_groups
from core.lras.transformer import Network, Transformer

# "small" is the size on which the public implementation's loop was measured.
PRESETS = {"small": rgb_flow_config(12, 6, 384), "1b": CAMERA_FLOW_1B, "7b": RGB_FLOW_7B}
_FLOW_PATCHES = 200
_SHARE_RIGHT = 0.8
_VARIATIONS = 4
_CLEAR_PEAK = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


Result = TypeVar("Result")
# Seconds that one pass takes at least, by keywords of `pass_floor`.
Floor = Callable[..., float]


@dataclass(frozen=True)
class Row:
    """One mode. `floor_seconds` is the least the machine's bandwidth and arithmetic allow for the decoding."""

    mode: str
    patches: int
    passes: int
    seconds: float
    ms_per_patch: float
    floor_seconds: float
    peak_mb: float | None
    drafts_accepted: float | None = None


@dataclass(frozen=True)
class Report:
    """Prefill and every mode, with the machine's measured limits."""

    prefill_tokens: int
    prefill_seconds: float
    prefill_floor_seconds: float
    machine: Machine
    rows: tuple[Row, ...]


def random_network(config: TransformerConfig, dtype: torch.dtype, device: str, seed: int = 0) -> Transformer:
    """A network with random weights, made on the device it will run on."""
    torch.manual_seed(seed)
    with torch.device(device):
        before = torch.get_default_dtype()
        torch.set_default_dtype(dtype)
        try:
            model = Transformer(config)
        finally:
            torch.set_default_dtype(before)
    return model.eval().requires_grad_(False)


def bench_network(
    network: Transformer,
    seed: int,
    patches: int | None = None,
    groups: Sequence[int] = (8, 32, 128),
    int8: bool = False,
    graphs: bool = False,
) -> Report:
    """Decode one frame in each mode with greedy codes; `patches` bounds how many of its patches."""
    if int8:
        quantise_linears(network)
    model = GraphedTransformer(network) if graphs else network
    plan = _plan(model.config, seed)
    plan = replace(plan, order=plan.order[:patches])
    machine = measure_machine(model.dtype, model.device)
    cache = KVCache(model.config, plan.length, 1, model.dtype, model.device)
    _warm_up(model, plan, cache)
    seconds, _ = _timed(model, lambda: prefill(model, plan.source + plan.condition, cache))
    tokens = cache.length
    floor = pass_floor(network, machine, new=tokens, past=0, scored=0)
    rows = tuple(_rows(model, plan, cache, partial(pass_floor, network, machine), groups, seed))
    return Report(tokens, seconds, floor, machine, rows)


def table(report: Report) -> str:
    """The report as aligned text."""
    limits = report.machine
    lines = [
        f"{'mode':<34}{'patches':>8}{'passes':>8}{'s':>9}{'ms/patch':>10}{'floor s':>9}"
        f"{'peak MB':>9}{'drafts held':>12}",
        *(_line(row) for row in report.rows),
        f"prefill: {report.prefill_tokens} tokens in {report.prefill_seconds:.2f} s, "
        f"{report.prefill_tokens / report.prefill_seconds:.0f} a second (floor {report.prefill_floor_seconds:.2f} s)",
        f"floor: {limits.bytes_per_second / 1e9:.1f} GB/s read, {limits.flops_per_second / 1e12:.2f} TFLOP/s, measured",
    ]
    return "\n".join(lines)


def _line(row: Row) -> str:
    peak = "-" if row.peak_mb is None else f"{row.peak_mb:.0f}"
    held = "-" if row.drafts_accepted is None else f"{row.drafts_accepted:.1%}"
    return (
        f"{row.mode:<34}{row.patches:>8}{row.passes:>8}{row.seconds:>9.2f}{row.ms_per_patch:>10.2f}"
        f"{row.floor_seconds:>9.2f}{peak:>9}{held:>12}"
    )


def _rows(model: Network, plan: Plan, cache: KVCache, floor: Floor, groups: Sequence[int], seed: int) -> Iterator[Row]:
    base = cache.length
    plain, frame = _grouped(model, plan, cache, floor, 1, GREEDY)
    yield plain
    for size in groups:
        cache.truncate(base)
        yield _grouped(model, plan, cache, floor, size, GREEDY)[0]
    for share in (_SHARE_RIGHT, 1.0):
        cache.truncate(base)
        yield _drafted(model, plan, cache, floor, spoiled(frame, share, plan, seed), share)
    cache.truncate(base)
    several = cache.fork(plan.length, _VARIATIONS)
    row, _ = _grouped(model, plan, several, floor, groups[-1], Sampling(1.0, top_k=1000))
    yield replace(row, mode=f"{row.mode}, {_VARIATIONS} variations")


def _grouped(
    model: Network, plan: Plan, cache: KVCache, floor: Floor, size: int, sampling: Sampling
) -> tuple[Row, PatchCodes]:
    groups = in_groups(plan.order, size)
    generator = torch.Generator(model.device).manual_seed(0)
    start, peak = cache.length, _Peak(model.device)
    seconds, parts = _timed(model, lambda: list(decode(model, plan, cache, groups, sampling, generator)))
    least = sum(
        4 * floor(new=size, past=start + 5 * size * index, scored=size, batch=cache.batch)
        for index in range(len(groups))
    )
    mode = "plain, one patch at a time" if size == 1 else f"{size} patches a pass"
    return _row(mode, plan, 4 * len(groups), seconds, least, peak.megabytes()), _table(plan, parts)


def _drafted(model: Network, plan: Plan, cache: KVCache, floor: Floor, draft: PatchCodes, share: float) -> Row:
    tally, start, peak = DraftTally(), cache.length, _Peak(model.device)
    seconds, _ = _timed(model, lambda: list(decode_drafted(model, plan, cache, draft, tally=tally)))
    new = max(1, round(5 * len(plan.order) / tally.passes))
    middle = start + 5 * len(plan.order) // 2
    least = tally.passes * floor(new=new, past=middle, scored=new)
    row = _row(f"draft {share:.0%} right", plan, tally.passes, seconds, least, peak.megabytes())
    return replace(row, drafts_accepted=tally.share_accepted)


def spoiled(frame: PatchCodes, share_right: float, plan: Plan, seed: int) -> PatchCodes:
    """A draft that has `share_right` of the patches right and every code of the others wrong."""
    rng = np.random.default_rng(seed)
    draft = frame.copy()
    wrong = rng.permutation(plan.order)[: round((1 - share_right) * len(plan.order))]
    draft[wrong] = (draft[wrong] + rng.integers(1, plan.target.codes.size, (len(wrong), 4))) % plan.target.codes.size
    return draft


def _plan(config: TransformerConfig, seed: int) -> Plan:
    rng, side = np.random.default_rng(seed), 2 * config.grid
    source = rng.integers(0, config.rgb_range.size, (side, side))
    if config.flow_kind == "quantised":
        up = np.eye(4)
        up[1, 3] = -0.3
        return flow_plan(config, INTENDED, source, orders(config, seed), camera_codes(up))
    bins = rng.integers(0, config.flow_range.size, (2, side, side)) if config.flow_range else None
    shown = rng.permutation(config.n_patches)[:_FLOW_PATCHES]
    flow = None if bins is None else (bins, shown)
    # The released share of frame 0, so that the prefix has the length of the published measurements.
    recipe = replace(INTENDED, frame_0_share=RELEASED.frame_0_share)
    return rgb_plan(config, recipe, source, orders(config, seed), flow)


def _table(plan: Plan, parts: list[Decoded]) -> PatchCodes:
    """Decoded codes by patch id; zeros for patches that were not decoded."""
    table = np.zeros((plan.config.n_patches, 4), np.int64)
    for part in parts:
        table[part.ids] = part.codes[0]
    return table


def _row(mode: str, plan: Plan, passes: int, seconds: float, floor: float, peak: float | None) -> Row:
    count = len(plan.order)
    return Row(mode, count, passes, seconds, 1000 * seconds / count, floor, peak)


def _warm_up(model: Network, plan: Plan, cache: KVCache) -> None:
    """First calls choose kernels and allocate; they are no part of a frame."""
    few = replace(plan, order=plan.order[:8])
    prefill(model, plan.condition, cache)
    for size in (1, 4):
        for _ in decode(model, few, cache, in_groups(few.order, size)):
            pass
    cache.truncate(0)


def _timed(model: Network, work: Callable[[], Result]) -> tuple[float, Result]:
    _synchronise(model.device)
    start = time.perf_counter()
    result = work()
    _synchronise(model.device)
    return time.perf_counter() - start, result


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class _Peak:
    """Peak memory since construction: the device's own count, or the process's resident memory on Linux."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        elif _CLEAR_PEAK.exists():
            _CLEAR_PEAK.write_text("5")

    def megabytes(self) -> float | None:
        """None where the system does not tell."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device) / 1e6
        if not _STATUS.exists():
            return None
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1e3
