"""Frozen records to JSON and back, by their type hints; arrays and bytes go to a blob store."""

import dataclasses
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from core.errors import BadProjectFile, InvalidInput
from core.files.blobs import BlobReader, BlobWriter
from core.types.ids import NOT_SAVED, ContentAddressed
from core.types.names import shown

Record = TypeVar("Record")

_EXACT_INTEGERS = 2**53
_LONGEST_TOLD = 40


def record_to_json(record: Any, blobs: BlobWriter) -> dict[str, Any]:
    """The record's fields as JSON values; ids that follow from the content are left out."""
    return {name: _value_to_json(getattr(record, name), blobs) for name in _fields(type(record))}


def _value_to_json(value: Any, blobs: BlobWriter) -> Any:
    if dataclasses.is_dataclass(value):
        return record_to_json(value, blobs)
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype == np.float64 else blobs.put_array(value)
    if isinstance(value, bytes):
        return blobs.put_bytes(value)
    if isinstance(value, tuple):
        return [_value_to_json(item, blobs) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def record_from_json(kind: type[Record], value: object, where: str, blobs: BlobReader) -> Record:
    """The record of type `kind` that JSON describes; fields with defaults may be absent.

    Raises BadProjectFile, naming the place, for unknown or missing fields, values of a wrong type, missing
    blobs and values that the record itself refuses.
    """
    if not isinstance(value, dict):
        raise _wrong(where, kind.__name__, value)
    fields = _fields(kind)
    unknown = [shown(name)[:_LONGEST_TOLD] for name in value if name not in fields]
    if unknown:
        raise BadProjectFile(
            f"{where} has unknown fields: {', '.join(unknown)}; {kind.__name__} knows {', '.join(fields)}."
        )
    missing = [name for name, (_, required) in fields.items() if required and name not in value]
    if missing:
        raise BadProjectFile(f"{where} lacks the fields {', '.join(missing)}; add them.")
    members = {name: _value_from_json(fields[name][0], item, f"{where}.{name}", blobs) for name, item in value.items()}
    try:
        return kind(**members)
    except BadProjectFile:
        raise
    except InvalidInput as error:
        raise BadProjectFile(f"{where}: {error}") from error


def _value_from_json(hint: Any, value: object, where: str, blobs: BlobReader) -> Any:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        choices = get_args(hint)
        if value is None and NoneType in choices:
            return None
        choices = tuple(choice for choice in choices if choice is not NoneType)
        return (
            _array(choices, value, where, blobs)
            if _is_array(choices[0])
            else _value_from_json(choices[0], value, where, blobs)
        )
    if _is_array(hint):
        return _array((hint,), value, where, blobs)
    if dataclasses.is_dataclass(hint):
        kind: type[Any] = hint  # type: ignore[assignment]
        if issubclass(kind, ContentAddressed):
            return blobs.once(kind, value, lambda: record_from_json(kind, value, where, blobs))
        return record_from_json(kind, value, where, blobs)
    if origin is tuple:
        return _tuple(get_args(hint), value, where, blobs)
    if hint is bytes:
        if not isinstance(value, dict) or set(value) != {"blob"}:
            raise _wrong(where, "a blob", value)
        return blobs.take_bytes(value["blob"], where)
    return _scalar(hint, value, where)


def _scalar(hint: Any, value: object, where: str) -> Any:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise _wrong(where, f"one of {', '.join(map(str, get_args(hint)))}", value)
        return value
    if hint is float and type(value) is int and abs(value) <= _EXACT_INTEGERS:
        return float(value)
    if type(value) is not hint:  # isinstance would take true for 1
        raise _wrong(where, hint.__name__, value)
    return value


def _tuple(hints: tuple[Any, ...], value: object, where: str, blobs: BlobReader) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _wrong(where, "a list", value)
    if hints[-1] is Ellipsis:
        hints = (hints[0],) * len(value)
    if len(hints) != len(value):
        raise _wrong(where, f"{len(hints)} values", value)
    return tuple(
        _value_from_json(hint, item, f"{where}[{number}]", blobs)
        for number, (hint, item) in enumerate(zip(hints, value, strict=True))
    )


def _array(hints: tuple[Any, ...], value: object, where: str, blobs: BlobReader) -> np.ndarray:
    """A small float64 array from nested lists, any other from its blob."""
    if isinstance(value, list):
        try:
            array = np.array(value, dtype=np.float64)
        except (ValueError, TypeError) as error:
            raise _wrong(where, "a list of numbers", value) from error
    else:
        array = blobs.take_array(value, where)
    if not any(isinstance(array, hint) for hint in hints):
        expected = " or ".join(hint.__name__ for hint in hints)
        raise BadProjectFile(f"{where} must be {expected} and is {array.dtype.name} of shape {array.shape}.")
    return array


def _is_array(hint: Any) -> bool:
    """Whether the hint is one of jaxtyping's array types."""
    return hasattr(hint, "array_type") and hasattr(hint, "dims")


@cache
def _fields(kind: type) -> dict[str, tuple[Any, bool]]:
    """Type and necessity of each field that is stored."""
    hints = get_type_hints(kind)
    return {
        field.name: (hints[field.name], field.default is dataclasses.MISSING)
        for field in dataclasses.fields(kind)
        if not (field.name == "id" and issubclass(kind, ContentAddressed)) and field.metadata != NOT_SAVED
    }


def _wrong(where: str, expected: str, value: object) -> BadProjectFile:
    told = repr(value)
    told = told if len(told) <= _LONGEST_TOLD else told[: _LONGEST_TOLD - 3] + "..."
    return BadProjectFile(f"{where} must be {expected}, got {told}.")
