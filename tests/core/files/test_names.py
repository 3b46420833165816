"""What files may be called."""

import pytest

from core.files.names import fitted, is_plain, name_key, plain_stem


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("photo.jpg", "photo"),
        ("a.b.png", "a.b"),
        ("caf\u00e9.png", "caf\u00e9"),
        ("cafe\u0301.png", "caf\u00e9"),
        ("\U0001f469\u200d\U0001f680.png", "\U0001f469\u200d\U0001f680"),
        ("\u0635\u0648\u0631\u0629.png", "\u0635\u0648\u0631\u0629"),
        ("a\u202egnp.exe", "a_gnp"),
        ("a\r\nX: y.png", "a__X_ y"),
        ("nul\0byte.png", "nul_byte"),
        ('a<b>:"c|d?e*.png', "a_b___c_d_e_"),
        ("..\\..\\evil.png", "evil"),
        ("../../evil.png", "evil"),
        (".hidden.png", "hidden"),
        ("dots...png", "dots"),
        ("half\ud800.png", "half_"),
        ("CON.png", "_CON"),
        ("", "photo"),
        ("..", "photo"),
        ("  .png", "photo"),
    ],
)
def test_stems_are_plain(name: str, stem: str) -> None:
    assert plain_stem(name) == stem
    assert is_plain(stem)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\nb", "COM1.txt", "a ", "x" * 256])
def test_names_that_are_not_plain(name: str) -> None:
    assert not is_plain(name)


def test_long_stems_are_cut_between_letters() -> None:
    assert fitted("short", ".png") == "short.png"
    long = fitted("é" * 200, ".png")
    assert long == "é" * 125 + ".png"
    assert len(long.encode()) <= 255
    raw = fitted("a\udcff", ".png")  # a name of other bytes than UTF-8, as Linux allows
    assert raw == "a\udcff.png"


def test_names_of_one_file_on_some_system_have_one_key() -> None:
    assert name_key("PHOTO.png") == name_key("photo.PNG")
    assert name_key("caf\u00e9") == name_key("CAFE\u0301")
    assert name_key("stra\u00dfe") == name_key("STRASSE")
    assert name_key("a") != name_key("b")
