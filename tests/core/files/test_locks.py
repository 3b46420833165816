"""A lock is held by one, in this process too, and falls free with its holder."""

import subprocess
import sys
from pathlib import Path

from core.files.locks import FileLock

ROOT = Path(__file__).resolve().parents[3]
HOLDER = """
import sys, time
from pathlib import Path
from core.files.locks import FileLock
held = FileLock.take(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_a_lock_is_held_by_one_until_it_is_released(tmp_path: Path):
    path = tmp_path / "lock"
    first = FileLock.take(path)
    assert first is not None
    assert FileLock.take(path) is None
    first.release()
    second = FileLock.take(path)
    assert second is not None
    second.release()


def test_a_killed_process_holds_nothing(tmp_path: Path):
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert FileLock.take(path) is None
        holder.kill()
        holder.wait()
        taken = FileLock.take(path)
    assert taken is not None
    taken.release()
