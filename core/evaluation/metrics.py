"""How close a picture is to the truth, over the whole of it or over a region."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool

from core.compute import computes
from core.errors import InvalidInput
from core.maths.fill import Picture, to_float
from core.nets.lpips import Lpips


@dataclass(frozen=True)
class Likeness:
    """How near a picture is to the truth: PSNR in dB, SSIM, and LPIPS (None: not asked; lower is nearer)."""

    psnr: float
    ssim: float
    lpips: float | None


def psnr(result: Picture, truth: Picture, where: Bool[np.ndarray, "H W"] | None = None) -> float:
    """Peak signal-to-noise ratio in dB (peak = full scale) over `where`; infinity for equal pictures.

    Raises InvalidInput when the sizes differ or the region is empty.
    """
    region = _region(result, truth, where)
    error = float(np.mean((to_float(result)[region] - to_float(truth)[region]).astype(np.float64) ** 2))
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def ssim(result: Picture, truth: Picture, where: Bool[np.ndarray, "H W"] | None = None) -> float:
    """Mean structural similarity (Wang 2004: Gaussian window of sigma 1.5) of the three channels over `where`.

    Raises InvalidInput when the sizes differ or the region is empty.
    """
    region = _region(result, truth, where)
    a, b = to_float(result), to_float(truth)
    mean_a, mean_b = _window(a), _window(b)
    variance_a, variance_b = _window(a * a) - mean_a**2, _window(b * b) - mean_b**2
    covariance = _window(a * b) - mean_a * mean_b
    index = ((2 * mean_a * mean_b + 0.01**2) * (2 * covariance + 0.03**2)) / (
        (mean_a**2 + mean_b**2 + 0.01**2) * (variance_a + variance_b + 0.03**2)
    )
    return float(index[region].mean())


def gradient_energy_ratio(result: Picture, truth: Picture, where: Bool[np.ndarray, "H W"] | None = None) -> float:
    """Gradient energy of the result over that of the truth inside `where`: 1 = as much texture, 0 = smooth.

    Raises InvalidInput when the sizes differ or the region is empty.
    """
    region = _region(result, truth, where)
    return _gradient_energy(result, region) / max(_gradient_energy(truth, region), 1e-12)


@computes
def lpips(judge: Lpips, result: Picture, truth: Picture, where: Bool[np.ndarray, "H W"] | None = None) -> float:
    """LPIPS (Zhang et al. 2018) of the truth with the result inside `where`, its spatial mean there.

    Raises InvalidInput when the sizes differ or the region is empty.
    """
    region = _region(result, truth, where)
    a, b = to_float(truth), to_float(truth).copy()
    b[region] = to_float(result)[region]
    with torch.inference_mode():
        found = judge(*(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()) for picture in (a, b)))
    return float(found[0].numpy()[region].mean())


def likeness(
    judge: Lpips | None, result: Picture, truth: Picture, where: Bool[np.ndarray, "H W"] | None = None
) -> Likeness:
    """All three over `where`; LPIPS where there is a judge. Raises InvalidInput as they do."""
    seen = None if judge is None else lpips(judge, result, truth, where)
    return Likeness(psnr(result, truth, where), ssim(result, truth, where), seen)


def mean_likeness(some: Sequence[Likeness]) -> Likeness:
    """The mean of each figure; of LPIPS over those that have it."""
    told = [one.lpips for one in some if one.lpips is not None]
    alike = (float(np.mean([one.psnr for one in some])), float(np.mean([one.ssim for one in some])))
    return Likeness(*alike, float(np.mean(told)) if told else None)


def _gradient_energy(picture: Picture, region: np.ndarray) -> float:
    grey = cv2.cvtColor(to_float(picture), cv2.COLOR_RGB2GRAY)
    energy = cv2.Sobel(grey, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(grey, cv2.CV_32F, 0, 1) ** 2
    return float(energy[region].mean())


def _window(field: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(field, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT)


def _region(result: np.ndarray, truth: np.ndarray, where: np.ndarray | None) -> np.ndarray:
    if result.shape != truth.shape:
        raise InvalidInput(f"Pictures to compare must have one size, got {result.shape} and {truth.shape}.")
    region = np.ones(truth.shape[:2], bool) if where is None else where
    if region.shape != truth.shape[:2] or not region.any():
        raise InvalidInput("The region to compare must have the picture's size and at least one pixel.")
    return region
