"""`mask`: what a click or a box on a photo selects."""

import argparse

from app.arguments import add_mask_backend, numbers, point


def add_mask(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = subparsers.add_parser("mask", help="write the mask of an object, by points or a box")
    parser.add_argument("photo", metavar="PHOTO", help="a picture file or sample:NAME (coffee, chelsea, ...)")
    parser.add_argument(
        "--point", metavar="X,Y[,neg]", type=point, action="append", default=[], help="a pixel in it; with neg, not in"
    )
    parser.add_argument("--box", metavar="X0,Y0,X1,Y1", type=numbers(4), help="corners around the object")
    add_mask_backend(parser)
    parser.add_argument("-o", dest="out", metavar="OUT.png", required=True, help="8-bit PNG, white inside")
    parser.set_defaults(run=run_mask)


def run_mask(args: argparse.Namespace) -> int:
    """Write the best mask. Raises EditorError."""
    from app import selection
    from app.opening import open_source
    from app.outputs import Outputs, wanted
    from app.progress import Progress
    from app.services import Services
    from app.source_photo import source_photo
    from core.errors import InvalidInput
    from core.types.mask import Box, Click, Mask, Prompt

    if not args.point and args.box is None:
        raise InvalidInput("Nothing says which object is meant; add --point X,Y or --box X0,Y0,X1,Y1.")
    services = Services(mask_backend=args.mask_backend)
    services.check_backends()
    progress = Progress()
    box = None
    if args.box is not None:
        x0, y0, x1, y1 = args.box
        box = Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))

    def value(_kind: str) -> Mask:
        photo, _, _ = open_source(args.photo)
        progress.tell(*photo.notices)
        prompt = Prompt(tuple(Click(x, y, positive) for x, y, positive in args.point), box)
        return selection.pick(services, photo, prompt).mask

    Outputs(wanted(args.out, value, "mask"), [source_photo(args.photo).path]).write(progress.tell)
    return 0
