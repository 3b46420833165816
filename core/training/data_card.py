"""What a network was learned from, for the card that is published with its weights."""

from collections import Counter

from core.training.config import TrainConfig
from core.training.packed import PackedSet

DATA_NAME = "DATA.md"


def data_card(packed: PackedSet, config: TrainConfig) -> bytes:
    """Markdown: a table of every source of a pack with its licence and the number of its pictures."""
    counts: Counter[tuple[str, str]] = Counter()
    for clip in packed.clips:
        counts[clip.source, clip.licence] += len(clip)
    rows = [f"| {_cell(source)} | {_cell(licence)} | {count} |" for (source, licence), count in sorted(counts.items())]
    share = config.pictures.held_out_share
    lines = [
        f"Learned from these {len(packed)} pictures; {100 * share:g} % of the clips and photos only judged the run.",
        "",
        "| source | licence | pictures |",
        "|---|---|---|",
        *rows,
    ]
    return ("\n".join(lines) + "\n").encode()


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
