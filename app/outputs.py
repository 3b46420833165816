"""The files a command writes: checked before the work, all made before the first is written, written whole or not."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from core.files.atomic import write_all
from core.files.formats import Format, Kind, format_for


@dataclass(frozen=True)
class Output:
    """One file asked for, its format by its extension, and what makes the value to write."""

    path: Path
    format: Format
    value: Callable[[], Any]


def wanted(path: str | None, value: Callable[[Kind], Any], *kinds: Kind) -> list[Output]:
    """The output for a path given on the command line, none for None.

    Raises InvalidInput for an unknown extension, a missing folder and a folder in place of a file.
    """
    if path is None:
        return []
    place = Path(path)
    if place.is_dir() or not place.parent.is_dir():
        what = "is a folder" if place.is_dir() else f"lies in {place.parent}, which does not exist"
        raise InvalidInput(f"{place} {what}; name a file in a folder that exists.")
    chosen = format_for(place, *kinds)
    return [Output(place, chosen, lambda: value(chosen.kind))]


def check_places(outputs: Sequence[Output], inputs: Sequence[Path]) -> None:
    """Raises InvalidInput for files that would replace each other or an input."""
    taken = {path.resolve(): "an input of this command" for path in inputs}
    for output in outputs:
        path = output.path
        if path.resolve() in taken:
            raise InvalidInput(f"{path} is {taken[path.resolve()]}; choose another name for the output.")
        taken[path.resolve()] = "already another output of this command"


def write(outputs: Sequence[Output]) -> list[Path]:
    """Make every value and write them all; the paths written. Nothing is written when one cannot be made."""
    files: dict[Path, bytes] = {}
    for output in outputs:
        first, *beside = output.format.encode(output.value(), output.path.stem).items()
        files[output.path] = first[1]
        files |= {output.path.with_name(name): content for name, content in beside}
    write_all(files)
    return list(files)


def input_files(args: argparse.Namespace, *names: str) -> list[Path]:
    """The files among these arguments, for `check_places`."""
    given = [getattr(args, name) for name in names]
    return [Path(value) for value in given if isinstance(value, str | Path) and Path(value).is_file()]
