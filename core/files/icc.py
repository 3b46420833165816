"""ICC profiles of our own: from primaries, white and curves, and between gray and RGB."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_HEADER = 128
_VERSION_4 = 0x04400000
Chromaticity = tuple[float, float]
Curve = tuple[float, ...]
"""A parametric curve of ICC: (g,) is Y = X^g; (g, a, b, c, d) is (aX + b)^g from d on and cX below."""

SRGB_CURVE: Curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@dataclass(frozen=True)
class Primaries:
    """x and y of white, red, green and blue."""

    white: Chromaticity
    red: Chromaticity
    green: Chromaticity
    blue: Chromaticity


D65 = (0.3127, 0.3290)
BT709 = Primaries(D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE_RGB = Primaries(D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
ADOBE_RGB_CURVE: Curve = (563 / 256,)


def xyz_from_rgb(primaries: Primaries) -> Float64[np.ndarray, "3 3"]:
    """Linear RGB to XYZ relative to the primaries' own white, whose Y is 1. Raises ValueError where there is none."""
    columns = np.array([_xyz(point) for point in (primaries.red, primaries.green, primaries.blue)]).T
    try:
        scale = np.linalg.solve(columns, _xyz(primaries.white))
    except np.linalg.LinAlgError as error:
        raise ValueError("primaries on one line") from error
    return columns * scale


def rgb_profile(title: str, primaries: Primaries, curve: Curve) -> bytes:
    """A matrix and curve profile of version 4. Raises ValueError for primaries that span no colours."""
    white = _xyz(primaries.white)
    cones = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD
    colorants = adapted @ xyz_from_rgb(primaries)
    if not np.isfinite(colorants).all() or np.abs(colorants).max() > 8:
        raise ValueError("primaries out of range")
    tags = _names(title, _VERSION_4) | {b"wtpt": _point(*_D50)}
    tags[b"chad"] = b"sf32" + bytes(4) + _fixed(*adapted.ravel())
    for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants.T, strict=True):
        tags[name] = _point(*column)
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _parametric(curve))
    return _profile(b"RGB ", _VERSION_4, tags)


def rgb_from_gray(gray_profile: bytes) -> bytes | None:
    """The RGB profile in which R = G = B mean what gray does in this one; None when it has no curve of its own."""
    tags = _tags(gray_profile)
    curve = tags.get(b"kTRC")
    if curve is None or curve[:4] not in (b"curv", b"para") or b"A2B0" in tags:
        return None
    own = _tags(rgb_profile("", BT709, SRGB_CURVE))
    version = struct.unpack_from(">I", gray_profile, 8)[0]
    base = _names("Gray", version) | {b"wtpt": _point(*_D50)} | _shared(tags)
    colours = {name: own[name] for name in (b"rXYZ", b"gXYZ", b"bXYZ")}
    return _profile(b"RGB ", version, base | colours | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def gray_from_rgb(profile: bytes) -> bytes | None:
    """The gray profile of a matrix profile's curve; None when its channels have none in common."""
    tags = _tags(profile)
    curves = {tags.get(name) for name in (b"rTRC", b"gTRC", b"bTRC")}
    curve = next(iter(curves))
    if len(curves) != 1 or curve is None or b"A2B0" in tags:
        return None
    return _profile(b"GRAY", struct.unpack_from(">I", profile, 8)[0], _shared(tags) | {b"kTRC": curve})


def _shared(tags: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """What gray and RGB profiles say alike."""
    return {name: content for name, content in tags.items() if name in (b"desc", b"cprt", b"wtpt", b"chad", b"bkpt")}


def only_colours(profile: bytes) -> bytes:
    """The profile without names, serial numbers and settings of the screen or program that it was made for."""
    kept = {
        name: content
        for name, content in _tags(profile).items()
        if name in (b"wtpt", b"bkpt", b"chad", b"kTRC", b"cicp", b"gamt") or name[1:] in (b"XYZ", b"TRC")
        or name[:3] in (b"A2B", b"B2A", b"D2B", b"B2D")
    }  # fmt: skip
    version = struct.unpack_from(">I", profile, 8)[0]
    return _profile(
        profile[16:20], version, _names("Colours of the photo", version) | kept, profile[12:16], profile[20:24]
    )


def _profile(
    space: bytes, version: int, tags: Mapping[bytes, bytes], kind: bytes = b"mntr", connection: bytes = b"XYZ "
) -> bytes:
    place = _HEADER + 4 + 12 * len(tags)
    table, bodies = b"", b""
    found: dict[bytes, int] = {}
    for name, content in tags.items():
        if content not in found:
            found[content] = place + len(bodies)
            bodies += content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, found[content], len(content))
    header = struct.pack(">I4xI4s4s4s", place + len(bodies), version, kind, space, connection)
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp")
    header = header.ljust(68, b"\0") + _fixed(*_D50)
    return header.ljust(_HEADER, b"\0") + struct.pack(">I", len(tags)) + table + bodies


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Content by name; what lies outside is left out."""
    count = struct.unpack_from(">I", profile, _HEADER)[0] if len(profile) >= _HEADER + 4 else 0
    found = {}
    for number in range(min(count, (len(profile) - _HEADER - 4) // 12)):
        name, place, size = struct.unpack_from(">4sII", profile, _HEADER + 4 + 12 * number)
        if place + size <= len(profile):
            found[name] = profile[place : place + size]
    return found


def _xyz(point: Chromaticity) -> Float64[np.ndarray, "3"]:
    x, y = point
    if not y > 0:
        raise ValueError("a primary without light")
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _point(*xyz: float) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*xyz)


def _parametric(curve: Curve) -> bytes:
    return struct.pack(">4s4xHxx", b"para", {1: 0, 5: 3}[len(curve)]) + _fixed(*curve)


def _names(title: str, version: int) -> dict[bytes, bytes]:
    """Description and copyright in the types of that version."""
    if version >> 24 >= 4:
        return {b"desc": _text(title), b"cprt": _text("No copyright")}
    words = title.encode("ascii") + b"\0"
    described = struct.pack(">4s4xI", b"desc", len(words)) + words + bytes(78)
    return {b"desc": described, b"cprt": b"text" + bytes(4) + b"No copyright\0"}


def _text(words: str) -> bytes:
    content = words.encode("utf-16-be")
    return struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", len(content), 28) + content
