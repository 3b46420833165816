"""What is published with the weights."""

from training_data import tiny

from core.training.data_card import data_card
from core.training.packed import PackedSet


def test_every_source_is_named_with_its_licence_and_count(packed: PackedSet) -> None:
    card = data_card(packed, tiny("lpq-rgb")).decode()
    assert card.startswith("Learned from these 12 pictures; 2 % of")
    rows = [line for line in card.splitlines() if line.startswith("|")][2:]
    assert rows == [
        "| attic | CC0 | 3 |",
        r"| lab\|x | research only | 1 |",
        "| room | MIT | 3 |",
        "| slide | MIT | 5 |",
    ]
