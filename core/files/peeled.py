"""Peeled photos as files: layers for painting programs, and layers with depth for compositing programs."""

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from core.files.exr_bands import encode_exr_bands
from core.files.layers import Layer, LayerStack, encode_ora
from core.files.picture import Picture, picture_of
from core.files.profile import is_srgb, srgb_of
from core.maths.colour import linear_light
from core.maths.unmix import least_alpha
from core.types.peeled import Peeled, PeeledLayer
from core.types.photo import Photo, Pixels

_LONGEST_NAME = 20  # with number and channel within what every EXR reader takes


def encode_peeled_ora(peeled: Peeled) -> bytes:
    """OpenRaster: the layers in the photo's own values, with their median depth in their names."""
    layers = tuple(
        Layer(_told(layer, peeled.metric), Picture(layer.pixels, layer.alpha, peeled.photo.icc_profile), *layer.origin)
        for layer in peeled.layers
    )
    return encode_ora(LayerStack(layers, picture_of(peeled.photo)))


def encode_peeled_exr(peeled: Peeled) -> bytes:
    """Multi-layer EXR: R, G, B, A and Z of the photo, and the same of every layer as layerNN_name.R ..., 01 in front.

    Linear sRGB, premultiplied as the format wants it; laid over each other in linear light the layers show the photo.
    Half floats for 8-bit photos, Z (scene units, 0 where a layer has no depth) always 32 bits.
    """
    photo = peeled.photo
    colour = np.dtype(np.float16 if photo.bit_depth == 8 else np.float32)
    names = channel_names(peeled)
    kinds = {
        f"{prefix}{channel}": np.dtype(np.float32) if channel == "Z" else colour
        for prefix in ("", *(f"{name}." for name in names))
        for channel in "RGBAZ"
    }

    def rows(first: int, last: int) -> dict[str, np.ndarray]:
        own, layers = _composed(peeled, first, last)
        planes = _named("", own)
        for name, layer in zip(names, layers, strict=True):
            planes |= _named(f"{name}.", layer)
        return planes

    return encode_exr_bands(photo.width, photo.height, kinds, rows)


def channel_names(peeled: Peeled) -> list[str]:
    """What each layer is called in an EXR file, in the layers' own order: letters, digits and _ only."""
    count = len(peeled.layers)
    plain = [re.sub(r"[^A-Za-z0-9]+", "_", layer.name).strip("_")[:_LONGEST_NAME] for layer in peeled.layers]
    return [f"layer{count - number:02}_{name}".rstrip("_") for number, name in enumerate(plain)]


def _told(layer: PeeledLayer, metric: bool) -> str:
    depth = layer.median_depth
    if depth is None:
        return layer.name
    return f"{layer.name}, {depth:.2f} m" if metric else f"{layer.name}, depth {depth:.2f}"


@dataclass(frozen=True, eq=False)
class _Surface:
    """Some rows of a layer or of the whole photo, drawn into: premultiplied linear light, opacity and z."""

    light: Float32[np.ndarray, "h W 3"]
    alpha: Float32[np.ndarray, "h W"]
    depth: Float32[np.ndarray, "h W"]


def _empty(rows: int, columns: int) -> _Surface:
    plane = np.zeros((rows, columns), np.float32)
    return _Surface(np.zeros((rows, columns, 3), np.float32), plane, plane.copy())


def _named(prefix: str, surface: _Surface) -> dict[str, np.ndarray]:
    planes = {f"{prefix}{channel}": surface.light[..., number] for number, channel in enumerate("RGB")}
    return planes | {f"{prefix}A": surface.alpha, f"{prefix}Z": surface.depth}


def _composed(peeled: Peeled, first: int, last: int) -> tuple[_Surface, list[_Surface]]:
    """The photo's rows and every layer's, whose soft edges are solved for linear light."""
    photo, columns = peeled.photo, peeled.photo.width
    shown, surfaces = _empty(last - first, columns), []
    target = linear_srgb(photo.pixels[first:last], photo.icc_profile)
    for number, layer in enumerate(peeled.layers):
        surface = _rows_of(layer, photo, first, last)
        uncovered = ~_covered(peeled.layers[number + 1 :], first, last, columns)
        solved = uncovered & (surface.alpha > 0) & (surface.alpha < 1) & (shown.alpha == 1)
        wanted, under = target[solved], shown.light[solved]
        needed = least_alpha(wanted, under, np.zeros_like(wanted), np.ones_like(wanted))
        alpha = np.maximum(surface.alpha[solved], needed)
        surface.alpha[solved] = alpha
        surface.light[solved] = np.maximum(wanted - (1 - alpha[:, None]) * under, 0)
        through = 1 - surface.alpha
        shown.light[:] = surface.light + through[..., None] * shown.light
        shown.alpha[:] = surface.alpha + through * shown.alpha
        solid = (surface.depth > 0) & (surface.alpha >= 0.5)
        shown.depth[solid] = surface.depth[solid]
        surfaces.append(surface)
    return shown, surfaces


def _rows_of(layer: PeeledLayer, photo: Photo, first: int, last: int) -> _Surface:
    surface = _empty(last - first, photo.width)
    rows, columns = layer.window
    low, high = max(first, rows.start), min(last, rows.stop)
    if low >= high:
        return surface
    inner, there = slice(low - rows.start, high - rows.start), (slice(low - first, high - first), columns)
    alpha = layer.alpha[inner].astype(np.float32) / np.iinfo(layer.alpha.dtype).max
    surface.alpha[there] = alpha
    surface.light[there] = alpha[..., None] * linear_srgb(layer.pixels[inner], photo.icc_profile)
    surface.depth[there] = layer.depth[inner]
    return surface


def _covered(layers: tuple[PeeledLayer, ...], first: int, last: int, columns: int) -> Bool[np.ndarray, "h W"]:
    """Where any of the layers is seen."""
    found = np.zeros((last - first, columns), bool)
    for layer in layers:
        rows, across = layer.window
        low, high = max(first, rows.start), min(last, rows.stop)
        if low < high:
            found[low - first : high - first, across] |= layer.alpha[low - rows.start : high - rows.start] > 0
    return found


def linear_srgb(pixels: Pixels, icc_profile: bytes | None) -> Float32[np.ndarray, "H W 3"]:
    """Linear light of sRGB's primaries: of the pixels' own depth in sRGB, of 8 bits from any other profile."""
    if icc_profile is None or is_srgb(icc_profile):
        return linear_light(pixels)
    return linear_light(srgb_of(pixels, icc_profile))
