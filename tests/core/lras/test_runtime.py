"""One call for every mode, and prefixes that are made once."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from lras_networks import SMALL, in_raster, network, picture_codes, plan_for

from core.errors import Cancelled, EngineFailed, InvalidInput
from core.lras.draft import DraftTally
from core.lras.plan import Known
from core.lras.runtime import Decoding, Runtime
from core.lras.sampling import GREEDY
from core.types.protocols import CancelToken

PLAIN = Decoding(patches_per_pass=1, sampling=GREEDY)


def codes_of(runtime: Runtime, plan, decoding: Decoding, seed: int = 0, **more) -> np.ndarray:
    return in_raster(SMALL, list(runtime.decode(plan, decoding, seed, CancelToken(), **more)))[0]


def test_a_draft_gives_plain_decodings_tokens_in_fewer_passes() -> None:
    runtime, plan, tally = Runtime(network()), plan_for(), DraftTally()
    plain = codes_of(runtime, plan, PLAIN)
    assert np.array_equal(codes_of(runtime, plan, PLAIN, draft=plain, tally=tally), plain)
    assert tally.passes < 4


@pytest.mark.parametrize("decoding", [Decoding(1), Decoding(4), Decoding(sequential=3), Decoding(variations=3)])
def test_every_mode_decodes_every_patch(decoding: Decoding) -> None:
    plan = plan_for(known=Known(np.arange(5), picture_codes()))
    codes = codes_of(Runtime(network()), plan, decoding)
    assert (codes[plan.order] >= 0).all()
    assert (codes[plan.revealed_ids] == -1).all()


def test_the_source_prefix_is_computed_once_for_all_edits() -> None:
    model, passes = network(), []
    model.register_forward_hook(lambda _model, inputs, _output: passes.append(inputs[0].shape[1]))
    runtime = Runtime(model)
    for seed in range(3):
        codes_of(runtime, plan_for(seed=seed), PLAIN, seed)
    assert passes.count(len(plan_for().source)) == 1


def test_only_the_last_photos_prefixes_are_kept() -> None:
    runtime = Runtime(network(), prefixes_kept=1)
    first = plan_for()
    codes = codes_of(runtime, first, PLAIN)
    other = plan_for(SMALL.__class__(**{**SMALL.__dict__}), seed=3)
    codes_of(runtime, other, PLAIN)
    assert np.array_equal(codes_of(runtime, first, PLAIN), codes)


def test_the_estimate_grows_with_the_variations() -> None:
    runtime, plan = Runtime(network(dtype=torch.float32)), plan_for()
    one, four = (runtime.estimate(plan, Decoding(variations=count)) for count in (1, 4))
    per_token = 2 * SMALL.n_layer * SMALL.n_embd * 4
    assert four.cache - one.cache == 3 * plan.length * per_token
    assert four.weights == one.weights


def test_running_out_of_memory_leaves_the_runtime_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime, plan = Runtime(network()), plan_for()
    wanted = codes_of(runtime, plan, PLAIN)

    def refuse(*_args: object, **_named: object) -> None:
        raise torch.OutOfMemoryError("no room")

    with monkeypatch.context() as patch:
        patch.setattr("core.lras.cache.KVCache.fork", refuse)
        with pytest.raises(EngineFailed, match="not enough memory"):
            codes_of(runtime, plan, PLAIN)
    assert np.array_equal(codes_of(runtime, plan, PLAIN), wanted)


@pytest.mark.parametrize("wrong", [{"patches_per_pass": 0}, {"variations": 0}, {"keeps": -0.1}, {"keeps": 2.0}])
def test_senseless_settings_are_refused(wrong: dict) -> None:
    with pytest.raises(InvalidInput):
        Decoding(**wrong)


def test_two_sessions_take_turns_and_a_third_waits_for_room() -> None:
    model, fed = network(), []
    model.register_forward_hook(lambda _, given, __: fed.append(id(given[2])))
    runtime, plans = Runtime(model), [plan_for(seed=seed) for seed in range(3)]
    alone = [codes_of(Runtime(network()), plan, PLAIN) for plan in plans]
    first, second, third = (runtime.decode(plan, PLAIN, 0, CancelToken()) for plan in plans)
    started = [[next(first)], [next(second)]]
    impatient = CancelToken()
    waiting = runtime.decode(plans[2], PLAIN, 0, impatient)
    threading.Timer(0.1, impatient.cancel).start()
    with pytest.raises(Cancelled):
        next(waiting)
    fed.clear()
    threads = [
        threading.Thread(target=collected.extend, args=(passes,))
        for collected, passes in zip(started, (first, second), strict=True)
    ]
    for thread in threads:
        thread.start()
    started.append(list(third))
    for thread in threads:
        thread.join()
    caches = set(fed)
    assert len(caches) == 3
    assert all(fed.index(cache) < len(fed) - len(caches) for cache in caches)
    for collected, expected in zip(started, alone, strict=True):
        assert np.array_equal(in_raster(SMALL, collected)[0], expected)


def test_a_decode_that_nobody_goes_on_with_gives_its_room_back() -> None:
    runtime, plan = Runtime(network()), plan_for()
    for _ in range(5):
        passes = runtime.decode(plan, PLAIN, 0, CancelToken())
        next(passes)
        passes.close()
    assert len(codes_of(runtime, plan, PLAIN)) == SMALL.n_patches


def test_favoured_codes_stay_as_far_as_they_are_likely() -> None:
    runtime, plan = Runtime(network()), plan_for()
    own = codes_of(runtime, plan, PLAIN)
    draft = (own + 1) % SMALL.rgb_range.size
    changed = [
        float((codes_of(runtime, plan, replace(PLAIN, keeps=share), draft=draft) != draft).mean())
        for share in (0.0, 0.5, 1.0)
    ]
    assert changed[0] == 0 < changed[1] <= changed[2] == 1
    again = codes_of(runtime, plan, replace(PLAIN, keeps=1.0), draft=own)
    assert np.array_equal(again, own)
