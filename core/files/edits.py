"""Edits as JSON: exact with blobs, and friendlier by hand."""

import os
from pathlib import Path
from typing import Any, get_args

from core.errors import BadProjectFile
from core.files.blobs import BlobReader, Blobs, BlobWriter
from core.files.mask import read_mask
from core.files.records import record_from_json, record_to_json
from core.files.source import name_of
from core.files.strict_json import read_json
from core.maths.rigid import quaternion_from_rotation, rotation_from_euler_deg
from core.types.edits import Edit

_KINDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Edit)}


def edit_to_json(edit: Edit, blobs: Blobs) -> dict[str, Any]:
    """{"edit": its name, its fields...}; arrays go into `blobs`."""
    return {"edit": type(edit).__name__, **record_to_json(edit, BlobWriter(blobs))}


def edit_from_json(value: object, blobs: Blobs, where: str = "The edit") -> Edit:
    """The edit that `edit_to_json` wrote. Raises BadProjectFile naming what is unknown, missing or wrong."""
    given = value.get("edit") if isinstance(value, dict) else value
    if not isinstance(value, dict) or not isinstance(given, str) or given not in _KINDS:
        raise BadProjectFile(f'{where} must have an "edit" that is one of {", ".join(_KINDS)}; got {given!r:.40}.')
    fields = {name: field for name, field in value.items() if name != "edit"}
    return record_from_json(_KINDS[given], fields, where, BlobReader(blobs))


def read_edits(path: Path, width: int, height: int) -> tuple[Edit, ...]:
    """A hand-written JSON list of edits for a photo of that size.

    Besides what `edit_to_json` writes, a mask may be {"file": a picture's path beside the JSON} and a placement
    may have "rotation_deg": [rx, ry, rz] (R = Rz Ry Rx) in place of its quaternion. Raises InvalidInput for masks
    that cannot be used, BadProjectFile for everything else that is wrong.
    """
    name = name_of(path, "")
    blobs: Blobs = {}
    edits = []
    for number, entry in enumerate(_entries(path)):
        where = f"{name}: edit {number + 1}"
        exact = dict(entry) if isinstance(entry, dict) else entry
        if isinstance(exact, dict):
            if isinstance(exact.get("mask"), dict) and "file" in exact["mask"]:
                exact["mask"] = _mask_from_file(exact["mask"], path.parent, width, height, blobs, where)
            if isinstance(exact.get("placement"), dict) and "rotation_deg" in exact["placement"]:
                exact["placement"] = _with_quaternion(exact["placement"], where)
        edits.append(edit_from_json(exact, blobs, where))
    return tuple(edits)


def files_named_in(path: Path) -> list[Path]:
    """The mask files that a hand-written list of edits names. Raises as `read_edits` when it is no list."""
    masks = [entry.get("mask") for entry in _entries(path) if isinstance(entry, dict)]
    names = [mask["file"] for mask in masks if isinstance(mask, dict) and isinstance(mask.get("file"), str)]
    return [file for file in (path.parent / name for name in names) if os.path.isfile(file)]


def _entries(path: Path) -> list[Any]:
    name = name_of(path, "")
    entries = read_json(path, name)
    if not isinstance(entries, list):
        raise BadProjectFile(f"{name} must be a JSON list of edits; put [ and ] around them.")
    return entries


def _mask_from_file(
    value: dict[str, Any], folder: Path, width: int, height: int, blobs: Blobs, where: str
) -> dict[str, Any]:
    if set(value) != {"file"} or not isinstance(value["file"], str):
        raise BadProjectFile(f'{where}: a mask by file must be {{"file": "path"}} and nothing else.')
    return record_to_json(read_mask(folder / value["file"], width, height), BlobWriter(blobs))


def _with_quaternion(placement: dict[str, Any], where: str) -> dict[str, Any]:
    angles = placement["rotation_deg"]
    usable = isinstance(angles, list) and len(angles) == 3 and all(type(a) in (int, float) for a in angles)
    if not usable or "rotation" in placement:
        raise BadProjectFile(f'{where}: "rotation_deg" must be three numbers, without a "rotation" beside it.')
    rest = {name: field for name, field in placement.items() if name != "rotation_deg"}
    return {**rest, "rotation": list(quaternion_from_rotation(rotation_from_euler_deg(*map(float, angles))))}
