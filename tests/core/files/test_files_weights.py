"""Downloads from a local server that misbehaves on request."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_server import CONTENT, Server, serving

from core.errors import Cancelled, EditorError, InvalidInput
from core.files import download as downloading
from core.files.download import Source, address, fetch
from core.files.weights import ReleasedFile, download, read_manifest, weights_folder
from core.types.protocols import CancelToken

HALF = len(CONTENT) // 2


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def released(size: int | None = None, sha256: str | None = None) -> ReleasedFile:
    return ReleasedFile("model", "tiny", "A model", "model/model.pt", 1, size, sha256)


def get(server: Server, folder: Path, file: ReleasedFile | None = None, cancel: CancelToken | None = None) -> Path:
    return download(file or released(), folder, server.base, lambda *_: None, cancel or CancelToken())


def part(folder: Path) -> Path:
    return folder / "model" / "model.pt.part"


def interrupted(server: Server, folder: Path) -> None:
    """Leave half of the file behind."""
    server.cuts = [HALF, 0, 0, 0]
    with pytest.raises(EditorError, match=rf"{HALF} bytes are kept"):
        get(server, folder)
    server.asked.clear()
    assert part(folder).read_bytes() == CONTENT[:HALF]


def test_a_file_arrives_whole_with_its_progress(server, tmp_path):
    heard = []
    exact = released(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    path = download(exact, tmp_path, server.base, lambda done, total: heard.append((done, total)), CancelToken())
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["model.pt"]
    assert heard[-1] == (len(CONTENT), len(CONTENT))
    assert heard == sorted(heard)


def test_a_file_that_is_there_is_not_fetched_again(server, tmp_path):
    get(server, tmp_path)
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert len(server.asked) == 1
    with pytest.raises(EditorError, match=r"model\.pt has .* bytes instead of 5; delete it"):
        get(server, tmp_path, released(5))
    assert (tmp_path / "model" / "model.pt").exists()


def test_a_broken_line_is_taken_up_again_in_the_same_call(server, tmp_path):
    server.cuts = [HALF, 0, 1000]
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert [asked.get("Range") for asked in server.asked] == [
        None, f"bytes={HALF}-", f"bytes={HALF}-", f"bytes={HALF + 1000}-",
    ]  # fmt: skip


def test_a_later_call_goes_on_where_the_line_broke(server, tmp_path):
    interrupted(server, tmp_path)
    assert get(server, tmp_path, released(None, hashlib.sha256(CONTENT).hexdigest())).read_bytes() == CONTENT
    assert (server.asked[0]["Range"], server.asked[0]["If-Range"]) == (f"bytes={HALF}-", '"one"')
    assert not part(tmp_path).exists()


@pytest.mark.parametrize("change", ["another version", "no ranges", "no mark"])
def test_parts_of_two_versions_never_meet(server, tmp_path, change):
    interrupted(server, tmp_path)
    server.content = CONTENT[::-1]
    if change == "another version":
        server.etag = '"two"'
    elif change == "no ranges":
        server.ranges = False
    elif change == "no mark":
        part(tmp_path).with_name("model.pt.part.json").write_text("{")
    assert get(server, tmp_path).read_bytes() == CONTENT[::-1]
    assert ("Range" in server.asked[0]) == (change != "no mark")


@pytest.mark.parametrize("etag", [None, 'W/"one"'])
def test_without_a_strong_mark_the_file_is_fetched_from_its_start(server, tmp_path, etag):
    server.etag = etag
    server.cuts = [HALF, HALF, HALF, HALF]
    with pytest.raises(EditorError) as failed:
        get(server, tmp_path)
    assert "kept" not in str(failed.value)
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert not any("Range" in asked for asked in server.asked)


def test_a_part_that_is_already_whole_is_only_checked(server, tmp_path):
    interrupted(server, tmp_path)
    part(tmp_path).write_bytes(CONTENT)
    assert get(server, tmp_path, released(len(CONTENT))).read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_fetched_anew(server, tmp_path):
    interrupted(server, tmp_path)
    part(tmp_path).write_bytes(CONTENT + b"more")
    assert get(server, tmp_path).read_bytes() == CONTENT


def test_a_range_that_was_not_asked_for_is_refused_and_the_part_kept(server, tmp_path):
    interrupted(server, tmp_path)
    server.shift = 10
    with pytest.raises(EditorError, match="other bytes than were asked for"):
        get(server, tmp_path)
    assert part(tmp_path).read_bytes() == CONTENT[:HALF]


@pytest.mark.parametrize(("status", "words"), [(404, "404 Not Found"), (503, "503"), (403, "403")])
def test_an_address_that_fails_is_named_and_the_part_kept(server, tmp_path, status, words):
    interrupted(server, tmp_path)
    server.status = status
    with pytest.raises(EditorError, match=rf"files/model/model\.pt answered {words}"):
        get(server, tmp_path)
    assert part(tmp_path).read_bytes() == CONTENT[:HALF]


def test_another_size_is_refused_before_anything_is_fetched(server, tmp_path):
    with pytest.raises(EditorError, match=rf"offers {len(CONTENT)} bytes where 77 were expected"):
        get(server, tmp_path, released(77))
    assert not part(tmp_path).exists()


def test_a_wrong_hash_is_refused_and_nothing_kept(server, tmp_path):
    with pytest.raises(EditorError, match=r"SHA-256 \w{64} instead of abc; it was deleted"):
        get(server, tmp_path, released(None, "abc"))
    assert list((tmp_path / "model").iterdir()) == []


def test_cancelling_keeps_the_part(server, tmp_path):
    cancel = CancelToken()

    def progress(done: int, _: int | None) -> None:
        if done > 1000:
            cancel.cancel()

    with pytest.raises(Cancelled):
        download(released(), tmp_path, server.base, progress, cancel)
    left = part(tmp_path).read_bytes()
    assert 1000 < len(left) < len(CONTENT)
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.asked[1]["Range"] == f"bytes={len(left)}-"


def test_too_little_room_is_told_before_the_download(server, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(downloading.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(EditorError, match="make room or choose another folder"):
        get(server, tmp_path)
    assert not part(tmp_path).exists()


def test_a_disk_that_fills_up_keeps_what_fits(server, tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(downloading.os, "fsync", full)
        with pytest.raises(EditorError, match=rf"No space left.*{len(CONTENT)} bytes are kept"):
            get(server, tmp_path)
    assert get(server, tmp_path).read_bytes() == CONTENT


def test_a_server_that_is_not_there_and_a_bad_address(tmp_path):
    silent = Source("http://127.0.0.1:9/model.pt")
    with pytest.raises(EditorError, match="could not be read"):
        fetch(silent, tmp_path / "model.pt", lambda *_: None, CancelToken())
    with pytest.raises(EditorError, match="no valid address"):
        fetch(Source("http://a:b/model.pt"), tmp_path / "model.pt", lambda *_: None, CancelToken())
    with pytest.raises(InvalidInput, match="must begin with https"):
        address("ftp://mirror", "model/model.pt")
    assert address("https://mirror/lras/", "model/model.pt") == "https://mirror/lras/model/model.pt"


def test_the_manifest_names_the_four_files():
    manifest = read_manifest()
    assert manifest.groups == ("7b", "1b", "quantizers")
    assert [file.name for file in manifest.in_group("quantizers")] == ["rgb_quantizer", "flow_quantizer"]
    assert all(address(manifest.base, file.path).endswith(".pt") for file in manifest.files)
    assert "MIT" in manifest.licence


def test_checkpoints_live_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("LRAS_WEIGHTS", str(tmp_path))
    assert weights_folder() == tmp_path
    monkeypatch.delenv("LRAS_WEIGHTS")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert weights_folder() == tmp_path / "data" / "lras-studio" / "weights"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights_folder() == tmp_path / ".local" / "share" / "lras-studio" / "weights"
