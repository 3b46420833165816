import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image, ImageCms

from core.errors import InvalidInput
from core.files.limits import PhotoLimits
from core.files.photo import open_photo

RNG = np.random.default_rng(7)
RGB8 = RNG.integers(0, 256, (12, 17, 3), dtype=np.uint8)
RGBA16 = RNG.integers(0, 65536, (12, 17, 4), dtype=np.uint16)


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def wide_gamut_profile() -> bytes:
    """The sRGB profile with its red and blue primaries swapped: a profile whose effect cannot be missed."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    entries = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_eight_bit_lossless_formats_keep_every_value(file_format):
    photo = open_photo(encoded(Image.fromarray(RGB8), file_format), "a.jpg")
    assert (photo.pixels == RGB8).all()
    assert photo.file_format == file_format
    assert photo.alpha is None
    assert (photo.width, photo.height, photo.bit_depth) == (17, 12, 8)


def test_lossless_webp_keeps_alpha_and_the_colours_under_it():
    rgba = RNG.integers(0, 256, (12, 17, 4), dtype=np.uint8)
    photo = open_photo(encoded(Image.fromarray(rgba), "WEBP", lossless=True, exact=True))
    assert (photo.pixels == rgba[..., :3]).all()
    assert (photo.alpha == rgba[..., 3]).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bit_png_stays_sixteen_bit(channels):
    values = RGBA16[..., :channels]
    stored = values if channels == 1 else values[..., [2, 1, 0, 3][:channels]]
    photo = open_photo(cv2.imencode(".png", stored)[1].tobytes())
    assert photo.pixels.dtype == np.uint16
    assert (photo.pixels == values[..., :3]).all()
    assert (photo.alpha is not None) == (channels == 4)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_sixteen_bit_tiff_stays_sixteen_bit(planar, channels, compression):
    values = RGBA16[..., :channels]
    stream = io.BytesIO()
    tifffile.imwrite(
        stream,
        values if planar == "contig" else np.moveaxis(values, -1, 0),
        photometric="rgb",
        planarconfig=planar,
        compression=compression,
        extrasamples=["unassalpha"] if channels == 4 else None,
    )
    photo = open_photo(stream.getvalue())
    assert (photo.pixels == values[..., :3]).all()
    if channels == 4:
        assert photo.alpha is not None
        assert (photo.alpha == values[..., 3]).all()


def test_premultiplied_sixteen_bit_tiff_becomes_straight():
    alpha = RGBA16[..., 3] | 0x4000
    premultiplied = (RGBA16[..., :3] * (alpha[..., None] / 65535)).astype(np.uint16)
    stream = io.BytesIO()
    values = np.dstack([premultiplied, alpha])
    tifffile.imwrite(stream, values, photometric="rgb", extrasamples=["assocalpha"])
    photo = open_photo(stream.getvalue())
    assert np.abs(photo.pixels.astype(int) - RGBA16[..., :3]).max() <= 4
    assert photo.alpha is not None
    assert (photo.alpha == alpha).all()


def test_sixteen_bit_lzw_tiff_stays_sixteen_bit():
    data = cv2.imencode(".tiff", RGBA16[..., 2::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])[1].tobytes()
    assert (open_photo(data).pixels == RGBA16[..., :3]).all()


def test_sixteen_bit_gray_tiffs_in_both_polarities():
    gray = RGBA16[..., 0]
    for photometric, expected in (("minisblack", gray), ("miniswhite", 65535 - gray)):
        stream = io.BytesIO()
        tifffile.imwrite(stream, gray, photometric=photometric)
        assert (open_photo(stream.getvalue()).pixels == expected[..., None]).all()


def test_unusual_tiff_layout_is_refused_with_advice():
    stream = io.BytesIO()
    tifffile.imwrite(stream, RGBA16[..., 0].astype(np.float32), photometric="minisblack")
    with pytest.raises(InvalidInput, match="save it"):
        open_photo(stream.getvalue(), "float.tif")


def test_gray_palette_bilevel_and_cmyk_become_rgb():
    image = Image.fromarray(RGB8)
    assert (open_photo(encoded(image.convert("L"), "PNG")).pixels == np.asarray(image.convert("L"))[..., None]).all()
    palette = image.quantize(64)
    assert (open_photo(encoded(palette, "PNG")).pixels == np.asarray(palette.convert("RGB"))).all()
    assert set(np.unique(open_photo(encoded(image.convert("1"), "TIFF")).pixels)) == {0, 255}
    cmyk = open_photo(encoded(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "TIFF"))
    assert (cmyk.pixels == (255, 0, 0)).all()
    assert cmyk.icc_profile is None


def test_transparent_palette_entry_becomes_alpha():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    photo = open_photo(encoded(image, "PNG", transparency=1))
    assert photo.alpha is not None
    assert photo.alpha.tolist() == [[255, 0]]


# Where the stored top-left corner belongs, (row, column), from the EXIF standard's table.
CORNERS = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_and_reset(orientation):
    for file_format in ("PNG", "TIFF"):
        exif = Image.Exif()
        exif[0x0112] = orientation
        exif[0x010F] = "Maker"
        photo = open_photo(encoded(Image.fromarray(RGB8), file_format, exif=exif.tobytes()))
        assert (photo.pixels[CORNERS[orientation]] == RGB8[0, 0]).all()
        assert (photo.width, photo.height) == ((12, 17) if orientation > 4 else (17, 12))
        again = Image.Exif()
        again.load(photo.metadata.exif or b"")
        assert dict(again) == {0x0112: 1, 0x010F: "Maker"}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_orientation_of_sixteen_bit_tiff_is_applied_once(orientation, planar):
    stream = io.BytesIO()
    values = RGBA16[..., :3] if planar == "contig" else np.moveaxis(RGBA16[..., :3], -1, 0)
    tags = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(stream, values, photometric="rgb", planarconfig=planar, extratags=tags)
    photo = open_photo(stream.getvalue())
    assert (photo.pixels[CORNERS[orientation]] == RGBA16[0, 0, :3]).all()
    assert (photo.width, photo.height) == ((12, 17) if orientation > 4 else (17, 12))


def test_heic_is_opened_upright_once_and_ten_bit_white_is_white():
    exif = Image.Exif()
    exif[0x0112] = 6
    quadrant = np.zeros((64, 96, 3), np.uint8)
    quadrant[:32, :48] = 255
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(quadrant)).save(stream, exif=exif.tobytes(), quality=-1)
    photo = open_photo(stream.getvalue(), "a.png")
    stored_upright = photo.pixels.shape == (64, 96, 3) and photo.pixels[5, 5].min() > 250
    turned = photo.pixels.shape == (96, 64, 3) and photo.pixels[5, -5].min() > 250
    assert photo.file_format == "HEIF"
    assert stored_upright or turned
    stream = io.BytesIO()
    pillow_heif.encode("RGB;16", (96, 64), (quadrant.astype(np.uint16) * 257).tobytes(), stream, quality=-1)
    deep = open_photo(stream.getvalue())
    assert deep.bit_depth == 16
    assert deep.pixels[:30, :40].min() == 65535


def test_avif_orientation_is_applied_once():
    quadrant = np.zeros((64, 96, 3), np.uint8)
    quadrant[:32, :48] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = open_photo(encoded(Image.fromarray(quadrant), "AVIF", exif=exif.tobytes()))
    assert (photo.width, photo.height) == (64, 96)
    assert photo.pixels[5, -5].min() > 240
    assert photo.pixels[5, 5].max() < 15


def test_wide_profile_is_kept_and_changes_only_the_srgb_rendition():
    icc = wide_gamut_profile()
    photo = open_photo(encoded(Image.fromarray(RGB8), "PNG", icc_profile=icc))
    assert (photo.pixels == RGB8).all()
    assert photo.icc_profile == icc
    assert np.abs(photo.srgb.astype(int) - RGB8[..., ::-1]).max() <= 6


def test_srgb_profile_leaves_the_rendition_untouched():
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = open_photo(encoded(Image.fromarray(RGB8), "PNG", icc_profile=icc))
    assert (photo.srgb == RGB8).all()
    assert photo.icc_profile == icc


def gray_profile(gamma: float) -> bytes:
    """A minimal ICC gray profile with a pure power curve."""
    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(gamma * 256), 0)
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", round(0.9642 * 65536), 65536, round(0.8249 * 65536))
    tags = struct.pack(">I4sII4sII", 2, b"wtpt", 156, len(white), b"kTRC", 156 + len(white), len(curve))
    size = 128 + len(tags) + len(white) + len(curve)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + white[8:20]
    return header.ljust(128, b"\0") + tags + white + curve


def expected_srgb(gray: np.ndarray, gamma: float) -> np.ndarray:
    linear = gray**gamma
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def test_gray_profiles_become_rgb_profiles_of_the_same_curve_at_both_bit_depths():
    ramp = np.tile(np.arange(256, dtype=np.uint8), (2, 1))
    photo = open_photo(encoded(Image.fromarray(ramp), "PNG", icc_profile=gray_profile(1.0)))
    assert photo.gray
    assert (photo.pixels == ramp[..., None]).all()
    assert np.abs(photo.srgb[0, :, 1] - 255 * expected_srgb(np.arange(256) / 255, 1.0)).max() <= 1.5
    deep = np.tile(np.linspace(0, 65535, 700).astype(np.uint16), (2, 1))
    stream = io.BytesIO()
    tifffile.imwrite(stream, deep, photometric="minisblack", iccprofile=gray_profile(1.8))
    photo = open_photo(stream.getvalue())
    assert photo.gray
    assert (photo.pixels == deep[..., None]).all()
    assert np.abs(photo.srgb[0, :, 1] - 255 * expected_srgb(deep[0] / 65535, 1.8)).max() <= 2


def test_unreadable_profile_is_left_out():
    photo = open_photo(encoded(Image.fromarray(RGB8), "PNG", icc_profile=b"\0" * 16 + b"RGB " + b"\0" * 200))
    assert photo.icc_profile is None
    assert (photo.srgb == RGB8).all()


def test_lab_tiff_becomes_srgb():
    lab = ImageCms.profileToProfile(
        Image.new("RGB", (4, 4), (200, 60, 30)),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    photo = open_photo(encoded(lab, "TIFF"))
    assert np.abs(photo.pixels.astype(int) - (200, 60, 30)).max() <= 4


def test_focal_length_from_35mm_tag_and_from_sensor_size():
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 28
    assert open_photo(encoded(Image.fromarray(RGB8), "JPEG", exif=exif.tobytes())).focal_35mm == 28
    exif = Image.Exif()
    # 6000 px at 6000 px per 36 mm: full frame, so that the real and the equivalent focal length agree.
    exif.get_ifd(0x8769).update({0x920A: 50.0, 0xA20E: 6000 / 3.6, 0xA20F: 6000 / 3.6, 0xA210: 3})
    exif.get_ifd(0x8769).update({0xA002: 6000, 0xA003: 4000})
    focal = open_photo(encoded(Image.fromarray(RGB8), "JPEG", exif=exif.tobytes())).focal_35mm
    assert focal == pytest.approx(50.0, rel=1e-3)
    assert open_photo(encoded(Image.fromarray(RGB8), "JPEG")).focal_35mm is None


def test_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for file_format in ("WEBP", "PNG"):
        data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], lossless=True)
        assert (open_photo(data).pixels == (255, 0, 0)).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 20000), (20000, 1)])
def test_extreme_shapes_open(size):
    photo = open_photo(encoded(Image.new("RGB", size, "red"), "PNG"))
    assert (photo.width, photo.height) == size


def test_limits_are_checked_before_decoding(tmp_path: Path):
    # A header that promises 200,000 x 1,000 pixels over no data at all: decoding it could only fail otherwise.
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 150_000, 1_000, 8, 2, 0, 0, 0))
    with pytest.raises(InvalidInput, match="150 megapixels"):
        open_photo(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""), "bomb.png")
    giant = chunk(b"IHDR", struct.pack(">IIBBBBB", 2_000_000, 1_000_000, 8, 2, 0, 0, 0))
    with pytest.raises(InvalidInput, match="2000000 megapixels"):
        open_photo(b"\x89PNG\r\n\x1a\n" + giant + chunk(b"IDAT", b"") + chunk(b"IEND", b""), "bomb.png")
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(Image.fromarray(RGB8), "PNG"))
    with pytest.raises(InvalidInput, match=r"photo\.png has .* MB"):
        open_photo(path, limits=PhotoLimits(max_bytes=100))
    assert open_photo(path).name == "photo.png"


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"RIFF\0\0\0\0WEBP"])
def test_what_is_no_picture_gets_one_sentence(data):
    with pytest.raises(InvalidInput, match=r"^note\.jpg .*\.$"):
        open_photo(data, "note.jpg")


def test_missing_file_and_folder_get_one_sentence(tmp_path: Path):
    for path in (tmp_path / "none.jpg", tmp_path):
        with pytest.raises(InvalidInput, match=r"cannot be read|is a folder"):
            open_photo(path)


def _samples() -> dict[str, bytes]:
    image = Image.fromarray(np.tile(RGB8, (4, 4, 1)))
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 28
    samples = {f: encoded(image, f, exif=exif.tobytes()) for f in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")}
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream)
    samples["HEIF"] = stream.getvalue()
    for extension in (".png", ".tiff"):
        samples["16" + extension] = cv2.imencode(extension, RGBA16)[1].tobytes()
    return samples


@pytest.mark.parametrize(("kind", "data"), _samples().items())
def test_damage_never_escapes_as_anything_but_invalid_input(kind, data):
    rng = np.random.default_rng(3)
    for _ in range(60):
        broken = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            broken[place] = rng.integers(0, 256)
        cut = bytes(broken[: rng.integers(1, len(data))]) if rng.random() < 0.3 else bytes(broken)
        try:
            photo = open_photo(cut, "x")
        except InvalidInput:
            continue
        assert photo.width * photo.height <= 100_000_000


@pytest.mark.parametrize(("kind", "data"), _samples().items())
def test_half_a_file_is_refused(kind, data):
    with pytest.raises(InvalidInput):
        open_photo(data[: len(data) // 2], "half")
