"""`train`: learn a network from folders of pictures, and pack pictures for it."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.nets.fill_student import FillStudent
    from core.training.packed import PackedSet

PRESETS = Path(__file__).resolve().parents[2] / "assets" / "configs"
PACK = "pack"
TASKS = {
    "lpq": "a quantizer of pictures or of flow",
    "lras-rgb": "a network that paints frame 1 from frame 0 and flow",
    "lras-flow": "a network that predicts flow from a picture and a camera motion",
    "depth": "a network that estimates depth from a photo",
    "click": "a network that finds what is clicked on",
    "fill": "a network that fills what an edit uncovered",
}
QUANTIZED = ("lras-rgb", "lras-flow")
JUDGED = ("lpq", "fill")
_PACKED_SIDE_PIXELS = 192
_SHARD_MB = 60.0


def add_train(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command with its own sub-commands."""
    parser = subparsers.add_parser("train", help="train the networks on your own pictures")
    kinds = parser.add_subparsers(title="what to train", metavar="KIND", required=True)
    for name, words in TASKS.items():
        kind = kinds.add_parser(name, help=words)
        _add_data(kind)
        kind.add_argument("--config", metavar="FILE", required=True, help=f"TOML, or one of {', '.join(presets())}")
        kind.add_argument("--resume", action="store_true", help="go on with the run in --out")
        kind.add_argument("--minutes", metavar="M", type=float, help="stop after so long; --resume goes on")
        kind.add_argument("--fit-minutes", metavar="M", type=float, help="take as many steps as fit into this time")
        kind.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
        if name in QUANTIZED:
            kind.add_argument("--rgb-quantizer", metavar="DIR", type=Path, required=True)
        if name == "lras-flow":
            kind.add_argument("--flow-quantizer", metavar="DIR", type=Path, required=True)
        if name in ("depth", "click"):
            kind.add_argument(
                "--begin-with",
                metavar="FILE",
                type=Path,
                help="a depth or click network: of the other kind its encoder is taken, of the same kind all",
            )
        if name == "lras-rgb":
            kind.add_argument(
                "--fill-network",
                metavar="FILE",
                type=Path,
                help="fills the holes of drafts; left out, that of the studio",
            )
        if name in JUDGED:
            kind.add_argument(
                "--lpips", metavar=("TRUNK", "HEADS"), type=Path, nargs=2,
                help="SqueezeNet 1.1's features and LPIPS's linear heads (v0.1), to learn by; never part of the result",
            )  # fmt: skip
        kind.set_defaults(run=run_train, task=name)
    packing = kinds.add_parser(PACK, help="write pictures and depth as compact files that --data takes")
    _add_data(packing)
    packing.add_argument("--shard-mb", metavar="MB", type=float, default=_SHARD_MB, help="size of one file")
    packing.add_argument("--quality", metavar="Q", type=int, help="of the JPEG pictures, 1 to 100")
    packing.add_argument("--for-depth", action="store_true", help="only pictures with depth, and that as it is")
    packing.add_argument("--for-clicks", action="store_true", help="only pictures with masks of objects")
    packing.set_defaults(run=run_pack)


def presets() -> list[str]:
    """Names of the configurations that come along."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def run_train(args: argparse.Namespace) -> int:
    """Train until done or stopped. Raises EditorError."""
    from app.places import check_folder, paths_in
    from app.stopping import stoppable
    from core.errors import InvalidInput
    from core.lras.weights import load_quantizer
    from core.nets.files import take_weights
    from core.nets.lpips import load_lpips
    from core.training.config import read_config
    from core.training.distributed import placed
    from core.training.loop import Limits, train
    from core.training.samples import Drawer
    from core.training.tasks import make_task

    check_folder(args.out, paths_in(args, "out", "data"))
    config = read_config(_config_path(args.config))
    if config.task != args.task:
        raise InvalidInput(f"{args.config} configures {config.task}; use `train {config.task}`.")
    for name in ("minutes", "fit_minutes"):
        if getattr(args, name) is not None and not getattr(args, name) > 0:
            raise InvalidInput(f"--{name.replace('_', '-')} must be above 0, got {getattr(args, name):g}.")
    with placed(args.device) as place, stoppable() as cancel:
        rgb = load_quantizer(args.rgb_quantizer) if args.task in QUANTIZED else None
        flow = load_quantizer(args.flow_quantizer) if args.task == "lras-flow" else None
        drawer = Drawer(_packed(args, place.is_first), config)
        judge = load_lpips(*args.lpips) if args.task in JUDGED and args.lpips else None
        fill = _fill_network(args.fill_network) if args.task == "lras-rgb" and config.pairs.draft_share else None
        task = make_task(config, drawer, place.device, rgb, flow, judge, fill)
        limits, given = Limits(args.minutes, args.fit_minutes), getattr(args, "begin_with", None)
        begin = None if given is None else partial(take_weights, given)
        progress = train(task, config, args.out, place, args.resume, limits, cancel, _say, begin)
    if place.is_first:
        _say(f"step {progress.step} of {progress.steps}, least held-out loss {progress.best:.4g}, in {args.out}")
    return 0


def _fill_network(path: Path | None) -> "FillStudent":
    from core.files.weights import embedded
    from core.nets.files import load_fill_student

    return load_fill_student(path or embedded("fill_student"))


def run_pack(args: argparse.Namespace) -> int:
    """Write the pack. Raises EditorError."""
    from app.places import check_folder

    check_folder(args.out, args.data)
    _pack(args, args.out)
    return 0


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", metavar="DIR", type=Path, nargs="+", required=True,
        help="folders with photos, images, clips, rgbd or masks in them, or of pictures; or one folder of packed files",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", type=Path, required=True)
    parser.add_argument(
        "--leave-out", metavar="WORD", nargs="+", default=[], help="use no data whose licence has such a word"
    )
    parser.add_argument(
        "--packed-side", metavar="PIXELS", type=int, default=_PACKED_SIDE_PIXELS, help="longest side of packed pictures"
    )


def _packed(args: argparse.Namespace, first: bool) -> "PackedSet":
    """The packed files of --data, else those made of it on the first start in --out."""
    from core.errors import InvalidInput
    from core.training.packed import PackedSet, shard_paths

    if len(args.data) == 1 and shard_paths(args.data[0]):
        if args.leave_out:
            raise InvalidInput("--leave-out works on folders of pictures; pack them again without what to leave out.")
        return PackedSet(args.data[0])
    folder = args.out / PACK
    if not shard_paths(folder):
        if not first:
            raise InvalidInput("Several processes cannot pack pictures; run `train pack` before and give its folder.")
        _pack(args, folder)
    return PackedSet(folder)


def _pack(args: argparse.Namespace, folder: Path) -> None:
    from core.errors import InvalidInput
    from core.training.packed import PackedSet
    from core.training.packing import JPEG_QUALITY, pack
    from core.training.sources import find_clips, with_depth, with_masks

    if not 16 <= args.packed_side <= 4096:
        raise InvalidInput(f"--packed-side must lie between 16 and 4096 pixels, got {args.packed_side}.")
    shard_bytes = int(1e6 * getattr(args, "shard_mb", _SHARD_MB))
    for_depth = args.for_depth if hasattr(args, "for_depth") else args.task == "depth"
    for_clicks = args.for_clicks if hasattr(args, "for_clicks") else args.task == "click"
    quality = getattr(args, "quality", None) or JPEG_QUALITY
    if not 1 <= quality <= 100:
        raise InvalidInput(f"--quality must lie between 1 and 100, got {quality}.")
    clips = find_clips(args.data, tuple(args.leave_out))
    clips = with_depth(clips) if for_depth else clips
    clips = with_masks(clips) if for_clicks else clips
    paths = pack(clips, folder, args.packed_side, shard_bytes, quality=quality, plain_depth=for_depth)
    packed = PackedSet(folder)
    total = sum(path.stat().st_size for path in paths) / 1e6
    _say(f"{len(packed)} pictures in {len(paths)} files, {total:.1f} MB in {folder}; by licence:")
    for licence, count in packed.licences.items():
        _say(f"{count:8d}  {licence}")


def _config_path(given: str) -> Path:
    return PRESETS / f"{given}.toml" if given in presets() else Path(given)


def _say(line: str) -> None:
    print(line, flush=True)
