import pytest

from core.files.xmp import BadPacket, upright_xmp

NAMES = {
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "GDepth": "http://ns.google.com/photos/1.0/depthmap/",
}


def packet(attributes: str = "", elements: str = "") -> bytes:
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {spaces} {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def test_a_packet_without_lies_keeps_every_byte():
    plain = packet('tiff:Orientation="1" tiff:Make="Käm&amp;ra"', "<dc:title>A\n  walk</dc:title>")
    assert upright_xmp(plain + b"\0\0", b"", 40, 30) == (plain, ())


def test_a_packet_of_another_coding_becomes_utf_8():
    plain = packet('tiff:Make="Kämera"')
    after, _ = upright_xmp(plain.decode().encode("utf-16"), b"", 4, 3)
    assert "Kämera" in after.decode()


def test_orientation_and_sizes_tell_the_truth_as_attributes_and_as_elements():
    for before in (
        packet('tiff:Orientation="6" exif:PixelXDimension="4000" exif:PixelYDimension="3000" tiff:Make="M"'),
        packet(
            'tiff:Make="M"',
            "<tiff:Orientation>6</tiff:Orientation><exif:PixelXDimension>4000</exif:PixelXDimension>"
            "<exif:PixelYDimension>3000</exif:PixelYDimension>",
        ),
    ):
        after = upright_xmp(before, b"", 30, 40)[0].decode()
        told = ["Orientation", "PixelXDimension", "PixelYDimension"]
        assert [after.partition(f"{name}")[2][:4].strip('=">').split("<")[0].split('"')[0] for name in told] == [
            "1", "30", "40"
        ]  # fmt: skip
        assert 'tiff:Make="M"' in after
        assert after.startswith("<?xpacket begin")


def test_thumbnails_and_pointers_to_other_parts_go_and_the_parts_are_named():
    before = packet(
        'hdrgm:Version="1.0" GCamera:MotionPhoto="1" GDepth:Format="RangeInverse" xmpNote:HasExtendedXMP="0123"',
        "<xmp:Thumbnails>AAAA</xmp:Thumbnails><dc:title>T</dc:title>",
    )
    after, parts = upright_xmp(before, b"", 4, 3)
    assert set(parts) == {"a gain map", "a video", "depth"}
    assert upright_xmp(after, b"", 4, 3) == (after, ())
    assert b"Thumbnails" not in after
    assert b"HasExtendedXMP" not in after
    assert b"<dc:title>T</dc:title>" in after


def test_an_extension_is_joined_in():
    extension = packet("", "<dc:description>long</dc:description>").partition(b"?>")[2].rpartition(b"<?")[0]
    after, _ = upright_xmp(packet('xmpNote:HasExtendedXMP="ab"', "<dc:title>T</dc:title>"), extension, 4, 3)
    assert b"<dc:title>T</dc:title>" in after
    assert b"<dc:description>long</dc:description>" in after


@pytest.mark.parametrize(
    "bad",
    [
        b"no xml",
        b"<a>",
        b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'.encode("utf-16"),
        packet('tiff:Orientation="6"', "<a>" * 20_000 + "</a>" * 20_000),
        packet('tiff:Orientation="6"', "<a/>" * 200_000),
    ],
)
def test_what_is_unsafe_or_no_xml_is_said(bad):
    with pytest.raises(BadPacket):
        upright_xmp(bad, b"", 4, 3)
