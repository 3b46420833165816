import cv2
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from core.errors import InvalidInput
from core.evaluation.metrics import gradient_energy_ratio, lpips, psnr, ssim
from core.nets.lpips import Lpips


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)


def test_equal_pictures(picture: np.ndarray) -> None:
    assert psnr(picture, picture) == float("inf")
    assert ssim(picture, picture) == pytest.approx(1)
    assert gradient_energy_ratio(picture, picture) == pytest.approx(1)


def test_psnr_of_a_known_offset_in_8_and_16_bits() -> None:
    dark, light = np.full((9, 9, 3), 100, np.uint8), np.full((9, 9, 3), 110, np.uint8)
    expected = 20 * np.log10(255 / 10)
    assert psnr(dark, light) == pytest.approx(expected, abs=1e-3)
    assert psnr(dark.astype(np.uint16) * 257, light.astype(np.uint16) * 257) == pytest.approx(expected, abs=1e-3)


def test_ssim_agrees_with_scikit_image(picture: np.ndarray) -> None:
    from skimage.metrics import structural_similarity

    other = cv2.GaussianBlur(picture, (5, 5), 1.0)
    inner = np.zeros((40, 50), bool)
    inner[5:-5, 5:-5] = True
    expected = structural_similarity(
        picture, other, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert ssim(other, picture, inner) == pytest.approx(expected, abs=2e-3)


def test_only_the_region_counts(picture: np.ndarray) -> None:
    other = picture.copy()
    other[:10] = 0
    below = np.zeros((40, 50), bool)
    below[20:] = True
    assert psnr(other, picture, below) == float("inf")
    assert psnr(other, picture) < 20
    assert ssim(other, picture, below) == pytest.approx(1)


def test_blur_loses_gradient_energy(picture: np.ndarray) -> None:
    assert gradient_energy_ratio(cv2.GaussianBlur(picture, (9, 9), 2), picture) < 0.2


def test_sizes_must_agree_and_the_region_must_not_be_empty(picture: np.ndarray) -> None:
    # In the test run the shape check speaks first; outside it, InvalidInput does.
    with pytest.raises((InvalidInput, TypeCheckError)):
        psnr(picture, picture[:-1])
    with pytest.raises(InvalidInput):
        ssim(picture, picture, np.zeros((40, 50), bool))


def test_lpips_looks_at_the_region_alone(picture: np.ndarray) -> None:
    judge = Lpips().requires_grad_(False)
    for head in judge.heads:
        head.data.fill_(0.1)
    where = np.zeros((40, 50), bool)
    where[10:20, 10:30] = True
    outside, inside = picture.copy(), picture.copy()
    outside[~where] = 0
    inside[where] = 0
    assert lpips(judge, outside, picture, where) == 0
    assert lpips(judge, inside, picture, where) > 0
