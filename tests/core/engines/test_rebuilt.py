"""A picture that follows its codes is the picture that all of them at once decode to."""

import numpy as np
import torch
from lras_networks import quantizer

from core.engines.rebuilt import Rebuilt

CPU = torch.device("cpu")


def test_it_is_what_all_codes_decode_to_after_every_change() -> None:
    network, random = quantizer(3, 64), np.random.default_rng(0)
    codes = random.integers(0, 64, (24, 24))
    kept = Rebuilt.of(network, CPU, codes)
    for rows, columns in (((0, 1), (0, 1)), ((5, 9), (20, 24)), ((3, 23), (11, 12)), ((0, 24), (0, 24))):
        codes[slice(*rows), slice(*columns)] = random.integers(0, 64)
        kept.update(codes)
        assert np.allclose(kept.picture, Rebuilt.of(network, CPU, codes).picture, atol=1e-5)


def test_what_did_not_change_is_not_touched() -> None:
    network, codes = quantizer(3, 64), np.zeros((40, 40), np.int64)
    kept = Rebuilt.of(network, CPU, codes)
    kept.picture[:] = 7
    kept.update(codes.copy())
    assert (kept.picture == 7).all()
    codes[2, 30] = 5
    kept.update(codes)
    reach = network.reach
    assert (kept.picture[4 * (2 + reach + 1) :] == 7).all()
    assert (kept.picture[:, : 4 * (30 - reach)] == 7).all()
    assert (kept.picture[8:12, 120:124] != 7).any()


def test_a_copy_goes_its_own_way() -> None:
    network, codes = quantizer(3, 64), np.zeros((8, 8), np.int64)
    first = Rebuilt.of(network, CPU, codes)
    second, before = first.copy(), first.picture.copy()
    second.update(codes + 9)
    assert np.array_equal(first.picture, before)
    assert not np.allclose(second.picture, before)
