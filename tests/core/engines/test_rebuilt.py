"""A picture that follows its codes is the picture that all of them at once decode to."""

import numpy as np
import torch
from lras_networks import quantizer

from core.engines.rebuilt import Rebuilt
from core.lras.quantizer import Quantizer

CPU = torch.device("cpu")


def whole(network: Quantizer, codes: np.ndarray) -> Rebuilt:
    return Rebuilt(network, CPU, codes, (0, codes.shape[0]), (0, codes.shape[1]))


def test_it_is_what_all_codes_decode_to_after_every_change() -> None:
    network, random = quantizer(3, 64), np.random.default_rng(0)
    codes = random.integers(0, 64, (24, 24))
    kept, part = whole(network, codes), Rebuilt(network, CPU, codes, (4, 20), (2, 9))
    for rows, columns in (((0, 1), (0, 1)), ((5, 9), (20, 24)), ((3, 23), (11, 12)), ((0, 24), (0, 24))):
        codes[slice(*rows), slice(*columns)] = random.integers(0, 64)
        for rebuilt in (kept, part):
            rebuilt.update(codes)
        expected = whole(network, codes).picture
        assert np.allclose(kept.picture, expected, atol=1e-5)
        assert np.allclose(part.picture[16:80, 8:36], expected[16:80, 8:36], atol=1e-5)
        part.picture[16:80, 8:36] = 0
        assert not part.picture.any()
        part.picture[16:80, 8:36] = expected[16:80, 8:36]


def test_what_did_not_change_is_not_touched() -> None:
    network, codes = quantizer(3, 64), np.zeros((40, 40), np.int64)
    kept = whole(network, codes)
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
    first = whole(network, codes)
    second, before = first.copy(), first.picture.copy()
    second.update(codes + 9)
    assert np.array_equal(first.picture, before)
    assert not np.allclose(second.picture, before)
