"""One large file over HTTP: resumed where it stopped, checked, and put in place only when it is whole.

Until then it is `NAME.part`; `NAME.part.json` holds the server's mark of the version it belongs to (RFC 9110,
If-Range), so that parts of two versions never meet.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from core.errors import EditorError, InvalidInput
from core.types.protocols import CancelToken

Progress = Callable[[int, int | None], None]

_CHUNK = 1 << 20
_TIMEOUT_SECONDS = 30.0
# Tries in a row that bring nothing new.
_FRUITLESS_TRIES = 3
_OK, _PARTIAL, _BEYOND_THE_END = 200, 206, 416


@dataclass(frozen=True)
class Source:
    """An address, and what is known of the file there."""

    url: str
    size: int | None = None
    sha256: str | None = None


class _Interrupted(Exception):
    """The line broke; what came is kept."""


def address(base: str, path: str) -> str:
    """Where a file is below the address `base`. Raises InvalidInput."""
    if not base.startswith(("https://", "http://")):
        raise InvalidInput(f"The address {base!r} must begin with https:// or http://.")
    return f"{base.rstrip('/')}/{path}"


def fetch(source: Source, target: Path, progress: Progress, cancel: CancelToken) -> Path:
    """Download to `target`, or check what is there already.

    Raises EditorError for an address that fails, a file of another size or hash, a full disk; Cancelled. A
    later call goes on from what an interrupted or cancelled one left.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        if target.exists():
            _check(source, target, cancel)
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with httpx.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=True) as client:
            _fetch_all(client, source, part, progress, cancel)
        _check(source, part, cancel)
        os.replace(part, target)
    except OSError as error:
        why = f"{error.strerror or error}{_kept(part)}"
        raise EditorError(f"{target} could not be written ({why}); make room or choose another place.") from error
    except httpx.InvalidURL as error:
        raise EditorError(f"{source.url} is no valid address ({error}).") from error
    _mark_of(part).unlink(missing_ok=True)
    return target


def _fetch_all(client: httpx.Client, source: Source, part: Path, progress: Progress, cancel: CancelToken) -> None:
    """Ask again after each interruption, as long as that brings something."""
    fruitless = 0
    while True:
        before = _size(part)
        try:
            return _fetch_rest(client, source, part, progress, cancel)
        except (_Interrupted, httpx.RequestError) as error:
            fruitless = 0 if _size(part) > before else fruitless + 1
            if fruitless == _FRUITLESS_TRIES:
                raise EditorError(
                    f"{source.url} could not be read ({error}){_kept(part)}; try again later or choose a mirror."
                ) from error


def _fetch_rest(client: httpx.Client, source: Source, part: Path, progress: Progress, cancel: CancelToken) -> None:
    """One request for what is missing; whole when it returns."""
    cancel.check()
    have, mark = _size(part), _read_mark(part)
    if mark is None:
        have = 0
    # Compressed answers cannot be resumed.
    headers = {"Accept-Encoding": "identity"}
    if have and mark is not None:
        headers |= {"Range": f"bytes={have}-", "If-Range": mark}
    with client.stream("GET", source.url, headers=headers) as answer:
        if answer.status_code == _BEYOND_THE_END and have:
            return _settle_whole(answer, source, part, have)
        start, total = _place(answer, source, have)
        _check_room(source, part, start, total)
        with part.open("ab" if start else "wb") as stream:
            if not start:
                _write_mark(part, answer)
            for chunk in answer.iter_raw():
                stream.write(chunk)
                progress(stream.tell(), total)
                cancel.check()
            stream.flush()
            os.fsync(stream.fileno())
            written = stream.tell()
    if total is not None and written < total:
        raise _Interrupted(f"it ended after {written} of {total} bytes")
    if total is not None and written > total:
        _discard(part)
        raise EditorError(f"{source.url} sent {written} bytes where {total} were announced; try another mirror.")


def _settle_whole(answer: httpx.Response, source: Source, part: Path, have: int) -> None:
    """Nothing lies behind what we have: it is the whole file, or of another version."""
    if answer.headers.get("Content-Range") == f"bytes */{have}":
        return
    _discard(part)
    raise _Interrupted(f"{source.url} has less than the {have} bytes of an earlier version")


def _place(answer: httpx.Response, source: Source, have: int) -> tuple[int, int | None]:
    """Where the answer's bytes belong, and how long the whole file is. Raises EditorError."""
    if answer.status_code == _OK:
        length = answer.headers.get("Content-Length", "")
        start, total = 0, int(length) if length.isdecimal() else None
    elif answer.status_code == _PARTIAL:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != have:
            raise EditorError(
                f"{source.url} answered with other bytes than were asked for; try another mirror or delete the .part."
            )
        start, total = have, int(found[2])
    else:
        status = f"{answer.status_code} {answer.reason_phrase}"
        raise EditorError(f"{source.url} answered {status}; check the address or try another mirror.")
    if source.size is not None and total is not None and total != source.size:
        raise EditorError(f"{source.url} offers {total} bytes where {source.size} were expected; try another mirror.")
    return start, source.size if total is None else total


def _check_room(source: Source, part: Path, start: int, total: int | None) -> None:
    free = shutil.disk_usage(part.parent).free
    # A restart frees what the old part takes.
    missing = 0 if total is None else total - max(start, _size(part))
    if missing > free:
        raise EditorError(
            f"{source.url} needs {missing / 1e9:.2f} GB more and {part.parent} has {free / 1e9:.2f} GB free; "
            "make room or choose another folder."
        )


def _check(source: Source, path: Path, cancel: CancelToken) -> None:
    """Size and hash where they are known. A part that fails is of no use and goes; a file in place stays."""
    fault = None
    if source.size is not None and _size(path) != source.size:
        fault = f"has {_size(path)} bytes instead of {source.size}"
    elif source.sha256 is not None and (found := _sha256(path, cancel)) != source.sha256:
        fault = f"has the SHA-256 {found} instead of {source.sha256}"
    if fault is None:
        return
    if path.suffix == ".part":
        _discard(path)
        raise EditorError(f"What {source.url} sent {fault}; it was deleted, so try again or choose another mirror.")
    raise EditorError(f"{path} {fault}; delete it to download it again.")


def _sha256(path: Path, cancel: CancelToken) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            cancel.check()
            digest.update(chunk)
    return digest.hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _kept(part: Path) -> str:
    """What a later call can go on from, in words."""
    return f", {_size(part)} bytes are kept" if _size(part) and _read_mark(part) else ""


def _mark_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_mark(part: Path) -> str | None:
    """The version of what is there; None when that is not known, so that it cannot be gone on from."""
    try:
        mark = json.loads(_mark_of(part).read_bytes())["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return mark if isinstance(mark, str) else None


def _write_mark(part: Path, answer: httpx.Response) -> None:
    """A strong ETag or the date; weak tags may not stand in If-Range."""
    tag = answer.headers.get("ETag", "")
    version = tag if tag.startswith('"') else answer.headers.get("Last-Modified")
    _mark_of(part).write_text(json.dumps({"version": version}), encoding="utf-8")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _mark_of(part).unlink(missing_ok=True)
