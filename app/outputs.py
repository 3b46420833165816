"""The files a command writes: checked before the work, all made before the first is written, written whole or not."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.places import Place, check_places
from core.files.atomic import check_place, write_all
from core.files.formats import Format, Kind, format_for

Tell = Callable[[str], Any]


@dataclass(frozen=True)
class Output:
    """One file asked for, its format by its extension, and what makes the value to write, or gives the file's bytes."""

    path: Path
    format: Format
    value: Callable[[], Any]

    @property
    def places(self) -> list[Place]:
        """Every file that will be written, the one asked for first."""
        _, *beside = self.format.names(self.path.stem)
        return [Place(self.path), *(Place(self.path.with_name(name), self.path) for name in beside)]

    def contents(self, tell: Tell) -> Iterable[bytes]:
        """What goes into each of `places`; what has to be known of it is told."""
        value = self.value()
        if isinstance(value, bytes):
            return [value]
        if (sentence := self.format.told(value)) is not None:
            tell(sentence)
        return self.format.encode(value, self.path.stem).values()


@dataclass(frozen=True)
class Outputs:
    """Everything that a command will write, beside what it reads.

    Raises InvalidInput at once for what cannot be written, or would replace an input, another output or, without
    `overwrite`, a file that nobody named.
    """

    files: Sequence[Output]
    inputs: Sequence[Path] = ()
    overwrite: bool = False

    def __post_init__(self) -> None:
        self._check()

    def check_size(self, width: int, height: int) -> None:
        """Raises InvalidInput for a format that holds no picture of that size."""
        for output in self.files:
            output.format.check_size(width, height)

    def write(self, tell: Tell) -> list[Path]:
        """Make every value and write them all; the paths written. Nothing is written when one cannot be made.

        `tell` takes what has to be known of what was written.
        """
        contents: dict[Path, bytes] = {}
        for output in self.files:
            contents |= zip((place.path for place in output.places), output.contents(tell), strict=True)
        self._check()  # the work may have taken long
        write_all(contents)
        return list(contents)

    def _check(self) -> None:
        places = [place for output in self.files for place in output.places]
        check_places(places, self.inputs, self.overwrite)


def wanted(path: str | None, value: Callable[[Kind], Any], *kinds: Kind) -> list[Output]:
    """The output for a path given on the command line, none for None.

    Raises InvalidInput for an unknown extension, and for a folder in place of a file.
    """
    if path is None:
        return []
    place = Path(path)
    if os.path.isdir(place):
        check_place(place)
    chosen = format_for(place, *kinds)
    return [Output(place, chosen, lambda: value(chosen.kind))]
