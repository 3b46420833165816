"""Names that come from outside: of files, in files, of objects."""

import unicodedata

_NO_TEXT = ("Cc", "Cs", "Zl", "Zp")  # controls, half surrogates, ends of lines and paragraphs


def shown(text: object) -> str:
    """Text from outside as one line that any terminal, page and file takes; what has no place in it becomes U+FFFD."""
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _NO_TEXT else c for c in str(text))
