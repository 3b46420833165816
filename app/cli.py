"""The command line: one sub-command per module of app.commands.

Each module has `add_x(subparsers)`, which sets `run=run_x`, and `run_x(args) -> int`, which may raise EditorError.
Modules import what is heavy inside `run_x`, so that every command starts quickly.
"""

import argparse
import sys
from typing import NoReturn

from app.commands.doctor import add_doctor
from app.commands.test import add_test
from core.errors import EditorError

COMMANDS = (add_doctor, add_test)


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def main(argv: list[str]) -> int:
    """Run one command, `ui` when none is named: 0 done, 2 bad input with one line on stderr."""
    args = build_parser().parse_args(argv or ["ui"])
    try:
        return args.run(args)
    except EditorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


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
