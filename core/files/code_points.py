"""Colours by code points (H.273: `cICP` of PNG, `nclx` of HEIC and AVIF), and PNG's gAMA and cHRM, as ICC profiles."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from core.files import icc
from core.files.png import ColourChunks
from core.maths.colour import coded_pixels
from core.types.photo import Pixels

_C, _DCI = (0.310, 0.316), (0.314, 0.351)
_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
_BT601 = icc.Primaries(icc.D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
BT2020 = icc.Primaries(icc.D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
_PRIMARIES = {
    1: icc.BT709,
    4: icc.Primaries(_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: icc.Primaries(icc.D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: _BT601,
    7: _BT601,
    8: icc.Primaries(_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: BT2020,
    11: icc.Primaries(_DCI, *_P3),
    12: icc.Primaries(icc.D65, *_P3),
    22: icc.Primaries(icc.D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
_NAMES = {1: "BT.709", 6: "BT.601", 7: "BT.601", 9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
_BT709_CURVE: icc.Curve = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_CURVES: dict[int, tuple[str, icc.Curve]] = {
    **dict.fromkeys((1, 6, 11, 12, 14, 15), ("BT.709 curve", _BT709_CURVE)),
    4: ("gamma 2.2", (2.2,)),
    5: ("gamma 2.8", (2.8,)),
    7: ("SMPTE 240M curve", (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0913)),
    8: ("linear", (1.0,)),
    13: ("sRGB curve", icc.SRGB_CURVE),
    17: ("gamma 2.6 of cinema", (2.6, (52.37 / 48) ** (1 / 2.6), 0.0, 0.0, 0.0)),
}
PQ, HLG = 16, 18
_UNSPECIFIED = (0, 2)

_PAPER_WHITE = 203.0  # candela per square metre of a white page, by BT.2408
_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2


@dataclass(frozen=True)
class Meaning:
    """What the values of a picture mean: `hdr` is PQ or HLG, whose values no profile here describes."""

    primaries: icc.Primaries
    icc_profile: bytes | None
    hdr: int | None = None


def meaning_of(primaries: int, transfer: int) -> Meaning | None:
    """The meaning of a pair of code points; sRGB's where one is unspecified, None where both are or one is unknown."""
    if primaries in _UNSPECIFIED and transfer in _UNSPECIFIED:
        return None
    primaries = 1 if primaries in _UNSPECIFIED else primaries
    transfer = 13 if transfer in _UNSPECIFIED else transfer
    if primaries not in _PRIMARIES or (transfer not in _CURVES and transfer not in (PQ, HLG)):
        return None
    chosen = _PRIMARIES[primaries]
    if transfer in (PQ, HLG):
        return Meaning(chosen, None, transfer)
    words, curve = _CURVES[transfer]
    title = (
        "sRGB" if (primaries, transfer) == (1, 13) else f"{_NAMES.get(primaries, f'primaries {primaries}')}, {words}"
    )
    return Meaning(chosen, icc.rgb_profile(title, chosen, curve))


def unknown_notices(points: tuple[int, int] | None) -> tuple[str, ...]:
    """What is told of primaries and transfer that have no meaning here; nothing where the file leaves both open."""
    if points is None or meaning_of(*points) is not None or (points[0] in _UNSPECIFIED and points[1] in _UNSPECIFIED):
        return ()
    return (
        f"The photo's colours are coded in a way that is not known here (primaries {points[0]}, transfer {points[1]}); "
        "they are taken as sRGB.",
    )


def meaning_of_chunks(found: ColourChunks) -> Meaning | None:
    """PNG, third edition: cICP before iCCP before sRGB before gAMA and cHRM; None where there is none of them."""
    if found.cicp is not None and found.cicp[2:] == (0, 1):
        told = meaning_of(found.cicp[0], found.cicp[1])
        if told is not None:
            return told
    if found.icc_profile is not None:
        return Meaning(icc.BT709, found.icc_profile)
    if found.srgb:
        return meaning_of(1, 13)
    if found.gamma is None and found.chromaticities is None:
        return None
    points = found.chromaticities
    primaries = icc.BT709 if points is None else icc.Primaries(*zip(points[::2], points[1::2], strict=True))
    curve = icc.SRGB_CURVE if found.gamma is None else (1 / found.gamma,)
    try:
        return Meaning(primaries, icc.rgb_profile("Colours of the PNG file", primaries, curve))
    except (ValueError, OverflowError):
        return None


def to_sdr(pixels: Pixels, transfer: int, primaries: icc.Primaries) -> tuple[Pixels, bytes]:
    """A PQ or HLG picture as 16 bits of the same primaries with sRGB's curve, and its profile.

    Light up to 80 % of a white page (203 cd/m2) stays as it is, what is brighter is rolled off towards white, by
    the brightest channel so that hues stay.
    """
    levels = np.arange(np.iinfo(pixels.dtype).max + 1, dtype=np.float64) / np.iinfo(pixels.dtype).max
    table = (_from_pq(levels) if transfer == PQ else _from_hlg(levels)).astype(np.float32)
    weights = icc.xyz_from_rgb(primaries)[1].astype(np.float32)
    mapped = np.empty(pixels.shape, np.uint16)
    for row, values in enumerate(pixels):
        light = table[values]
        if transfer == HLG:
            shown = np.maximum(light @ weights, 1e-6) ** (_HLG_GAMMA - 1) * (_HLG_PEAK / _PAPER_WHITE)
            light = light * shown.astype(np.float32)[:, None]
        mapped[row] = coded_pixels(_rolled_off(light), mapped.dtype)
    return mapped, icc.rgb_profile("Tone-mapped HDR, sRGB curve", primaries, icc.SRGB_CURVE)


def _rolled_off(light: Float32[np.ndarray, "W 3"]) -> Float32[np.ndarray, "W 3"]:
    knee = np.float32(0.8)
    peak = np.maximum(light.max(axis=1), np.float32(1e-6))
    over = np.maximum(peak - knee, 0)
    mapped = np.where(peak > knee, knee + (1 - knee) * over / (over + (1 - knee)), peak)
    return light * (mapped / peak)[:, None]


def _from_pq(levels: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084, in units of a white page."""
    m1, m2, c1, c2, c3 = 1305 / 8192, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128
    power = levels ** (1 / m2)
    return 10_000 / _PAPER_WHITE * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _from_hlg(levels: np.ndarray) -> np.ndarray:
    """ARIB STD-B67: scene light of 0..1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(levels <= 0.5, levels**2 / 3, (np.exp((levels - c) / a) + b) / 12)
