"""JSON from outside: as the standard has it, and never more of it than a program can take in."""

import json
import math
import re
from pathlib import Path
from typing import Any, NoReturn

from core.errors import InvalidInput
from core.files.source import read_source
from core.memory import memory_for

MAX_JSON_BYTES = 50_000_000
# The smallest value takes two bytes of text and up to a hundred of memory, so that values count, not bytes.
_MAX_VALUES = 2_000_000
_BYTES_PER_VALUE = 100
_MAX_DIGITS = 300  # larger whole numbers are no floats
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)")
_HALF = 6  # characters of \udxxx


def read_json(source: Path | bytes, name: str) -> Any:
    """The value that a file holds. Raises as `read_source` and `parse_json` do."""
    return parse_json(read_source(source, name, MAX_JSON_BYTES), name)


def parse_json(data: bytes, name: str) -> Any:
    """The value that UTF-8 text holds; half a surrogate becomes U+FFFD.

    Raises InvalidInput for anything that is no JSON (NaN, infinity and 1e400 among it), too long or of too many
    values, NotEnoughMemory.
    """
    if len(data) > MAX_JSON_BYTES:
        raise InvalidInput(
            f"{name} has {len(data) / 1e6:.0f} MB of JSON and the limit is {MAX_JSON_BYTES / 1e6:g}; make it smaller."
        )
    values = sum(data.count(mark) for mark in (b",", b"[", b"{"))
    if values > _MAX_VALUES:
        raise InvalidInput(
            f"{name} has {values / 1e6:.1f} million values and the limit is {_MAX_VALUES / 1e6:g}; make it smaller."
        )
    with memory_for(4 * len(data) + _BYTES_PER_VALUE * values, name):
        try:
            text = _whole_characters(data.decode("utf-8-sig"))
            return json.loads(text, parse_float=_finite, parse_int=_bounded, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"{name} is not valid JSON ({error}); correct it or save it again.") from error


def _whole_characters(text: str) -> str:
    """Escapes of surrogates without their other half replaced: no file, page or terminal could take them."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _ESCAPE.sub(lambda found: r"\ufffd" if len(found[0]) == _HALF else found[0], text)


def _finite(word: str) -> float:
    value = float(word)
    if math.isinf(value):
        raise ValueError(f"the number {word[:20]} is too large")
    return value


def _bounded(word: str) -> int:
    if len(word) > _MAX_DIGITS:
        raise ValueError(f"the number {word[:20]}... is too large")
    return int(word)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")
