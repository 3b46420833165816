"""The LRAS engine with a small random network, held to what every engine must do."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from lras_networks import SMALL, network, quantizer

from core.engines import lras_window
from core.engines.lras import LrasEngine
from core.engines.registry import make_engine
from core.errors import Cancelled
from core.lras.config import rgb_flow_config
from core.lras.generate import Decoded
from core.lras.plan import Plan
from core.lras.runtime import Decoding, Runtime
from core.types.flow import FlowField
from core.types.photo import Photo
from core.types.protocols import CancelToken, EngineInfo, EngineRequest


@pytest.fixture
def engine() -> LrasEngine:
    info = EngineInfo("lras", "LRAS", "MIT", SMALL.image_size, streams=True)
    runtime = Runtime(network(SMALL, torch.float32))
    return LrasEngine(runtime, quantizer(3, 64), make_engine("warp"), info, Decoding(patches_per_pass=2))


def request(height: int = 60, width: int = 80, dtype: type = np.uint8, seed: int = 0, flow: bool = False):
    rng = np.random.default_rng(0)
    top = np.iinfo(dtype).max
    pixels = rng.integers(0, top, (height, width, 3)).astype(dtype)
    high = pixels if dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    unknown = np.zeros((height, width), bool)
    unknown[height // 3 : height // 2 + 1, width // 3 : width // 2 + 1] = True
    field = None
    if flow:
        moved = np.full((height, width, 2), 3, np.float32)
        moved[:5] = np.nan
        field = FlowField(moved, ~unknown, unknown)
    depth = np.where(unknown, 0, 2).astype(np.float32)
    return EngineRequest(Photo("test", pixels, high), pixels, unknown, np.zeros_like(unknown), depth, field, seed)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("flow", [False, True])
def test_known_pixels_are_untouched_and_unknown_ones_painted(engine: LrasEngine, dtype: type, flow: bool) -> None:
    asked = request(dtype=dtype, flow=flow)
    updates = list(engine.render(asked, CancelToken()))
    assert [update.is_final for update in updates] == [False] * (len(updates) - 1) + [True]
    assert [update.done for update in updates] == sorted(update.done for update in updates)
    for update in updates:
        assert update.image.dtype == dtype
        assert np.array_equal(update.image[~asked.unknown], asked.draft[~asked.unknown])
        assert (update.confidence[~asked.unknown] == 1).all()
        assert (update.confidence[asked.unknown] < 1).all()
    assert (updates[-1].depth > 0).all()
    drafted = list(make_engine("warp").render(asked, CancelToken()))[-1]
    assert not np.array_equal(updates[-1].image[asked.unknown], drafted.image[asked.unknown])


def test_the_network_is_shown_as_much_flow_as_it_was_trained_with(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    decode = Runtime.decode
    monkeypatch.setattr(Runtime, "decode", lambda self, plan, *rest: shown.append(plan) or decode(self, plan, *rest))
    for count in (2, 5):
        config = replace(SMALL, flow_patches=count, largest_flow_pixels=4)
        runtime = Runtime(network(config, torch.float32))
        info = EngineInfo("lras", "LRAS", "MIT", SMALL.image_size, streams=True)
        list(LrasEngine(runtime, quantizer(3, 64), make_engine("warp"), info).render(request(flow=True), CancelToken()))
        tokens = shown[-1].condition.tokens
        pointers, bins = config.flow_patch_idx_range, config.flow_range
        assert ((tokens >= pointers.start) & (tokens < pointers.stop)).sum() == count
        # 3 pixels at the picture's size are more than half of the 4 that the bins reach.
        assert tokens[(tokens >= bins.start) & (tokens < bins.stop)].max() > bins.start + 12


def test_same_seed_same_pixels(engine: LrasEngine) -> None:
    first, again, other = (list(engine.render(request(seed=s), CancelToken()))[-1].image for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_without_previews_only_the_final_picture_comes(engine: LrasEngine) -> None:
    streamed = list(engine.render(request(), CancelToken()))
    quiet = list(engine.render(replace(request(), previews=False), CancelToken()))
    assert len(quiet) == 1 < len(streamed)
    assert np.array_equal(quiet[0].image, streamed[-1].image)


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (9, 120), (33, 32)])
def test_odd_sizes(engine: LrasEngine, size: tuple[int, int]) -> None:
    update = list(engine.render(request(*size), CancelToken()))[-1]
    assert update.image.shape == (*size, 3)


def test_nothing_unknown_returns_the_draft(engine: LrasEngine) -> None:
    asked = request()
    whole = replace(asked, unknown=np.zeros_like(asked.unknown), depth=np.full((60, 80), 2, np.float32))
    assert np.array_equal(list(engine.render(whole, CancelToken()))[-1].image, asked.draft)


def test_cancel_stops_between_groups(engine: LrasEngine) -> None:
    cancel = CancelToken()
    updates = engine.render(request(), cancel)
    assert not next(updates).is_final
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(updates)


CORRECTING = replace(SMALL, sees_draft=True, frame_0_patches=6, known_patches=5, decoded_patches=4)


def correcting(decoding: Decoding | None = None) -> LrasEngine:
    info = EngineInfo("lras", "LRAS", "MIT", SMALL.image_size, streams=True)
    runtime = Runtime(network(CORRECTING, torch.float32))
    return LrasEngine(runtime, quantizer(3, 64), make_engine("warp"), info, decoding or Decoding(patches_per_pass=2))


def drafted(asked: EngineRequest) -> np.ndarray:
    return list(make_engine("warp").render(asked, CancelToken()))[-1].image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_network_that_corrects_drafts_sees_few_patches_at_a_time(
    monkeypatch: pytest.MonkeyPatch, dtype: type
) -> None:
    plans: list[Plan] = []
    decode = Runtime.decode
    monkeypatch.setattr(Runtime, "decode", lambda self, plan, *rest: plans.append(plan) or decode(self, plan, *rest))
    asked = request(120, 160, dtype=dtype, flow=True)
    updates = list(correcting().render(asked, CancelToken()))
    assert len(plans) > 1
    for plan in plans:
        assert 1 <= len(plan.order) <= 4
        assert len(plan.revealed_ids) <= 5
        assert len(plan.source) == 5 * 6
        assert len(plan.condition) == 5 * len(plan.revealed_ids)
    assert updates[-1].is_final
    for update in updates:
        assert np.array_equal(update.image[~asked.unknown], asked.draft[~asked.unknown])
    assert not np.array_equal(updates[-1].image[asked.unknown], drafted(asked)[asked.unknown])


def test_codes_that_stay_leave_the_draft_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request()

    def keeps(self: Runtime, plan: Plan, *_rest: object) -> Iterator[Decoded]:
        """What the draft, frame 0 of such a network, holds."""
        tokens = plan.source.tokens.reshape(-1, 5)
        held = dict(zip(tokens[:, 0] - plan.config.rgb_patch_0_idx_range.start, tokens[:, 1:], strict=True))
        codes = np.stack([held[index] for index in plan.order])[None]
        yield Decoded(plan.order, codes, np.zeros(codes.shape, np.float32))

    monkeypatch.setattr(Runtime, "decode", keeps)
    final = list(correcting().render(asked, CancelToken()))[-1]
    assert np.array_equal(final.image, drafted(asked))


def test_large_holes_are_corrected_at_a_reduced_size() -> None:
    engine = correcting()
    unknown = np.zeros((900, 900), bool)
    unknown[100:140, 100:140] = True
    assert {window.side for window in engine._windows(unknown)} == {SMALL.image_size}
    unknown[50:850, 50:850] = True
    (side,) = {window.side for window in engine._windows(unknown)}
    assert 2 * SMALL.image_size < side < 3 * SMALL.image_size


def painted_order(monkeypatch: pytest.MonkeyPatch, asked: EngineRequest, decoded_patches: int) -> np.ndarray:
    """Ids of the patches of a 64-pixel window in the order in which they were decoded."""
    config = replace(rgb_flow_config(2, 2, 32, 8, 64, 16), decoded_patches=decoded_patches)
    found: list[np.ndarray] = []
    decode = Runtime.decode

    def noted(self: Runtime, *rest: Any) -> Iterator[Decoded]:
        for part in decode(self, *rest):
            found.append(part.ids)
            yield part

    with monkeypatch.context() as patch:
        patch.setattr(Runtime, "decode", noted)
        info = EngineInfo("lras", "LRAS", "MIT", 64, streams=True)
        runtime = Runtime(network(config, torch.float32))
        decoding = Decoding(patches_per_pass=1)
        list(LrasEngine(runtime, quantizer(3, 64), make_engine("warp"), info, decoding).render(asked, CancelToken()))
    return np.concatenate(found)


@pytest.mark.parametrize("decoded_patches", [0, 4])
def test_the_order_of_painting_is_as_asked(monkeypatch: pytest.MonkeyPatch, decoded_patches: int) -> None:
    unknown = np.zeros((64, 64), bool)
    unknown[8:56, 8:56] = True
    blank = np.zeros((64, 64, 3), np.uint8)
    depth = np.where(unknown, 0, 2).astype(np.float32)
    asked = EngineRequest(Photo("test", blank, blank), blank, unknown, np.zeros_like(unknown), depth, None)
    orders = {
        order: painted_order(monkeypatch, replace(asked, order=order), decoded_patches)
        for order in ("auto", "inwards", "scattered")
    }
    assert len({tuple(sorted(ids)) for ids in orders.values()}) == 1
    steps = {
        order: np.minimum.reduce([*np.divmod(ids, 8), *(7 - part for part in np.divmod(ids, 8))])
        for order, ids in orders.items()
    }
    early = {order: found[:18].mean() for order, found in steps.items()}
    assert early["inwards"] < early["scattered"]
    if decoded_patches == 0:
        assert (np.diff(steps["inwards"]) >= 0).all()
        assert np.array_equal(orders["auto"], orders["scattered"])
    else:
        assert early["auto"] < early["scattered"]


@pytest.mark.parametrize("sees_draft", [False, True])
def test_rebuilding_a_part_gives_the_picture_of_all(monkeypatch: pytest.MonkeyPatch, sees_draft: bool) -> None:
    base = rgb_flow_config(2, 2, 32, 16, 64, 16)
    config = replace(base, sees_draft=sees_draft, decoded_patches=4, known_patches=9, frame_0_patches=9)
    info = EngineInfo("lras", "LRAS", "MIT", 128, streams=True)
    unknown = np.zeros((128, 128), bool)
    unknown[40:56, 48:64] = True
    asked = replace(request(128, 128), unknown=unknown, foreground=np.zeros_like(unknown), previews=False)
    asked = replace(asked, depth=np.where(unknown, 0, 2).astype(np.float32))
    found = []
    for whole in (False, True):
        with monkeypatch.context() as patch:
            if whole:
                patch.setattr(lras_window, "_codes_of", lambda *_: ((0, 32), (0, 32)))
            engine = LrasEngine(Runtime(network(config, torch.float32)), quantizer(3, 64), make_engine("warp"), info)
            (update,) = engine.render(asked, CancelToken())
            found.append(update.image.astype(int))
    assert np.abs(found[0] - found[1]).max() <= 1
