"""Open a picture file: content sniffed, limits checked before decoding, orientation applied, 8 or 16 bit kept."""

import io
import struct
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image, ImageCms, UnidentifiedImageError

from core.errors import InvalidInput
from core.files import profile
from core.files.exif import focal_35mm_of, orientation_of, upright_exif
from core.types.photo import Coverage, Photo, Pixels

# Pillow refuses more than this by itself (twice its warning threshold), so a higher limit could not be kept.
_PILLOW_HARD_LIMIT = 178_000_000
_READABLE = "use a JPEG, PNG, WebP, TIFF, HEIC or AVIF file"

# What Pillow, libheif and tifffile raise on damaged files; their parsers let any of these through.
DECODER_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    struct.error,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    RuntimeError,
    MemoryError,
    Image.DecompressionBombError,
    cv2.error,
)

_TIFF_PLANAR, _TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_EXTRA_SAMPLES = 284, 258, 262, 338


@dataclass(frozen=True)
class PhotoLimits:
    """The largest picture that is opened: pixels (at most 178 million) and bytes of the file."""

    max_pixels: int = 100_000_000
    max_bytes: int = 200_000_000

    def __post_init__(self) -> None:
        if not 1 <= self.max_pixels <= _PILLOW_HARD_LIMIT:
            raise InvalidInput(f"The pixel limit must lie between 1 and {_PILLOW_HARD_LIMIT}, got {self.max_pixels}.")


DEFAULT_LIMITS = PhotoLimits()


@dataclass(frozen=True)
class _Decoded:
    """A picture as stored: not yet upright. `icc_profile` is None once the values are sRGB."""

    pixels: Pixels
    alpha: Coverage | None
    icc_profile: bytes | None
    orientation: int
    exif: Image.Exif


def open_photo(source: Path | bytes, name: str = "", limits: PhotoLimits = DEFAULT_LIMITS) -> Photo:
    """The picture in a file or in bytes; `name` is the file's name when empty.

    Pixels keep the file's values, bit depth and RGB profile; gray and palette become RGB; CMYK, Lab and gray
    with a profile become sRGB. Of an animation or a multi-page file the first picture. A colour profile or
    EXIF too damaged to be read is left out. Raises InvalidInput with one sentence for anything else.
    """
    name = name or (source.name if isinstance(source, Path) else "The picture")
    data = read_source(source, name, limits.max_bytes)
    file_format = sniffed_format(data)
    if file_format is None:
        raise InvalidInput(f"{name} is not a picture this program can read; {_READABLE}.")
    try:
        decode = _decode_heif if file_format == "HEIF" else _decode
        decoded = decode(data, file_format, name, limits)
    except DECODER_FAULTS as error:
        raise _damaged(name, file_format) from error
    pixels = upright(decoded.pixels, decoded.orientation)
    alpha = None if decoded.alpha is None else upright(decoded.alpha, decoded.orientation)
    icc_profile = decoded.icc_profile
    try:
        srgb = profile.srgb_of(pixels, icc_profile)
    except ImageCms.PyCMSError:
        icc_profile, srgb = None, profile.srgb_of(pixels, None)
    height, width = decoded.pixels.shape[:2]
    return Photo(
        name=name,
        pixels=pixels,
        srgb=srgb,
        alpha=alpha,
        file_format=file_format,
        icc_profile=icc_profile,
        exif=upright_exif(decoded.exif, pixels.shape[1], pixels.shape[0]),
        focal_35mm=focal_35mm_of(decoded.exif, width, height),
    )


def read_source(source: Path | bytes, name: str, max_bytes: int) -> bytes:
    """The bytes of a file, its size checked before it is read.

    Raises InvalidInput when it is missing, unreadable, a folder, empty or larger than `max_bytes`.
    """
    try:
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        if size > max_bytes:
            raise InvalidInput(
                f"{name} has {size / 1e6:.0f} MB and the limit is {max_bytes / 1e6:g} MB; make the file smaller."
            )
        data = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise InvalidInput(
            f"{source} cannot be read ({error.strerror or error}); check the path and its permissions."
        ) from error
    if not data:
        raise InvalidInput(f"{name} is empty; save or download it again.")
    return data


def sniffed_format(data: bytes) -> str | None:
    """JPEG, PNG, WEBP, TIFF, HEIF or AVIF by the first bytes; None for anything else."""
    for prefix, file_format in ((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG")):
        if data.startswith(prefix):
            return file_format
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if data[4:8] == b"ftyp":
        brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in brands for brand in (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")):
            return "HEIF"
    return None


def check_pixel_count(width: int, height: int, name: str, limits: PhotoLimits) -> None:
    """Raises InvalidInput when a picture of that size must not be decoded."""
    if width * height > limits.max_pixels:
        raise InvalidInput(
            f"{name} has {width}x{height} = {width * height / 1e6:.0f} megapixels and the limit is "
            f"{limits.max_pixels / 1e6:g}; make the picture smaller."
        )


def upright(values: np.ndarray, orientation: int) -> np.ndarray:
    """The stored picture [H W] or [H W C] turned and mirrored as EXIF orientation 1..8 says."""
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return np.ascontiguousarray(values)


def _damaged(name: str, file_format: str) -> InvalidInput:
    return InvalidInput(f"{name} looks like {file_format} but is damaged or cut short; save or download it again.")


def _decode(data: bytes, file_format: str, name: str, limits: PhotoLimits) -> _Decoded:
    try:
        image = Image.open(io.BytesIO(data), formats=[file_format])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidInput(
            f"{name} is far larger than the limit of {limits.max_pixels / 1e6:g} megapixels; make the picture smaller."
        ) from error
    except UnidentifiedImageError as error:
        raise InvalidInput(
            f"{name} is damaged or stores its pixels in an unusual way; save it again as plain RGB {file_format}."
        ) from error
    with image:
        check_pixel_count(*image.size, name, limits)
        exif = image.getexif()
        orientation = orientation_of(exif)
        if _is_16_bit(image, data):
            pixels, alpha, icc_profile = _read_16_bit(image, data, name)
        else:
            pixels, alpha, icc_profile = _read_8_bit(image, name)
        # Of TIFF, Pillow and OpenCV turn the pixels upright themselves.
        return _Decoded(pixels, alpha, icc_profile, 1 if file_format == "TIFF" else orientation, exif)


def _decode_heif(data: bytes, _format: str, name: str, limits: PhotoLimits) -> _Decoded:
    """The decoder turns the picture upright itself, whatever the EXIF says. 10 and 12 bit become 16 bit."""
    import pillow_heif

    heif = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    check_pixel_count(*heif.size, name, limits)
    exif = Image.Exif()
    exif.load(heif.info.get("exif") or b"")
    values = np.array(heif)
    values = values.reshape(heif.size[1], -1, values.shape[2] if values.ndim == 3 else 1)[:, : heif.size[0]]
    if values.dtype == np.uint16:
        values = values | values >> heif.info["bit_depth"]
    pixels, alpha = _split(values)
    icc_profile = heif.info.get("icc_profile") or None
    return _Decoded(pixels, alpha, _rgb_profile(icc_profile), 1, exif)


def _is_16_bit(image: Image.Image, data: bytes) -> bool:
    if image.format == "PNG":
        return data[24] == 16
    if image.format == "TIFF":
        return 16 in _tiff_tag(image, _TIFF_BITS, (1,)) and image.mode not in ("CMYK", "LAB")
    return False


def _tiff_tag(image: Image.Image, tag: int, default: tuple[int, ...]) -> tuple[int, ...]:
    value = image.tag_v2.get(tag, default)  # type: ignore[attr-defined]
    return value if isinstance(value, tuple) else (value,)


def _read_16_bit(image: Image.Image, data: bytes, name: str) -> tuple[Pixels, Coverage | None, bytes | None]:
    """Pillow knows no 16-bit RGB, OpenCV no separate planes, tifffile no LZW by itself."""
    if image.format == "TIFF" and _tiff_tag(image, _TIFF_PLANAR, (1,)) == (2,):
        values = tifffile.imread(io.BytesIO(data), key=0)
        values = np.moveaxis(values, 0, -1) if values.ndim == 3 else values
        values = upright(values, orientation_of(image.getexif()))
    else:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if values is None:
            raise _damaged(name, str(image.format))
        if values.ndim == 3:
            values = cv2.cvtColor(values, cv2.COLOR_BGR2RGB if values.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    if values.dtype != np.uint16 or values.shape[:2] != (image.height, image.width):
        raise InvalidInput(f"{name} stores its 16 bits in an unusual way; save it as plain 16-bit RGB TIFF or PNG.")
    values = values.reshape(image.height, image.width, -1)
    if image.format == "TIFF" and _tiff_tag(image, _TIFF_PHOTOMETRIC, (1,)) == (0,):
        values = np.concatenate([65535 - values[..., :1], values[..., 1:]], axis=2)
    pixels, alpha = _split(values)
    if alpha is not None and image.format == "TIFF" and _tiff_tag(image, _TIFF_EXTRA_SAMPLES, (2,))[0] == 1:
        pixels = _straight(pixels, alpha)
    icc_profile = image.info.get("icc_profile") or None
    if icc_profile is not None and profile.colour_space(icc_profile) == "GRAY" and values.shape[2] <= 2:
        try:
            gray = profile.gray_to_srgb(values[..., 0], icc_profile)
        except ImageCms.PyCMSError:
            return pixels, alpha, None
        pixels = np.repeat(gray[..., None], 3, axis=2)
    return pixels, alpha, _rgb_profile(icc_profile)


def _read_8_bit(image: Image.Image, name: str) -> tuple[Pixels, Coverage | None, bytes | None]:
    if image.mode in ("F", "I"):
        raise InvalidInput(f"{name} has 32-bit pixels, which are not supported; save it with 8 or 16 bits per channel.")
    image.load()
    icc_profile = image.info.get("icc_profile") or None
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        pixels, alpha = _split(np.asarray(image.convert("RGBA")))
        gray = image.mode in ("L", "LA", "La")
    else:
        alpha, gray = None, image.mode in ("L", "1")
        # YCbCr, palette and so on; what has a profile of its own follows below.
        pixels = np.asarray(image.convert("RGB")) if image.mode != "LAB" else profile.lab_to_srgb(image)
    own_space = {"CMYK": "CMYK", "LAB": "Lab"}.get(image.mode, "GRAY" if gray else "RGB")
    if icc_profile is None or profile.colour_space(icc_profile) != own_space or own_space == "Lab":
        return pixels, alpha, _rgb_profile(icc_profile) if own_space in ("RGB", "GRAY") else None
    if own_space == "RGB":
        return pixels, alpha, icc_profile
    try:
        if not gray:
            return profile.cmyk_to_srgb(image, icc_profile), alpha, None
        level = profile.gray_to_srgb(np.asarray(image.convert("L")), icc_profile)
        return np.repeat(level[..., None], 3, axis=2), alpha, None
    except ImageCms.PyCMSError:
        return pixels, alpha, None


def _rgb_profile(icc_profile: bytes | None) -> bytes | None:
    """The profile when it can describe RGB values, else None."""
    return icc_profile if icc_profile is not None and profile.colour_space(icc_profile) == "RGB" else None


def _split(values: np.ndarray) -> tuple[Pixels, Coverage | None]:
    """[H W 1..4] -> RGB and alpha; gray is repeated."""
    channels = values.shape[2]
    alpha = np.ascontiguousarray(values[..., -1]) if channels in (2, 4) else None
    rgb = values[..., :3] if channels >= 3 else np.repeat(values[..., :1], 3, axis=2)
    return np.ascontiguousarray(rgb), alpha


def _straight(premultiplied: Pixels, alpha: Coverage) -> Pixels:
    """16-bit colours with the alpha divided out."""
    colours = premultiplied * (65535.0 / np.maximum(alpha, 1).astype(np.float32))[..., None]
    return np.minimum(np.rint(colours), 65535).astype(np.uint16)
