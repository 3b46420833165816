"""The language file and the code that speaks by it: neither has words that the other lacks."""

import ast
import re
from pathlib import Path

import pytest

from app.ui.text import all_words, say

APP = Path(__file__).resolve().parents[3] / "app"
WORDS = all_words()
GROUPS = {key.partition(".")[0] for key in WORDS}
HOLE = "{}"


def python_strings(source: str) -> set[str]:
    """Literals, with holes where an f-string puts values."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        if isinstance(node, ast.JoinedStr):
            found.add("".join(part.value if isinstance(part, ast.Constant) else HOLE for part in node.values))
    return found


def script_strings(source: str) -> set[str]:
    """The same of a script."""
    quoted = re.findall(r'"([^"\n]*)"', source) + re.findall(r"`([^`]*)`", source)
    return {re.sub(r"\$\{[^{}]*\}", HOLE, text) for text in quoted}


def asked() -> set[str]:
    """What looks like a key, or like a pattern of keys, anywhere in the page's code."""
    strings = set().union(*(python_strings(path.read_text(encoding="utf-8")) for path in APP.rglob("*.py")))
    strings |= set().union(*(script_strings(path.read_text(encoding="utf-8")) for path in APP.rglob("*.js")))
    return {text for text in strings if re.fullmatch(r"[a-z]+(\.(\w|{})+)+", text)}


def answers(pattern: str) -> set[str]:
    """The keys that a pattern can mean."""
    return {key for key in WORDS if re.fullmatch(re.escape(pattern).replace(re.escape(HOLE), r"\w+"), key)}


def test_every_word_is_said_somewhere():
    assert set(WORDS) - set().union(*map(answers, asked())) == set()


def test_every_word_that_is_said_exists():
    ours = {text for text in asked() if text.partition(".")[0] in GROUPS - {"app"}}
    assert len(ours) > 200
    assert {text for text in ours if not answers(text)} == set()


def test_an_unknown_word_is_a_mistake():
    with pytest.raises(KeyError):
        say("no.such.words")


def test_words_take_values():
    assert say("unsaved.discard", name="cup.png") == "Discard cup.png"
