"""The released checkpoints: what they are called, where they come from and where they are kept."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput
from core.files.download import Source, address, fetch
from core.files.folders import user_folder
from core.types.protocols import CancelToken

_MANIFEST = Path(__file__).resolve().parents[2] / "assets" / "weights" / "manifest.json"


@dataclass(frozen=True)
class ReleasedFile:
    """A checkpoint its authors offer. `size` in bytes and `sha256` are None where they published none."""

    name: str
    group: str
    title: str
    path: str
    parameters: int
    size: int | None
    sha256: str | None


@dataclass(frozen=True)
class Manifest:
    """`base` is the authors' address; every file's path goes behind it, as behind a mirror's."""

    base: str
    licence: str
    files: tuple[ReleasedFile, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(file.group for file in self.files))

    def in_group(self, group: str) -> tuple[ReleasedFile, ...]:
        return tuple(file for file in self.files if file.group == group)


def read_manifest() -> Manifest:
    """The manifest that comes with the studio."""
    stored = json.loads(_MANIFEST.read_text(encoding="utf-8"))
    return Manifest(stored["base"], stored["licence"], tuple(ReleasedFile(**file) for file in stored["files"]))


@dataclass(frozen=True)
class EmbeddedFile:
    """Weights that come with the studio, made by its own code; `card` is their description beside them."""

    name: str
    path: str
    size: int
    sha256: str
    licence: str
    card: str


def embedded_files() -> tuple[EmbeddedFile, ...]:
    """The networks in `assets/weights`."""
    stored = json.loads(_MANIFEST.read_text(encoding="utf-8"))
    return tuple(EmbeddedFile(**file) for file in stored["embedded"])


def embedded(name: str) -> Path:
    """Where that network's weights lie. Raises InvalidInput when they are missing or not those of the manifest."""
    file = next(file for file in embedded_files() if file.name == name)
    path = _MANIFEST.parent / file.path
    if not path.is_file():
        raise InvalidInput(f"{path} is missing; get the studio's files again.")
    if hashlib.sha256(path.read_bytes()).hexdigest() != file.sha256:
        raise InvalidInput(f"{path} is not the file of this version; get the studio's files again.")
    return path


def embedded_missing(name: str) -> str | None:
    """One sentence when the network of that name does not come with this copy of the studio."""
    found = any(file.name == name and (_MANIFEST.parent / file.path).is_file() for file in embedded_files())
    return None if found else f"The weights of {name} do not come with this copy; train them with 'launch.py train'."


def weights_folder() -> Path:
    """LRAS_WEIGHTS if set, else a folder of this user's own."""
    chosen = os.environ.get("LRAS_WEIGHTS")
    return Path(chosen) if chosen else user_folder("XDG_DATA_HOME", ".local/share") / "weights"


def installed(name: str) -> Path | None:
    """Where the checkpoint of that name lies in the weights folder: converted if there, else as released."""
    folder = weights_folder() / name
    found = (folder if (folder / "model.safetensors").is_file() else None, folder / f"{name}.pt")
    return next((path for path in found if path is not None and path.exists()), None)


def missing(names: Sequence[str]) -> str | None:
    """One sentence when any of these checkpoints is not installed."""
    lacking = [name for name in names if installed(name) is None]
    if not lacking:
        return None
    groups = dict.fromkeys(file.group for file in read_manifest().files if file.name in lacking)
    commands = " and ".join(f"'launch.py lras download {group}'" for group in groups)
    return f"The checkpoints {', '.join(lacking)} are not installed; run {commands}."


def download(
    file: ReleasedFile,
    folder: Path,
    base: str,
    progress: Callable[[int, int | None], None],
    cancel: CancelToken,
) -> Path:
    """The file in `folder`, fetched unless it is there; goes on where an earlier call stopped.

    `progress` hears the bytes on the disk and the whole size, None while that is not known. Raises EditorError
    and Cancelled.
    """
    source = Source(address(base, file.path), file.size, file.sha256)
    return fetch(source, folder / file.path, progress, cancel)
