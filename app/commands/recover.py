"""`recover`: unsaved work, listed, written as a project, discarded."""

import argparse
from typing import TYPE_CHECKING, Any

from core.errors import InvalidInput

if TYPE_CHECKING:
    from app.unsaved import Unsaved, UnsavedWork

ALL = "all"


def add_recover(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command; without an option it lists."""
    parser = subparsers.add_parser(
        "recover",
        help="list unsaved work, after a crash too; write it as a project, discard it",
        description="What was edited in the studio and is kept until it is discarded, for 30 days and up to 5 GB, the "
        "oldest going first. The studio's own page lists it too and opens it with its history.",
    )
    parser.add_argument("--json", action="store_true", help="print a list of {id, name, steps, saved}")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--export", metavar="ID", help="write the shown step as a project to -o")
    action.add_argument("--discard", metavar="ID", help="remove it for good; 'all' removes all that is not open")
    parser.add_argument("-o", dest="out", metavar="FILE.lras", help="where --export writes")
    parser.set_defaults(run=run_recover)


def run_recover(args: argparse.Namespace) -> int:
    """List, export or discard. Raises InvalidInput for an entry that is not there, is open or cannot be read."""
    if (args.export is None) != (args.out is None):
        raise InvalidInput("--export ID and -o FILE.lras belong together; give both.")
    from app.former_autosaves import former_folder, take_over
    from app.unsaved import Unsaved, unsaved_folder

    unsaved = Unsaved(unsaved_folder())
    take_over(unsaved, former_folder())
    if args.export is not None:
        _export(unsaved, args.export, args.out)
    elif args.discard == ALL:
        unsaved.discard_all()
    elif args.discard is not None:
        unsaved.discard(args.discard)
    else:
        _list(unsaved, args.json)
    return 0


def _list(unsaved: "Unsaved", as_json: bool) -> None:
    import json

    works = unsaved.listed()
    if as_json:
        print(json.dumps([_row(work) for work in works]))
        return
    for work in works:
        steps = "1 step" if work.steps == 1 else f"{work.steps} steps"
        print(f"{work.id}  {_when(work, 'minutes')}  {steps:>9}  {work.name}{'  (open)' if work.held else ''}")
    print("'launch.py recover --export ID -o FILE.lras' writes one as a project." if works else "No unsaved work.")


def _export(unsaved: "Unsaved", entry_id: str, out: str) -> None:
    from app.outputs import Outputs, wanted
    from app.progress import Progress

    for path in Outputs(wanted(out, lambda _: unsaved.read(entry_id).project, "project")).write(Progress().tell):
        print(path)


def _row(work: "UnsavedWork") -> dict[str, Any]:
    return {"id": work.id, "name": work.name, "steps": work.steps, "saved": _when(work, "seconds")}


def _when(work: "UnsavedWork", precision: str) -> str:
    """The time here, with its difference from UTC."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(work.saved, UTC).astimezone().isoformat(timespec=precision)
