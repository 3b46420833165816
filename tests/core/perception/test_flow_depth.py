"""Depth from predicted flow: what is made of flows, and one whole run of a network with random weights."""

import numpy as np
import pytest
import torch
from lras_networks import network, quantizer

from core.errors import Cancelled
from core.lras.config import camera_flow_config
from core.lras.runtime import Decoding, Runtime
from core.maths.camera import intrinsics_of_photo
from core.perception.depth.lras import FlowDepth, FlowDepthSettings, robust_disparity
from core.types.photo import Photo
from core.types.protocols import CancelToken

CONFIG = camera_flow_config(2, 2, 32, grid=4, rgb_codes=64, flow_codes=32)


@pytest.fixture
def backend() -> FlowDepth:
    settings = FlowDepthSettings(runs=3, decoding=Decoding(patches_per_pass=8))
    return FlowDepth(Runtime(network(CONFIG, torch.float32)), quantizer(3, 64), quantizer(2, 32), settings)


def photo(width: int = 40, height: int = 30) -> Photo:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Photo("test", pixels, pixels)


def test_agreeing_runs_give_their_own_disparity_with_full_confidence() -> None:
    disparity = np.random.default_rng(0).uniform(1, 4, (8, 8)).astype(np.float32)
    ours, confidence = robust_disparity([disparity] * 3)
    assert np.array_equal(ours, disparity)
    assert (confidence == 1).all()


def test_one_wild_run_changes_nothing_where_two_agree() -> None:
    disparity = np.full((8, 8), 2, np.float32)
    wild = disparity.copy()
    wild[:4] = 40
    ours, confidence = robust_disparity([disparity, wild, disparity])
    assert np.array_equal(ours, disparity)
    assert (confidence == 1).all()


def test_disagreement_lowers_confidence() -> None:
    flows = [np.full((4, 4), value, np.float32) for value in (1, 2, 4)]
    _, confidence = robust_disparity(flows)
    assert (confidence < 0.7).all()


def test_no_flow_at_all_is_far_but_finite() -> None:
    disparity = np.ones((10, 10), np.float32)
    disparity[:2] = 0
    ours, _ = robust_disparity([disparity] * 2)
    assert ours.min() > 0
    assert np.isfinite(1 / ours).all()


def test_a_photo_gets_depth_of_its_own_aspect(backend: FlowDepth) -> None:
    picture = photo()
    estimate = backend.estimate(picture, intrinsics_of_photo(picture), CancelToken())
    assert (estimate.depth.width, estimate.depth.height) == (32, 24)
    assert estimate.depth.scale == "relative"
    assert estimate.depth.values.min() > 0
    assert estimate.depth.confidence is not None
    assert estimate.depth.confidence.shape == estimate.depth.values.shape
    again = backend.estimate(picture, intrinsics_of_photo(picture), CancelToken())
    assert again.depth.id == estimate.depth.id


def test_runs_differ_by_their_seed(backend: FlowDepth) -> None:
    first, second = (backend.predict_flow(photo().srgb, seed, CancelToken()) for seed in (0, 42))
    assert first.shape == (2, 32, 32)
    assert not np.array_equal(first, second)


def test_cancel_stops_the_estimate(backend: FlowDepth) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        backend.estimate(photo(), intrinsics_of_photo(photo()), cancel)
