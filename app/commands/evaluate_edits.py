"""`evaluate editbench`, `removal` and `make-editbench`: objects moved and taken out, against the true picture."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.types.protocols import Engine


def add_editbench(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `evaluate editbench`."""
    kind = kinds.add_parser("editbench", help="objects moved as in 3DEditBench: PSNR, SSIM, LPIPS, edit adherence")
    _add_common(kind)
    kind.set_defaults(run=run_editbench)


def add_removal(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `evaluate removal`."""
    kind = kinds.add_parser("removal", help="objects taken out of pictures of make-editbench")
    _add_common(kind)
    kind.set_defaults(run=run_removal)


def add_make_editbench(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `evaluate make-editbench`."""
    kind = kinds.add_parser(
        "make-editbench", help="render cases in the format of 3DEditBench, everything known exactly"
    )
    kind.add_argument("folder", metavar="DIR", type=Path, help="where to write case-000.hdf5, ...; made if missing")
    kind.add_argument("--count", metavar="N", type=int, default=20)
    kind.add_argument("--seed", metavar="S", type=int, default=0)
    kind.add_argument("--size", metavar="PIXELS", type=int, default=1024, help="of the square pictures")
    kind.add_argument("--no-shadows", action="store_true", help="lamps and suns that cast none")
    kind.set_defaults(run=run_make_editbench)


def _add_common(kind: argparse.ArgumentParser) -> None:
    kind.add_argument("folder", metavar="DIR", type=Path, help="a folder of .h5 or .hdf5 cases")
    kind.add_argument("--engine", metavar="NAME", nargs="+", help="these engines (every one that can run)")
    kind.add_argument("--depth-backend", metavar="NAME", help="what estimates depth (the studio's default)")
    kind.add_argument("--mask-backend", metavar="NAME", help="what answers clicks, and judges (the studio's default)")
    kind.add_argument(
        "--lpips", metavar=("TRUNK", "HEADS"), type=Path, nargs=2,
        help="SqueezeNet 1.1's features and LPIPS's linear heads (v0.1): LPIPS too",
    )  # fmt: skip
    kind.add_argument(
        "--side", metavar="PIXELS", type=int, default=256, help="longer side at which pictures are compared"
    )
    kind.add_argument("--limit", metavar="N", type=int, help="at most so many cases")
    kind.add_argument("--json", action="store_true", help="print one JSON object")
    kind.add_argument("--sheet", metavar="FILE.png", type=Path, help="write a sheet of the pictures")


def run_editbench(args: argparse.Namespace) -> int:
    """A table of means, a line for each engine with each depth and mask. Raises EditorError."""
    from app.commands.bench import print_rows
    from app.services import Services
    from core.evaluation.edit_bench import Judges, report, run_edit_bench
    from core.nets.lpips import load_lpips

    _check(args)
    services = Services(depth_backend=args.depth_backend, mask_backend=args.mask_backend)
    services.check_backends()
    masks = services.segmentation()
    judges = Judges(masks, load_lpips(*args.lpips) if args.lpips else None, args.side)
    engines = _engines(args)
    rows = run_edit_bench(args.folder, engines, services.depth(), masks, judges, args.limit, args.sheet)
    return print_rows(args, rows, report)


def run_removal(args: argparse.Namespace) -> int:
    """A table of means, a line for each engine with each depth and mask. Raises EditorError."""
    from app.commands.bench import print_rows
    from app.services import Services
    from core.evaluation.removal_bench import report, run_removal_bench
    from core.nets.lpips import load_lpips

    _check(args)
    services = Services(depth_backend=args.depth_backend, mask_backend=args.mask_backend)
    services.check_backends()
    judge = load_lpips(*args.lpips) if args.lpips else None
    backends = services.depth(), services.segmentation()
    rows = run_removal_bench(args.folder, _engines(args), *backends, judge, args.side, args.limit, args.sheet)
    return print_rows(args, rows, report)


def run_make_editbench(args: argparse.Namespace) -> int:
    """Write the cases, one after the other. Raises EditorError."""
    from core.errors import InvalidInput
    from core.evaluation.edit_scenes import edit_cases
    from core.files.editbench import write_case

    if args.folder.exists() and (not args.folder.is_dir() or any(args.folder.iterdir())):
        raise InvalidInput(f"{args.folder} exists and is not an empty folder; name another, or empty it.")
    for number, case in enumerate(edit_cases(args.seed, args.count, args.size, shadows=not args.no_shadows), 1):
        args.folder.mkdir(parents=True, exist_ok=True)
        write_case(args.folder / case.name, case)
        if sys.stderr.isatty():
            print(f"\r{number} of {args.count}", end="", file=sys.stderr, flush=True)
    print(f"{args.count} cases in {args.folder}")
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raises InvalidInput for numbers that mean nothing and for a sheet that cannot be written."""
    from app.places import check_sheet
    from core.errors import InvalidInput

    check_sheet(args)
    for name, least in (("side", 32), ("limit", 1)):
        value = getattr(args, name)
        if value is not None and value < least:
            raise InvalidInput(f"--{name} must be at least {least}, got {value}.")


def _engines(args: argparse.Namespace) -> "list[Engine]":
    """The engines asked for, else every one that can run here, each made once."""
    from core.engines.registry import available, make_engine

    names = args.engine or [info.name for info, why_not in available() if why_not is None]
    return [make_engine(name) for name in dict.fromkeys(names)]
