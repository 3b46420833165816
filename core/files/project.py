"""The project archive (.lras): a ZIP of project.json and content-addressed blobs, never pickle."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import BadProjectFile, InvalidInput
from core.files.archive import encode_zip
from core.files.blobs import UNPACKED_LIMIT, BlobReader, BlobWriter
from core.files.npy import NPY_MAGIC
from core.files.packed import PackedFiles
from core.files.records import record_from_json, record_to_json
from core.files.schema import upgraded
from core.files.source import name_of, read_source
from core.files.strict_json import MAX_JSON_BYTES, parse_json
from core.types.ids import content_id
from core.types.project import SCHEMA_VERSION, Project

_INDEX = "project.json"
_BLOBS = "blobs/"
_ZIP = b"PK"
_BLOB_NAME = re.compile(rf"{_BLOBS}[0-9a-f]{{32}}")


@dataclass(frozen=True)
class ArchiveLimits:
    """The largest archive that is opened: bytes of the file, bytes unpacked, entries."""

    max_bytes: int = 1_000_000_000
    max_unpacked: int = UNPACKED_LIMIT
    max_entries: int = 10_000


DEFAULT_LIMITS = ArchiveLimits()


def save_project(project: Project) -> bytes:
    """The archive; the same project gives the same bytes."""
    blobs: dict[str, bytes] = {}
    record = record_to_json(project, BlobWriter(blobs))
    index = {"application": "LRAS Studio", "schema": SCHEMA_VERSION, "project": record}
    text = json.dumps(index, indent=1, sort_keys=True, allow_nan=False).encode()
    files = {_INDEX: text} | {_path_of(blob_id): blobs[blob_id] for blob_id in sorted(blobs)}
    # Pictures are packed already; only the index and float arrays shrink.
    packed = {name for name, data in files.items() if name == _INDEX or data.startswith(NPY_MAGIC)}
    return encode_zip(files, stored=frozenset(files) - packed)


def load_project(
    source: Path | bytes, limits: ArchiveLimits = DEFAULT_LIMITS, called: str = "The project file"
) -> Project:
    """The project of an archive: `load_project(save_project(p)) == p`; messages name bytes as they are `called`.

    Raises BadProjectFile with one sentence when the archive is damaged, unsafe or of a newer version, and
    InvalidInput when the file cannot be read or is too large, NotEnoughMemory when what is in it is.
    """
    name = name_of(source, called)
    data = read_source(source, name, limits.max_bytes)
    files = PackedFiles(data, name, _is_of_a_project, limits.max_entries, limits.max_unpacked)
    blobs = BlobReader(_PackedBlobs(files), limits.max_unpacked)
    project = record_from_json(Project, _record(files, name), "project", blobs)
    _check_sizes(project, name)
    return project


def check_project_head(data: bytes, name: str) -> None:
    """Raises BadProjectFile for a file that begins as no project does."""
    if not data.startswith(_ZIP):
        raise BadProjectFile(f"{name} is not a project file; give a photo, or a project that the studio saved.")


class _PackedBlobs:
    """The blobs of an archive by their ids, unpacked and compared with them when they are taken."""

    def __init__(self, files: PackedFiles) -> None:
        self._files = files

    def __contains__(self, blob_id: object) -> bool:
        return _path_of(str(blob_id)) in self._files

    def __getitem__(self, blob_id: str) -> bytes:
        content = self._files.read(_path_of(blob_id))
        if content_id(content) != blob_id:
            raise BadProjectFile(
                f"The project file's blob {blob_id} has been altered or damaged; take an earlier copy."
            )
        return content


def _path_of(blob_id: str) -> str:
    return _BLOBS + blob_id


def _is_of_a_project(path: str) -> bool:
    return path == _INDEX or _BLOB_NAME.fullmatch(path) is not None


def _record(files: PackedFiles, name: str) -> Any:
    """The project's record in the index, if it is of a version we know."""
    if _INDEX not in files:
        raise BadProjectFile(f"{name} has no {_INDEX}; it is not a project file.")
    if files.size(_INDEX) > MAX_JSON_BYTES:
        raise BadProjectFile(
            f"{name}: its {_INDEX} has {files.size(_INDEX) / 1e6:.0f} MB, more than any project's; it is not safe."
        )
    try:
        index = parse_json(files.read(_INDEX), f"{name}: its {_INDEX}")
    except InvalidInput as error:
        raise BadProjectFile(str(error)) from error
    schema = index.get("schema") if isinstance(index, dict) else None
    if type(schema) is not int or schema < 1 or "project" not in index:
        raise BadProjectFile(f"{name}: its {_INDEX} does not describe a project; take an earlier copy.")
    if schema > SCHEMA_VERSION:
        raise BadProjectFile(
            f"{name} was saved by a newer version (schema {schema}, this one knows {SCHEMA_VERSION}); update it."
        )
    return upgraded(index["project"], schema)


def _check_sizes(project: Project, name: str) -> None:
    """Every part that lies over the photo must have its size, and object names must differ."""
    size = project.photo.pixels.shape[:2]
    over_photo = {f"the mask of {item.id!r}": item.mask.coverage.shape for item in project.scene.objects}
    shadows = {item.id: item.shadow.coverage.shape for item in project.scene.objects if item.shadow is not None}
    over_photo |= {f"the shadow of {object_id!r}": shape for object_id, shape in shadows.items()}
    if project.photo.alpha is not None:
        over_photo["the photo's alpha"] = project.photo.alpha.shape
        if project.photo.alpha.dtype != project.photo.pixels.dtype:
            raise BadProjectFile(f"{name}: the photo's alpha has another bit depth than its pixels.")
    if project.flow_override is not None:
        over_photo["the flow"] = project.flow_override.flow.shape[:2]
        over_photo["the flow's visibility"] = project.flow_override.visible.shape
    intrinsics = project.scene.source_intrinsics
    over_photo["the source intrinsics"] = (intrinsics.height, intrinsics.width)
    for title, shape in over_photo.items():
        if shape != size:
            raise BadProjectFile(
                f"{name}: {title} is {shape[1]}x{shape[0]} and the photo is {size[1]}x{size[0]}; take an earlier copy."
            )
    ids = [item.id for item in project.scene.objects]
    if len(set(ids)) != len(ids):
        raise BadProjectFile(f"{name}: two objects have the same id; take an earlier copy.")
