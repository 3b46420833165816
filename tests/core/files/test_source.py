"""The door for files: ordinary ones only, bounded by what is read and not by what is said."""

import os
import socket
import time
from pathlib import Path

import pytest

from core.errors import InvalidInput, NotEnoughMemory
from core.files.source import name_of, read_source
from core.types.names import shown


def test_bytes_and_files_come_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert read_source(tmp_path / "a", "a", 3) == b"abc"
    assert read_source(b"abc", "a", 3) == b"abc"


@pytest.mark.parametrize("place", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_refused(place: str) -> None:
    if not Path(place).is_char_device():
        pytest.skip(f"this system has no {place}")
    with pytest.raises(InvalidInput, match="is a device"):
        read_source(Path(place), "zero", 10)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    begun = time.monotonic()
    with pytest.raises(InvalidInput, match="is a pipe"):
        read_source(tmp_path / "pipe", "pipe", 10)
    assert time.monotonic() - begun < 60


def test_a_socket_and_a_folder_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        with pytest.raises(InvalidInput, match="is a socket"):
            read_source(Path("s"), "s", 10)
    with pytest.raises(InvalidInput, match="is a folder"):
        read_source(tmp_path, "tmp", 10)


def test_a_link_to_a_device_is_a_device(tmp_path: Path) -> None:
    (tmp_path / "mask.png").symlink_to("/dev/zero")
    with pytest.raises(InvalidInput, match="is a device"):
        read_source(tmp_path / "mask.png", "mask.png", 10)


def test_a_file_that_says_it_is_empty_is_read_to_the_limit() -> None:
    """Files of /proc have size 0 and content all the same."""
    place = Path("/proc/self/status")
    if not place.exists():
        pytest.skip("this system has no /proc")
    assert read_source(place, "status", 1 << 20).startswith(b"Name:")
    with pytest.raises(InvalidInput, match="limit is"):
        read_source(place, "status", 100)


@pytest.mark.parametrize("path", ["a\0b.png", "\ud800.png", "missing.png", "x" * 5000])
def test_a_path_that_cannot_be_is_told(path: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be read") as refused:
        read_source(Path(path), "it", 10)
    str(refused.value).encode("utf-8")
    assert "\0" not in str(refused.value)


def test_a_file_that_has_nothing_now_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As /proc/kmsg, which says that it is an ordinary file."""
    reader, writer = os.pipe()
    monkeypatch.setattr("core.files.source._check_kind", lambda *_: None)
    monkeypatch.setattr(os, "open", lambda *_: os.set_blocking(reader, False) or reader)
    (tmp_path / "log").write_bytes(b"x")
    with pytest.raises(InvalidInput, match="nothing to be read now"):
        read_source(tmp_path / "log", "log", 100)
    os.close(writer)


def test_too_much_and_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abcd")
    with pytest.raises(InvalidInput, match="limit"):
        read_source(tmp_path / "a", "a", 3)
    with pytest.raises(InvalidInput, match="empty"):
        read_source(b"", "a", 3)


def test_a_file_larger_than_the_memory_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"abcd")
    monkeypatch.setattr("core.memory.free_bytes", lambda: 3)
    with pytest.raises(NotEnoughMemory):
        read_source(tmp_path / "a", "a", 10)


def test_names_are_shown_in_one_line() -> None:
    assert name_of(Path("x/a\r\nb\0\udcff.png"), "it") == "a\N{REPLACEMENT CHARACTER}" * 1 + (
        "\N{REPLACEMENT CHARACTER}b" + "\N{REPLACEMENT CHARACTER}" * 2 + ".png"
    )
    assert name_of(b"", "it") == "it"
    assert shown("Jörg 猫.jpg") == "Jörg 猫.jpg"
