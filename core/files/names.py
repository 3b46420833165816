"""File names: which are safe on every system, which are one file on some, and what a folder takes."""

import re
import unicodedata
from pathlib import PurePosixPath

LONGEST_NAME = 255
"""Bytes of the longest name that usual file systems take."""

_RESERVED = '<>:"/\\|?*\N{REPLACEMENT CHARACTER}'
# Invisible characters that turn the direction of what follows or hide in a name; emoji need U+200C and U+200D.
_JOINERS = "\u200c\u200d"
_UNSAFE_CATEGORIES = ("Cc", "Cf", "Cs", "Zl", "Zp")
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def plain_stem(name: str) -> str:
    """A file's name without its extension, as every system takes it; "photo" when nothing is left."""
    stem = PurePosixPath(name.replace("\\", "/").replace("\0", "_")).stem
    plain = "".join("_" if _is_unsafe(character) else character for character in unicodedata.normalize("NFC", stem))
    plain = plain.strip(" .")
    return f"_{plain}" if _DEVICES.fullmatch(plain) else plain or "photo"


def is_plain(name: str) -> bool:
    """Whether every system takes this name for a file, and only for this one."""
    return 0 < len(name.encode("utf-8", "replace")) <= LONGEST_NAME and (
        plain_stem(name + ".x") == unicodedata.normalize("NFC", name)
    )


def fitted(stem: str, ending: str) -> str:
    """`stem` and `ending` as one name; of a stem that is too long for a folder the beginning."""
    room = LONGEST_NAME - len(ending.encode("utf-8", "surrogateescape"))
    kept = stem.encode("utf-8", "surrogateescape")
    if len(kept) > room:
        kept = kept[:room].decode("utf-8", "ignore").rstrip(" .").encode()
    return kept.decode("utf-8", "surrogateescape") + ending


def name_key(name: str) -> str:
    """Equal for names that some file system takes for one: they differ in letter case or Unicode form only."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _is_unsafe(character: str) -> bool:
    if character in _RESERVED:
        return True
    return unicodedata.category(character) in _UNSAFE_CATEGORIES and character not in _JOINERS
