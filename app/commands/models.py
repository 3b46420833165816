"""`models`: depth and mask back-ends, what they cost, and fetching those of others."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.perception.registry import Entry


def add_models(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command; without an action it lists."""
    parser = subparsers.add_parser("models", help="list depth and mask back-ends with size and licence, fetch one")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run_models)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    action = actions.add_parser("get", help="fetch one, going on where an earlier try stopped")
    action.add_argument("name", metavar="NAME", help="as in the list")
    action.add_argument("--mirror", metavar="URL", help="an address that holds the same files as the authors'")
    action.add_argument("--folder", metavar="DIR", type=Path, help="default: LRAS_WEIGHTS or your data folder")
    action.add_argument("--yes", action="store_true", help="do not ask")
    action.set_defaults(run=run_get)


def run_models(args: argparse.Namespace) -> int:
    """Print what there is, and whether it is on this machine."""
    import json

    from core.perception.registry import depth_backends, segmentation_backends

    kinds: dict[str, dict[str, "Entry[Any]"]] = {"depth": {**depth_backends()}, "mask": {**segmentation_backends()}}
    rows = {kind: [_row(entry) for entry in entries.values()] for kind, entries in kinds.items()}
    if args.json:
        print(json.dumps(rows))
        return 0
    print(_line("name", "title", "fetch", "memory", "here", "licence"))
    for kind, found in rows.items():
        print(f"{kind} back-ends (--{kind}-backend NAME)")
        for row in found:
            sizes = (_amount(row[field]) for field in ("download_bytes", "memory_bytes"))
            print(
                _line(row["name"], row["title"], *sizes, "yes" if row["unavailable"] is None else "no", row["licence"])
            )
    print("'launch.py models get NAME' fetches one; it says where from and asks first.")
    return 0


def run_get(args: argparse.Namespace) -> int:
    """Show size, memory, licence and addresses, ask, fetch. Raises EditorError."""
    from app.fetching import ask, shown
    from app.stopping import stoppable
    from core.files.hub import addresses, find, get, hub_model
    from core.files.weights import weights_folder

    model = hub_model(args.name)
    present = find(model) if args.folder is None else None
    if present is not None:
        print(f"{model.title} is already here: {present}")
        return 0
    folder = args.folder or weights_folder()
    print(f"{model.title}: {model.cost}", *(f"  from {url}" for url in addresses(model, args.mirror)), sep="\n")
    print(f"Folder:  {folder / model.name}", flush=True)
    ask(args.yes)
    with stoppable() as cancel:
        print(get(model, folder, args.mirror, shown(model.name), cancel), flush=True)
    return 0


def _row(entry: "Entry[Any]") -> dict[str, Any]:
    from core.files.hub import hub_models

    model = next((model for model in hub_models() if model.name == entry.info.name), None)
    return {
        **vars(entry.info),
        "download_bytes": None if model is None else model.download_bytes,
        "memory_bytes": None if model is None else model.memory,
        "unavailable": entry.why_not(),
    }


def _amount(count: int | None) -> str:
    if count is None:
        return "-"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _line(*cells: str) -> str:
    return "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, (22, 35, 7, 7, 4, 0), strict=True))
