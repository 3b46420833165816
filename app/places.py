"""Places of files and folders: that nothing is replaced by a command unless it was named for that."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput
from core.files.atomic import check_place
from core.files.names import name_key

_Key = tuple[object, ...]


@dataclass(frozen=True)
class Place:
    """A file that will be written; `beside` is the output that it belongs to, None when it was named itself."""

    path: Path
    beside: Path | None = None

    @property
    def words(self) -> str:
        return str(self.path) if self.beside is None else f"{self.path}, which belongs to {self.beside},"


def check_places(places: Sequence[Place], inputs: Sequence[Path], overwrite: bool = False) -> None:
    """Raises InvalidInput when one cannot be written, or is an input, another output or a file that nobody named.

    Two places are the same when the file system says so, or their names differ in letter case or Unicode form only:
    on some systems they are one. What lies in a folder among the inputs is an input. `overwrite` lets files that
    belong to an output replace what is there.
    """
    taken = {key: (path, "an input of this command") for path in inputs for key in _keys(path)}
    folders = [path for path in inputs if path.is_dir()]
    for place in places:
        keys = _keys(place.path)
        met = next((taken[key] for key in keys if key in taken), None) or _inside(place.path, folders)
        if met is not None:
            other, what = met
            alike = "" if _same_words(place.path, other) else f" ({other})"
            remedy = "the output" if place.beside is None else place.beside
            raise InvalidInput(f"{place.words} is {what}{alike}; choose another name for {remedy}.")
        check_place(place.path)
        taken |= dict.fromkeys(keys, (place.path, "already another output of this command"))
        if place.beside is not None and os.path.lexists(place.path) and not overwrite:
            raise InvalidInput(
                f"{place.words} exists already; choose another name for {place.beside}, move that file away, "
                "or replace it with --overwrite."
            )


def check_sheet(args: argparse.Namespace, *more: Path) -> None:
    """Raises InvalidInput for a --sheet that is no .png, cannot be written, or is in what is read, `more` too."""
    if args.sheet is None:
        return
    if args.sheet.suffix.lower() != ".png":
        raise InvalidInput(f"{args.sheet} must be a picture's name; end it with .png.")
    check_places([Place(args.sheet)], [*paths_in(args, "sheet"), *more])


def paths_in(args: argparse.Namespace, *but: str) -> list[Path]:
    """Every file and folder among the arguments, without those of these names."""
    values = [value for name, value in vars(args).items() if name not in but]
    single = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return [one for one in single if isinstance(one, Path)]


def check_folder(folder: Path, inputs: Sequence[Path]) -> None:
    """Raises InvalidInput for a folder to write into that is, or holds, an input."""
    for path in inputs:
        if path.exists() and _contains(folder, path):
            raise InvalidInput(f"{folder} holds {path}, an input of this command; choose another folder.")


def _keys(path: Path) -> list[_Key]:
    """What is equal for paths of one file: its name in its folder, and the file itself where there is one."""
    real = Path(os.path.realpath(path))
    keys: list[_Key] = []
    for file, name in ((real.parent, name_key(real.name)), (real, "")):
        if os.path.exists(file):
            found = file.stat()
            keys.append((found.st_dev, found.st_ino, name))
    return keys


def _inside(path: Path, folders: Sequence[Path]) -> tuple[Path, str] | None:
    """A folder of inputs that holds this file already."""
    if not os.path.exists(path):
        return None
    holder = next((folder for folder in folders if _contains(folder, path)), None)
    return None if holder is None else (holder, "in a folder that this command reads")


def _contains(folder: Path, path: Path) -> bool:
    real = Path(os.path.realpath(path))
    return folder.exists() and any(parent.samefile(folder) for parent in (real, *real.parents) if parent.exists())


def _same_words(path: Path, other: Path) -> bool:
    return os.path.abspath(path) == os.path.abspath(other)
