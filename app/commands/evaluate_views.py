"""`evaluate novel-view`: photos seen from where a second one was taken, as the LRAS paper judges them."""

import argparse
from pathlib import Path


def add_novel_view(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `evaluate novel-view`."""
    kind = kinds.add_parser(
        "novel-view", help="camera moves over real pairs (the paper's Tables 1 and 4): PSNR, SSIM, LPIPS"
    )
    kind.add_argument("folder", metavar="DIR", type=Path, help="the benchmark's folder, with its index")
    kind.add_argument(
        "--method", metavar="NAME", nargs="+",
        help="these only: 'unfilled', a classical fill of 'bench fill', or an engine (all that can run)",
    )  # fmt: skip
    kind.add_argument(
        "--side", metavar="PIXELS", type=int, nargs="*", default=[256], help="sides of the middle square (256)"
    )
    kind.add_argument("--full-size", action="store_true", help="whole photos at their own size too")
    kind.add_argument(
        "--own-depth", metavar="NAME", nargs="*",
        help="also with depth estimated by these back-ends (every installed one when none is named)",
    )  # fmt: skip
    kind.add_argument(
        "--lpips", metavar=("TRUNK", "HEADS"), type=Path, nargs=2,
        help="SqueezeNet 1.1's features and LPIPS's linear heads (v0.1): LPIPS too",
    )  # fmt: skip
    kind.add_argument("--limit", metavar="N", type=int, help="at most so many pairs")
    kind.add_argument("--json", action="store_true", help="print one JSON object")
    kind.add_argument("--sheet", metavar="FILE.png", type=Path, help="write a sheet of the pictures")
    kind.set_defaults(run=run_novel_view)


def run_novel_view(args: argparse.Namespace) -> int:
    """A table of means, a line for each size, depth and method. Raises EditorError."""
    from app.commands.bench import own_depths, print_rows
    from app.places import check_sheet
    from core.errors import InvalidInput
    from core.evaluation.novel_view import report, run
    from core.evaluation.rivals import rivals
    from core.nets.lpips import load_lpips

    check_sheet(args)
    sides = [*args.side, *([None] if args.full_size else [])]
    if not sides or min((side for side in sides if side is not None), default=32) < 32:
        raise InvalidInput("Give sides of at least 32 pixels with --side, or --full-size.")
    judge = load_lpips(*args.lpips) if args.lpips else None
    own = own_depths(args.own_depth)
    rows = run(args.folder, rivals(args.method or ()), sides, own, judge, args.limit, args.sheet)
    return print_rows(args, rows, report)
