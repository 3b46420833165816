"""JSON from outside: the standard's values and no others, bounded by what they cost."""

import json

import pytest

from core.errors import InvalidInput, NotEnoughMemory
from core.files.strict_json import MAX_JSON_BYTES, parse_json


@pytest.mark.parametrize("value", [{"a": [1, 2.5, "Jörg 猫 \N{GRINNING FACE}", None, True]}, [], 0, "x", 10**200])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_values_come_back(value: object, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode(), "a.json") == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e400",
        b"[-1e999]",
        b"1" * 400,
        b"9" * 100_000,
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"a":' * 200_000,
    ],
)
def test_what_is_no_json_gets_one_sentence(text: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"a.json is not valid JSON"):
        parse_json(text, "a.json")


def test_half_a_surrogate_becomes_a_character_that_can_be_written() -> None:
    text = rb'["\ud800", "\uD83D\uDE00", "x\udfff\ud83dy", "\\ud800"]'
    half = "\N{REPLACEMENT CHARACTER}"
    assert parse_json(text, "a.json") == [half, "\N{GRINNING FACE}", f"x{half}{half}y", "\\ud800"]


@pytest.mark.parametrize("piece", [b"[],", b"{},", b"0,", b'"",'])
def test_many_small_values_are_refused_before_they_are_made(piece: bytes) -> None:
    with pytest.raises(InvalidInput, match="million values"):
        parse_json(b"[" + piece * 2_100_000 + b"0]", "a.json")


def test_long_text_and_little_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="MB of JSON"):
        parse_json(b" " * (MAX_JSON_BYTES + 1), "a.json")
    monkeypatch.setattr("core.memory.free_bytes", lambda: 1000)
    with pytest.raises(NotEnoughMemory):
        parse_json(b"[" + b"0," * 1000 + b"0]", "a.json")
