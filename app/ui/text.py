"""Every word of the page, from one language file."""

import json
from pathlib import Path

_WORDS: dict[str, str] = json.loads((Path(__file__).parent / "en.json").read_text(encoding="utf-8"))


def say(key: str, **values: object) -> str:
    """The words for `key` with its {placeholders} filled in. Raises KeyError for an unknown key."""
    return _WORDS[key].format(**values) if values else _WORDS[key]


def all_words() -> dict[str, str]:
    """What the page's script needs, a copy."""
    return dict(_WORDS)
