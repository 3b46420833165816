"""`lras`: checkpoints of the model: what is inside, in our own form, from their authors."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from app.arguments import add_overwrite

if TYPE_CHECKING:
    from core.files.weights import ReleasedFile
    from core.lras.weights import Summary

# The names of the command line and PyTorch's.
DTYPES = {"float32": "float32", "bf16": "bfloat16", "int8": "int8"}
# Released groups; the manifest is read only when something is downloaded.
GROUPS = ("7b", "1b", "quantizers")

_FLOAT32_BYTES = 4


def add_lras(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command with its own sub-commands."""
    parser = subparsers.add_parser("lras", help="look into, convert and download checkpoints of the LRAS model")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_inspect(actions)
    _add_convert(actions)
    _add_download(actions)
    _add_verify(actions)


def _add_inspect(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser("inspect", help="say what a checkpoint holds, without loading it")
    action.add_argument("file", metavar="FILE", type=Path, help="a released .pt file or a converted folder")
    action.add_argument("--json", action="store_true", help="print one JSON object")
    action.set_defaults(run=run_inspect)


def _add_convert(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser("convert", help="write a checkpoint as safetensors and JSON")
    action.add_argument("file", metavar="FILE", type=Path, help="a released .pt file or a converted folder")
    action.add_argument("-o", dest="out", metavar="DIR", type=Path, required=True, help="the folder to write")
    action.add_argument("--dtype", choices=tuple(DTYPES), help="default: as stored; int8 keeps embeddings in bf16")
    add_overwrite(action, "the checkpoint that the folder holds")
    action.set_defaults(run=run_convert)


def _add_download(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser("download", help="fetch released checkpoints, going on where an earlier try stopped")
    action.add_argument("group", choices=GROUPS, help="which network")
    action.add_argument("--mirror", metavar="URL", help="an address that holds the same files as the authors'")
    action.add_argument("--folder", metavar="DIR", type=Path, help="default: LRAS_WEIGHTS or your data folder")
    action.add_argument("--yes", action="store_true", help="do not ask")
    action.set_defaults(run=run_download)


def _add_verify(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser("verify", help="run recorded fixtures of the public implementation through our code")
    action.add_argument("folder", metavar="DIR", type=Path, help="the folder that holds the .pt fixtures")
    action.set_defaults(run=run_verify)


def run_inspect(args: argparse.Namespace) -> int:
    """Print the summary. Raises EditorError."""
    import json
    from dataclasses import asdict

    from core.lras.weights import inspect

    summary = inspect(args.file)
    if args.json:
        print(json.dumps({**asdict(summary), "config": summary.config.as_cfg()}))
    else:
        print(*_summary_lines(summary), sep="\n")
    return 0


def run_convert(args: argparse.Namespace) -> int:
    """Write the folder. Raises EditorError."""
    import torch

    from app.places import Place, check_places
    from core.errors import InvalidInput
    from core.lras.checkpoint import CONFIG_FILE, WEIGHTS_FILE
    from core.lras.saving import save_quantizer, save_transformer
    from core.lras.weights import inspect, load_quantizer, load_transformer

    if args.out.is_dir():
        written = [Place(args.out / name, args.out) for name in (WEIGHTS_FILE, CONFIG_FILE)]
        check_places(written, [args.file], args.overwrite)
    if inspect(args.file).kind == "quantizer":
        if args.dtype not in (None, "float32"):
            raise InvalidInput(f"{args.file} is a quantizer, whose codes need float32; leave out --dtype.")
        save_quantizer(load_quantizer(args.file), args.out)
    else:
        dtype = None if args.dtype is None else getattr(torch, DTYPES[args.dtype])
        save_transformer(load_transformer(args.file, dtype), args.out)
    print(*_summary_lines(inspect(args.out)), sep="\n")
    return 0


def run_download(args: argparse.Namespace) -> int:
    """Show what will be fetched and under which licence, ask, fetch. Raises EditorError."""
    from app.fetching import ask, shown
    from app.stopping import stoppable
    from core.files.download import address
    from core.files.weights import download, read_manifest, weights_folder

    manifest = read_manifest()
    files = manifest.in_group(args.group)
    base, folder = args.mirror or manifest.base, args.folder or weights_folder()
    for file in files:
        print(f"{file.name}: {file.title}", f"  from {address(base, file.path)}", f"  {_size_words(file)}", sep="\n")
    print(f"Licence: {manifest.licence}", f"Folder:  {folder}", sep="\n", flush=True)
    ask(args.yes)
    with stoppable() as cancel:
        for file in files:
            print(download(file, folder, base, shown(file.name), cancel), flush=True)
    return 0


def run_verify(args: argparse.Namespace) -> int:
    """One line a case; 1 when any differs. Raises EditorError."""
    from core.lras.verify import verify

    failed = count = 0
    for check in verify(args.folder):
        count += 1
        failed += not check.passed
        print(f"{'same' if check.passed else 'DIFFERS':8}{check.error:<12.3g}{check.name}", flush=True)
    print(f"{count - failed} of {count} cases are the same")
    return 1 if failed else 0


def _summary_lines(summary: "Summary") -> list[str]:
    from core.lras.config import TransformerConfig

    config = summary.config
    lines = [
        f"kind        {summary.kind} ({summary.layout})",
        f"parameters  {summary.parameters:,}",
        f"stored as   {', '.join(summary.dtypes)}, {summary.size_bytes / 1e6:,.1f} MB",
    ]
    if isinstance(config, TransformerConfig):
        spans = {name: span for name, span in config.as_cfg().items() if name.endswith("_range") and span}
        lines += [
            f"layers      {config.n_layer}, {config.n_head} heads, width {config.n_embd}",
            f"tables      {config.vocab_size} tokens, {config.block_size} positions",
            f"picture     {config.image_size}x{config.image_size} pixels, {config.n_patches} patches",
            f"ranges      {'from the file' if summary.ranges_from == 'cfg' else 'of the released layout of this size'}",
            *(f"  {name:24s}{start} to {stop - 1}" for name, (start, stop) in spans.items()),
        ]
    return lines


def _size_words(file: "ReleasedFile") -> str:
    if file.size is not None:
        return f"{file.size / 1e6:,.0f} MB"
    expected = file.parameters * _FLOAT32_BYTES / 1e6
    return f"size not published; {file.parameters:,} parameters, so {expected:,.0f} MB if stored as float32"
