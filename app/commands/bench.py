"""`bench`: how good and how fast the parts are, as figures with date and machine."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.evaluation.warp_bench import Pair
    from core.perception.registry import Entry
    from core.types.protocols import SegmentationBackend

ROOT = Path(__file__).resolve().parents[2]
SPEED = ("start_up", "drag_latency", "live", "full_size", "estimates", "memory")


def add_bench(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command with its own sub-commands."""
    parser = subparsers.add_parser("bench", help="measure quality and speed")
    kinds = parser.add_subparsers(title="benchmarks", metavar="KIND", required=True)
    for name, words, run in (
        ("warp", "real pairs: the first photo moved to the second's camera", bench_warp),
        ("fill", "fills of holes whose content is known", bench_fill),
        ("click", "masks after simulated clicks on known objects, every installed back-end a row", bench_click),
        (
            "objects",
            "known objects among those proposed all at once, every installed mask back-end a row",
            bench_objects,
        ),
        ("depth", "estimated against measured depth, every installed back-end a row", bench_depth),
    ):
        kind = kinds.add_parser(name, help=words)
        kind.add_argument("folder", metavar="DIR", type=Path, help="the benchmark's folder, with its index")
        kind.add_argument("--limit", metavar="N", type=int, help="at most so many cases (of each kind or source)")
        kind.add_argument("--json", action="store_true", help="print one JSON object")
        if name != "objects":
            kind.add_argument("--sheet", metavar="FILE.png", type=Path, help="write a sheet of the pictures")
        if name in ("click", "objects", "depth"):
            kind.add_argument("--backend", metavar="NAME", nargs="+", help="these back-ends only")
        if name == "depth":
            kind.add_argument(
                "--flow", metavar=("NETWORK", "TOKENIZER", "FLOW_TOKENIZER"), type=Path, nargs=3,
                help="depth by the flow that a network trained here predicts, one row more",
            )  # fmt: skip
        if name == "warp":
            kind.add_argument(
                "--own-depth", metavar="NAME", nargs="*",
                help="also with depth estimated by these back-ends (every installed one when none is named)",
            )  # fmt: skip
        if name == "fill":
            kind.add_argument("--network", metavar="FILE", type=Path, help="weights of a fill network, one row more")
            kind.add_argument(
                "--lpips", metavar=("TRUNK", "HEADS"), type=Path, nargs=2,
                help="SqueezeNet 1.1's features and LPIPS's linear heads (v0.1): one column more",
            )  # fmt: skip
        kind.set_defaults(run=run)
    add_bench_lras(kinds)
    speed = kinds.add_parser(
        "speed", help="start-up, drags, live edits, full size, estimates, memory: one JSON line each"
    )
    speed.set_defaults(run=bench_speed)


def add_bench_lras(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `bench lras`."""
    kind = kinds.add_parser("lras", help="the network: prefill, every way of decoding, memory, the machine's floor")
    kind.add_argument(
        "network", nargs="?", default="small", help="small, 1b or 7b with random weights, or a checkpoint"
    )
    kind.add_argument(
        "--dtype", choices=("float32", "bf16", "int8"), default="bf16", help="int8: weights only, on bf16"
    )
    kind.add_argument("--device", default="cpu", help="cpu or cuda")
    kind.add_argument("--patches", metavar="N", type=int, help="decode only so many patches of the frame")
    kind.add_argument("--groups", metavar="K", type=int, nargs="+", default=[8, 32, 128], help="patches in one pass")
    kind.add_argument("--graphs", action="store_true", help="passes of fixed shapes, on a GPU captured as CUDA graphs")
    kind.add_argument("--seed", type=int, default=0)
    kind.add_argument("--json", action="store_true", help="print one JSON object")
    kind.set_defaults(run=bench_lras)


def bench_lras(args: argparse.Namespace) -> int:
    """Decode one frame in each mode. Raises EditorError."""
    import torch

    from app.machine import machine
    from core.evaluation import lras_bench
    from core.lras.weights import load_transformer

    dtype = torch.float32 if args.dtype == "float32" else torch.bfloat16
    if args.network in lras_bench.PRESETS:
        model = lras_bench.random_network(lras_bench.PRESETS[args.network], dtype, args.device, args.seed)
    else:
        model = load_transformer(Path(args.network), dtype, args.device)
    int8 = args.dtype == "int8"
    found = lras_bench.bench_network(model, args.seed, args.patches, args.groups, int8, args.graphs)
    asked = {name: getattr(args, name) for name in ("network", "dtype", "device", "graphs", "seed")}
    named = {**machine(), **asked}
    if args.json:
        print(json.dumps({"machine": named, **asdict(found)}))
    else:
        print(lras_bench.table(found), *(f"{name}: {value}" for name, value in named.items()), sep="\n")
    return 0


def bench_warp(args: argparse.Namespace) -> int:
    """PSNR and SSIM per pair. Raises EditorError."""
    from app.places import check_sheet
    from app.services import Services
    from core.evaluation import warp_bench

    check_sheet(args)
    own = own_depths(args.own_depth)
    rows = warp_bench.run_warp_bench(Services().engine("warp"), args.folder, args.limit, args.sheet, own)
    return print_rows(args, rows, warp_bench.report)


def own_depths(names: list[str] | None) -> "list[Callable[[Pair], Pair]]":
    """What gives a pair the depth of each back-end; an empty list names all that can run here, None no one.

    Raises BackendUnavailable.
    """
    from core.evaluation.own_depth import with_own_depth
    from core.perception.registry import depth_backends, make_depth_backend

    if names == []:
        names = [name for name, entry in depth_backends().items() if entry.why_not() is None]
    return [partial(with_own_depth, backend=make_depth_backend(name)) for name in names or ()]


def bench_fill(args: argparse.Namespace) -> int:
    """Fills compared; the network is a row where its weights come along or are given. Raises EditorError."""
    from app.places import check_sheet
    from core.evaluation import fill_bench
    from core.files.weights import embedded, embedded_missing
    from core.nets.lpips import load_lpips

    check_sheet(args, args.folder.parent / "masks")
    network = args.network
    if network is None and embedded_missing("fill_student") is None:
        network = embedded("fill_student")
    judge = load_lpips(*args.lpips) if args.lpips else None
    rows = fill_bench.run(args.folder, args.limit, args.sheet, network, judge)
    return print_rows(args, iter(rows), fill_bench.report)


def bench_click(args: argparse.Namespace) -> int:
    """Overlap after one, three and five clicks, and clicks to 0.85. Raises EditorError."""
    from app.places import check_sheet
    from core.evaluation.click_bench import click_report, run_click_bench

    check_sheet(args)
    limit = {} if args.limit is None else {"photos_per_source": args.limit}
    rows = run_click_bench(_mask_backends(args), args.folder, sheet=args.sheet, **limit)
    return print_rows(args, rows, lambda collected: _table(click_report(collected)))


def bench_objects(args: argparse.Namespace) -> int:
    """Shares of known objects that are proposed. Raises EditorError."""
    from core.evaluation.objects_bench import objects_report, run_objects_bench

    limit = {} if args.limit is None else {"photos_per_source": args.limit}
    rows = run_objects_bench(_mask_backends(args), args.folder, **limit)
    return print_rows(args, rows, lambda collected: _table(objects_report(collected)))


def bench_depth(args: argparse.Namespace) -> int:
    """Errors of depth per set. Raises EditorError."""
    from app.places import check_sheet
    from core.evaluation import depth_bench
    from core.perception.depth.lras import OWN_FLOW_DEPTH, SMALL_SETTINGS
    from core.perception.registry import depth_backends, flow_depth, make_depth_backend

    check_sheet(args)
    backends = [make_depth_backend(name) for name in _chosen(args, depth_backends())]
    if args.flow is not None:
        backends.append(flow_depth(tuple(args.flow), OWN_FLOW_DEPTH, SMALL_SETTINGS))
    rows = depth_bench.run_depth_bench(backends, args.folder, args.limit, args.sheet)
    return print_rows(args, rows, depth_bench.report)


def bench_speed(_args: argparse.Namespace) -> int:
    """Every speed benchmark in a process of its own, so that memory and start-up are its own too."""
    for name in SPEED:
        code = subprocess.call([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT)
        if code != 0:
            return code
    return 0


def print_rows(args: argparse.Namespace, rows: Iterator[Any], table: Callable[[list[Any]], str]) -> int:
    """Show the rows as a table or, with --json, as one object; the machine with either. Raises what `rows` raises."""
    from app.machine import machine

    collected = []
    for row in rows:
        collected.append(row)
        if sys.stderr.isatty():
            print(f"\r{len(collected)} done", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    if args.json:
        print(json.dumps({"machine": machine(), "rows": [asdict(row) for row in collected]}))
    else:
        print(table(collected), *(f"{name}: {value}" for name, value in machine().items()), sep="\n")
    return 0


def _mask_backends(args: argparse.Namespace) -> "list[SegmentationBackend]":
    from core.perception.registry import make_segmentation_backend, segmentation_backends

    return [make_segmentation_backend(name) for name in _chosen(args, segmentation_backends())]


def _chosen(args: argparse.Namespace, entries: "Mapping[str, Entry[Any]]") -> list[str]:
    """The back-ends that were asked for, else all that can run here."""
    return args.backend or [name for name, entry in entries.items() if entry.why_not() is None]


def _table(lines: list[dict[str, str | float]]) -> str:
    if not lines:
        return "no object was found"
    head = "".join(f"{name:>18}" for name in lines[0])
    cells = ("".join(f"{v:>18.3f}" if isinstance(v, float) else f"{v:>18}" for v in line.values()) for line in lines)
    return "\n".join([head, *cells])
