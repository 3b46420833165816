"""`evaluate`: how true edited pictures are, on pairs whose second picture is known."""

import argparse

from app.commands.evaluate_edits import add_editbench, add_make_editbench, add_removal
from app.commands.evaluate_views import add_novel_view

# Each adds one sub-command, as the functions of app.cli.COMMANDS do.
KINDS = (add_novel_view, add_editbench, add_removal, add_make_editbench)


def add_evaluate(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command with its own sub-commands."""
    parser = subparsers.add_parser("evaluate", help="compare edited pictures with true ones")
    kinds = parser.add_subparsers(title="what to evaluate", metavar="KIND", required=True)
    for add in KINDS:
        add(kinds)
