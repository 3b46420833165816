"""Damaged files to every reader, for as long as one likes: each opens or is refused in a sentence, within its memory.

    python -m benchmarks.fuzz [--reader NAME] [--seed N] [--seconds S] [--save FOLDER]

Prints one JSON line per failing seed, saves its input, and a line with the figures at the end; 1 when any failed.
"""

import argparse
import json
import time
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.damage import READERS, case
from benchmarks.footprint import peak_gb
from core.errors import EditorError

MEMORY_GB = 0.5
"""More than this on top of what the process had before is a failure: the sound files are of 13x9 pixels."""


def faults(name: str, seeds: Iterator[int]) -> Iterator[tuple[int, str]]:
    """The seeds whose file neither opens nor is refused in a sentence, and why."""
    before = peak_gb()
    for seed in seeds:
        data = case(name, seed)
        try:
            READERS[name].read(data)
        except EditorError as refusal:
            if "\n" in str(refusal) or not str(refusal).isprintable():
                yield seed, f"no plain sentence: {refusal!r}"
        except Exception as failure:  # noqa: BLE001 - what escapes is what is looked for
            yield seed, f"{type(failure).__name__}: {failure}"[:300]
        if peak_gb() > before + MEMORY_GB:
            yield seed, f"took {peak_gb() - before:.1f} GB"
            before = peak_gb()


def _seeds(first: int, end: float, most: int | None, tried: list[int]) -> Iterator[int]:
    """Seeds from `first` on until the time or the number is reached; those used are remembered in `tried`."""
    for seed in count(first) if most is None else range(first, first + most):
        if time.monotonic() > end:
            return
        tried.append(seed)
        yield seed


def main() -> int:
    """Run the readers that were named, each for its share of the seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reader", choices=[*READERS], action="append", help="which reader (default all)")
    parser.add_argument("--seed", type=int, default=0, help="first seed (default 0)")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long, in all (default 60)")
    parser.add_argument("--cases", type=int, help="at most so many seeds of each reader")
    parser.add_argument("--save", type=Path, default=Path(), help="where failing inputs are saved")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    names, figures, failed = args.reader or [*READERS], {}, 0
    for name in names:
        tried: list[int] = []
        seeds = _seeds(args.seed, time.monotonic() + args.seconds / len(names), args.cases, tried)
        for seed, why in faults(name, seeds):
            failed += 1
            saved = args.save / f"{name}-{seed}.bin"
            saved.write_bytes(case(name, seed))
            print(json.dumps({"reader": name, "seed": seed, "why": why, "saved": str(saved)}), flush=True)
        figures[name] = len(tried)
    print(json.dumps({"benchmark": "fuzz", "tried": figures, "failed": failed, "peak_gb": round(peak_gb(), 2)}))
    return min(failed, 1)


if __name__ == "__main__":
    raise SystemExit(main())
