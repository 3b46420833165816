"""Lines that show their damage, and arrays in a folder."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import BadProjectFile
from core.files import journal
from core.files.journal import BlobFolder, JournalReader, JournalWriter, encode_line, read_lines

RECORDS = [{"step": n, "label": "Gr\u00fc\u00dfe\n"} for n in range(5)]
DATA = b"".join(map(encode_line, RECORDS))


def test_records_come_back():
    lines = read_lines(DATA)
    assert list(lines.records) == RECORDS
    assert (lines.damaged, lines.torn) == (0, False)
    assert read_lines(b"").records == ()


def test_wherever_a_file_is_cut_the_whole_lines_before_are_there():
    for end in range(len(DATA)):
        lines = read_lines(DATA[:end])
        assert list(lines.records) == RECORDS[: DATA[:end].count(b"\n")]
        assert lines.damaged == 0
        assert lines.torn == (not DATA[:end].endswith(b"\n") and end > 0)


def test_a_line_that_is_no_record_is_damaged():
    line = b'["a", "list"]'
    lines = read_lines(journal._checksum(line) + b" " + line + b"\n" + DATA)
    assert (lines.records, lines.damaged) == (read_lines(DATA).records, 1)


def test_zeros_at_the_end_are_a_line_that_was_not_written():
    lines = read_lines(DATA + bytes(4096))
    assert list(lines.records) == RECORDS
    assert lines.torn


def test_a_damaged_line_is_left_out_and_counted():
    rng = np.random.default_rng(0)
    length = len(encode_line(RECORDS[0]))
    for place in rng.integers(length, 2 * length - 1, 20):
        altered = bytearray(DATA)
        altered[place] ^= 1 << rng.integers(0, 8)
        lines = read_lines(bytes(altered))
        assert RECORDS[1] not in lines.records
        assert lines.records[0] == RECORDS[0]
        assert lines.records[-3:] == tuple(RECORDS[2:])
        assert lines.damaged >= 1


ARRAYS = [
    np.arange(24, dtype=np.uint8).reshape(2, 4, 3),
    np.arange(24, dtype=np.uint16).reshape(2, 4, 3),
    np.arange(8, dtype=np.uint8).reshape(2, 4),
    np.zeros((3, 5), bool),
    np.zeros((5, 3), bool),
    np.array([[np.nan, 1.5]], np.float32),
    np.zeros((1, 2, 2), np.float32),
]


def test_arrays_come_back_bit_for_bit(tmp_path: Path):
    blobs = BlobFolder(tmp_path)
    writer = JournalWriter(blobs)
    references = [writer.put_array(array) for array in ARRAYS]
    reader = JournalReader(BlobFolder(tmp_path))
    for array, reference in zip(ARRAYS, references, strict=True):
        read = reader.take_array(reference, "it")
        assert (read.dtype, read.shape) == (array.dtype, array.shape)
        assert read.tobytes() == array.tobytes()


def test_an_array_that_is_there_is_not_written_again_and_one_that_was_removed_is(tmp_path: Path, monkeypatch):
    packed: list[int] = []
    real = journal._packed
    monkeypatch.setattr(journal, "_packed", lambda array: (packed.append(1), real(array))[1])
    writer = JournalWriter(BlobFolder(tmp_path))
    reference = writer.put_array(ARRAYS[0])
    assert writer.put_array(ARRAYS[0]) == reference
    assert len(packed) == 1
    (tmp_path / reference["blob"]).unlink()
    assert writer.put_array(ARRAYS[0]) == reference
    assert (tmp_path / reference["blob"]).exists()


def test_cleaning_up_removes_blobs_alone(tmp_path: Path):
    blobs = BlobFolder(tmp_path)
    kept, old = (JournalWriter(blobs).put_array(array)["blob"] for array in ARRAYS[:2])
    for name in ("notes.txt", f".{old}.part", f"{old}.txt"):
        (tmp_path / name).write_bytes(b"x")
    blobs.keep_only({kept})
    assert {path.name for path in tmp_path.iterdir()} == {kept, "notes.txt", f"{old}.txt"}


def test_an_array_that_cannot_be_read_now_is_not_called_missing(tmp_path: Path):
    reference = JournalWriter(BlobFolder(tmp_path)).put_array(ARRAYS[0])
    (tmp_path / reference["blob"]).unlink()
    (tmp_path / reference["blob"]).mkdir()  # what any user is refused to read
    with pytest.raises(OSError, match="directory"):
        JournalReader(BlobFolder(tmp_path)).take_array(reference, "it")


def test_what_is_taken_back_leaves_what_was_accepted(tmp_path: Path):
    blobs = BlobFolder(tmp_path)
    writer = JournalWriter(blobs)
    kept = writer.put_array(ARRAYS[0])["blob"]
    blobs.accept()
    writer.put_array(ARRAYS[1])
    blobs.take_back()
    assert [path.name for path in tmp_path.iterdir()] == [kept]


@pytest.mark.parametrize("damage", [b"", b"x", b"\x93NUMPY", bytes(100)])
def test_a_damaged_array_is_refused(tmp_path: Path, damage: bytes):
    reference = JournalWriter(BlobFolder(tmp_path)).put_array(ARRAYS[2])
    (tmp_path / reference["blob"]).write_bytes(damage)
    with pytest.raises(BadProjectFile, match="damaged"):
        JournalReader(BlobFolder(tmp_path)).take_array(reference, "it")
    (tmp_path / reference["blob"]).unlink()
    with pytest.raises(BadProjectFile, match="missing"):
        JournalReader(BlobFolder(tmp_path)).take_array(reference, "it")
