"""The project archive (.lras): a ZIP of project.json and content-addressed blobs, never pickle."""

import io
import json
import re
import zipfile
import zlib
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import BadProjectFile
from core.files.archive import encode_zip
from core.files.blobs import UNPACKED_LIMIT, BlobReader, BlobWriter
from core.files.npy import NPY_MAGIC
from core.files.records import record_from_json, record_to_json
from core.files.source import name_of, read_source
from core.types.ids import content_id
from core.types.project import SCHEMA_VERSION, Project

_INDEX = "project.json"
_BLOB_NAME = re.compile(r"blobs/([0-9a-f]{32})")
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class ArchiveLimits:
    """The largest archive that is opened: bytes of the file, bytes unpacked, entries."""

    max_bytes: int = 1_000_000_000
    max_unpacked: int = UNPACKED_LIMIT
    max_entries: int = 10_000


DEFAULT_LIMITS = ArchiveLimits()


def save_project(project: Project, encoded: MutableMapping[str, bytes] | None = None) -> bytes:
    """The archive; the same project gives the same bytes.

    Hand in the same `encoded` mapping at each autosave to compress each array only once.
    """
    blobs: dict[str, bytes] = {}
    record = record_to_json(project, BlobWriter(blobs, encoded))
    index = {"application": "LRAS Studio", "schema": SCHEMA_VERSION, "project": record}
    text = json.dumps(index, indent=1, sort_keys=True, allow_nan=False).encode()
    files = {_INDEX: text} | {f"blobs/{blob_id}": blobs[blob_id] for blob_id in sorted(blobs)}
    # Pictures are packed already; only the index and float arrays shrink.
    packed = {name for name, data in files.items() if name == _INDEX or data.startswith(NPY_MAGIC)}
    return encode_zip(files, stored=frozenset(files) - packed)


def load_project(source: Path | bytes, limits: ArchiveLimits = DEFAULT_LIMITS) -> Project:
    """The project of an archive: `load_project(save_project(p)) == p`.

    Raises BadProjectFile with one sentence when the archive is damaged, unsafe or of a newer version, and
    InvalidInput when the file cannot be read or is too large.
    """
    name = name_of(source, "The project file")
    data = read_source(source, name, limits.max_bytes)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = _checked_entries(archive, limits)
            files = {entry.filename: _unpacked(archive, entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise BadProjectFile(f"{name} is not a project file or is damaged; take an earlier copy.") from error
    blobs = {_blob_id(path): content for path, content in files.items() if path != _INDEX}
    for blob_id, content in blobs.items():
        if content_id(content) != blob_id:
            raise BadProjectFile(f"{name}: the blob {blob_id} has been altered or damaged; take an earlier copy.")
    project = record_from_json(Project, _record(files, name), "project", BlobReader(blobs, limits.max_unpacked))
    _check_sizes(project, name)
    return project


def _checked_entries(archive: zipfile.ZipFile, limits: ArchiveLimits) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > limits.max_entries:
        raise BadProjectFile(f"The project file has {len(entries)} entries, more than any project; it is not safe.")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.max_unpacked:
        raise BadProjectFile(
            f"The project file unpacks to {unpacked / 1e6:.0f} MB and the limit is "
            f"{limits.max_unpacked / 1e6:g} MB; it may be a ZIP bomb."
        )
    seen: set[str] = set()
    for entry in entries:
        path = entry.filename
        if path != _INDEX and not _BLOB_NAME.fullmatch(path):
            raise BadProjectFile(f"The project file holds {path!r:.80}, which no project has; it is not safe.")
        if path in seen:
            raise BadProjectFile(f"The project file holds {path} twice; it is damaged or not safe.")
        if entry.flag_bits & _ENCRYPTED:
            raise BadProjectFile("The project file is encrypted; unpack it and save it without a password.")
        seen.add(path)
    return entries


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The entry's bytes; what its compressed data holds beyond the declared size is never unpacked."""
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise BadProjectFile(f"The project file's {entry.filename} has not its declared size; take an earlier copy.")
    return content


def _blob_id(path: str) -> str:
    return path.removeprefix("blobs/")


def _record(files: dict[str, bytes], name: str) -> Any:
    """The project's record in the index, if it is of a version we know."""
    if _INDEX not in files:
        raise BadProjectFile(f"{name} has no {_INDEX}; it is not a project file.")
    try:
        index = json.loads(files[_INDEX])
    except (ValueError, RecursionError) as error:
        raise BadProjectFile(f"{name}: its {_INDEX} is not valid JSON; take an earlier copy.") from error
    schema = index.get("schema") if isinstance(index, dict) else None
    if type(schema) is not int or schema < 1 or "project" not in index:
        raise BadProjectFile(f"{name}: its {_INDEX} does not describe a project; take an earlier copy.")
    if schema > SCHEMA_VERSION:
        raise BadProjectFile(
            f"{name} was saved by a newer version (schema {schema}, this one knows {SCHEMA_VERSION}); update it."
        )
    return index["project"]


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
