"""Networks of others that can be fetched: what they are and cost, and where on this machine their files lie.

Looked for in the weights folder first, then in a Hugging Face cache; nothing here asks the network but `get`.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import InvalidInput
from core.files.download import Source, address, fetch
from core.files.weights import weights_folder
from core.types.protocols import CancelToken

HubKind = Literal["depth", "mask"]
HubFamily = Literal["depth-anything", "depth-pro", "sam", "sam2"]

_MANIFEST = Path(__file__).resolve().parents[2] / "assets" / "weights" / "hub.json"
_HUGGING_FACE = "https://huggingface.co/"


@dataclass(frozen=True)
class HubFile:
    """`size` in bytes is exact where known, else `about` is what its page says; `sha256` None where none was found."""

    path: str
    size: int | None = None
    about: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class HubModel:
    """`base` is the authors' address, behind which every file's path goes.

    `memory` is what the process takes on top of the studio, in bytes; docs/models.md tells how that is known.
    """

    name: str
    kind: HubKind
    family: HubFamily
    title: str
    licence: str
    memory: int
    base: str
    files: tuple[HubFile, ...]

    @property
    def repository(self) -> str | None:
        """OWNER/NAME of the Hugging Face repository that holds it, None when it is offered elsewhere."""
        if not self.base.startswith(_HUGGING_FACE):
            return None
        return self.base.removeprefix(_HUGGING_FACE).partition("/resolve/")[0]

    @property
    def revision(self) -> str:
        """The version that is fetched from its repository."""
        return self.base.rpartition("/")[2]

    @property
    def download_bytes(self) -> int:
        """What there is to fetch, as far as it is known."""
        return sum(file.size or file.about or 0 for file in self.files)

    @property
    def cost(self) -> str:
        """What fetching and using it takes, in words."""
        exact = all(file.about is None for file in self.files)
        size = f"{'' if exact else 'about '}{self.download_bytes / 1e6:,.0f} MB"
        return f"{size} to fetch, {self.memory / 1e9:.1f} GB of memory, licence {self.licence}"


def hub_models() -> tuple[HubModel, ...]:
    """All models of the manifest that comes with the studio."""
    stored = json.loads(_MANIFEST.read_text(encoding="utf-8"))["models"]
    return tuple(HubModel(**{**model, "files": tuple(HubFile(**file) for file in model["files"])}) for model in stored)


def hub_model(name: str) -> HubModel:
    """Raises InvalidInput for an unknown name."""
    models = {model.name: model for model in hub_models()}
    if name not in models:
        raise InvalidInput(f"There is no model called {name!r}; choose one of: {', '.join(models)}.")
    return models[name]


def find(model: HubModel) -> Path | None:
    """The folder on this machine that holds all its files, None when there is none. Reads no file."""
    for folder in _places(model):
        if all((folder / file.path).is_file() for file in model.files):
            return folder
    return None


def missing(model: HubModel) -> str | None:
    """One sentence when the model is not on this machine."""
    if find(model) is not None:
        return None
    return f"{model.title} is not on this machine; 'launch.py models get {model.name}' fetches it ({model.cost})."


def addresses(model: HubModel, mirror: str | None = None) -> list[str]:
    """Where its files are fetched: below a mirror, HF_ENDPOINT or the authors' address. Raises InvalidInput."""
    base, endpoint = model.base, os.environ.get("HF_ENDPOINT")
    if endpoint and model.repository is not None:
        base = f"{endpoint.rstrip('/')}/{base.removeprefix(_HUGGING_FACE)}"
    return [address(mirror or base, file.path) for file in model.files]


def get(
    model: HubModel,
    folder: Path,
    mirror: str | None,
    progress: Callable[[int, int | None], None],
    cancel: CancelToken,
) -> Path:
    """Fetch what is missing of the model into `folder`/NAME; goes on where an earlier call stopped.

    `progress` hears the bytes of the running file and its size, None while that is not known. Raises EditorError and
    Cancelled.
    """
    for file, url in zip(model.files, addresses(model, mirror), strict=True):
        fetch(Source(url, file.size, file.sha256), folder / model.name / file.path, progress, cancel)
    return folder / model.name


def _places(model: HubModel) -> Iterator[Path]:
    """Folders that may hold the model: our own, a copy of the repository beside them, a cache."""
    own = weights_folder()
    yield own / model.name
    if model.repository is None:
        yield own
        return
    yield own / model.repository.rpartition("/")[2]
    kept = _hub_cache() / f"models--{model.repository.replace('/', '--')}"
    yield kept / "snapshots" / model.revision
    branch = kept / "refs" / "main"
    if branch.is_file():
        yield kept / "snapshots" / branch.read_text(encoding="utf-8").strip()
    yield from sorted((kept / "snapshots").glob("*"))


def _hub_cache() -> Path:
    """Where Hugging Face's tools keep what they fetched, by the same variables as theirs."""
    named = os.environ.get("HF_HUB_CACHE")
    if named:
        return Path(named)
    home = os.environ.get("HF_HOME")
    if home:
        return Path(home) / "hub"
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "huggingface" / "hub"
