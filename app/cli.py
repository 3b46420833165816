"""The command line: one sub-command per module of app.commands.

Each module has `add_x(subparsers)`, which sets `run=run_x`, and `run_x(args) -> int`, which may raise EditorError.
Modules import what is heavy inside `run_x`, so that every command starts quickly.
"""

import argparse
import re
import sys
from typing import NoReturn

from app.commands.bench import add_bench
from app.commands.cloud import add_cloud
from app.commands.depth import add_depth
from app.commands.doctor import add_doctor
from app.commands.edit import add_edit
from app.commands.evaluate import add_evaluate
from app.commands.lras import add_lras
from app.commands.mask import add_mask
from app.commands.models import add_models
from app.commands.peel import add_peel
from app.commands.recover import add_recover
from app.commands.replay import add_replay
from app.commands.test import add_test
from app.commands.train import add_train
from app.commands.ui import add_ui
from core.errors import EditorError

COMMANDS = (
    add_ui, add_edit, add_mask, add_depth, add_cloud, add_peel, add_replay, add_recover, add_doctor, add_models,
    add_bench, add_evaluate, add_train, add_lras, add_test,
)  # fmt: skip


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def main(argv: list[str]) -> int:
    """Run one command, `ui` when none is named: 0 done, 2 bad input with one line on stderr."""
    args = build_parser().parse_args(with_joined_values(argv or ["ui"]))
    try:
        return args.run(args)
    except EditorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Exception as failure:  # every library says in its own way that memory was short; all else goes on
        from app.notices import is_out_of_memory, sentence_of

        if not is_out_of_memory(failure):
            raise
        print(f"error: {sentence_of(failure)}", file=sys.stderr)
        return 2


def with_joined_values(argv: list[str]) -> list[str]:
    """`--move -1,0,0` as `--move=-1,0,0`: argparse takes a value that begins with a minus for another option."""
    joined: list[str] = []
    for word in argv:
        follows_option = joined and joined[-1].startswith("--") and "=" not in joined[-1]
        if follows_option and re.match(r"-(\d|\.\d|inf|nan)", word, re.IGNORECASE):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    parser = empty_parser()
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(subparsers)
    return parser


def empty_parser() -> argparse.ArgumentParser:
    """The top of the command line; its type is the plain one, as sub-commands expect."""
    return OneLineParser(prog="launch.py", description="LRAS Studio, a 3D photo editor.")
