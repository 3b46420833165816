"""Damaged files of fixed seeds to every reader, in a process of its own: for longer, `python -m benchmarks.fuzz`."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.damage import READERS, case, damaged

ROOT = Path(__file__).resolve().parents[3]
CASES = 120


def test_every_damaged_file_opens_or_is_refused_in_a_sentence_within_its_memory(tmp_path: Path) -> None:
    words = ["--cases", str(CASES), "--seconds", "3000", "--save", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fuzz", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    *failures, figures = done.stdout.splitlines() or ["nothing"]
    assert done.returncode == 0, (failures, figures, done.stderr[-2000:])
    assert json.loads(figures)["tried"] == dict.fromkeys(READERS, CASES)
    assert done.stderr == ""  # decoders have words of their own, which are not for users


@pytest.mark.parametrize("name", READERS)
def test_the_sound_files_open(name: str) -> None:
    for data in READERS[name].sound():
        READERS[name].read(data)


def test_a_seed_gives_the_same_damage() -> None:
    assert case("photo", 7) == case("photo", 7) != case("photo", 8)
    assert damaged(b"", (b"",), False, np.random.default_rng(0)) == b""
