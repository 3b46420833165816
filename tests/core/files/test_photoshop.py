import struct

from core.files.photoshop import IPTC, iptc_of, kept_resources, resources, with_iptc, without_iptc


def resource(number: int, content: bytes, name: bytes = b"\0\0") -> bytes:
    return (
        struct.pack(">4sH", b"8BIM", number)
        + name
        + struct.pack(">I", len(content))
        + content
        + bytes(len(content) % 2)
    )


THUMBNAIL, PATH = resource(0x0409, b"old thumbnail"), resource(2000, b"path!", b"\3cup")
BLOCK = resource(IPTC, b"\x1c\x02\x19\0\3abc") + THUMBNAIL + PATH


def test_iptc_and_paths_stay_and_what_is_of_the_unedited_picture_goes():
    kept = kept_resources(BLOCK)
    assert [number for number, _, _ in resources(kept or b"")] == [IPTC, 2000]
    assert iptc_of(kept) == b"\x1c\x02\x19\0\3abc"
    assert b"cup" in (kept or b"")
    assert [number for number, _, _ in resources(without_iptc(kept) or b"")] == [2000]
    assert kept_resources(resource(0x040C, b"thumbnail")) is None


def test_iptc_from_elsewhere_stands_in_only_where_there_is_none():
    assert iptc_of(with_iptc(None, b"other")) == b"other"
    assert iptc_of(with_iptc(BLOCK, b"other")) == b"\x1c\x02\x19\0\3abc"


def test_broken_blocks_end_early():
    for length in range(len(BLOCK)):
        assert len(list(resources(BLOCK[:length]))) <= 3
