"""Arguments that several commands share, and their types. A wrong value is named in one line by argparse.

Standard library only: every command reads this before it knows which one runs.
"""

import argparse
import math
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path

Numbers = tuple[float, ...]


class ShadowSearch(Enum):
    """--shadow without a file: the shadow is looked for, and none is a notice or a refusal."""

    WANTED = ""
    REQUIRED = "require"


# What the command line calls the selected object and its copy.
OBJECT, COPY = "object-1", "copy-1"


def numbers(count: int) -> Callable[[str], Numbers]:
    """A parser of exactly `count` finite numbers with commas between them."""

    def parse(text: str) -> Numbers:
        values = _floats(text)
        if len(values) != count:
            raise argparse.ArgumentTypeError(f"{text!r} has {len(values)} values and needs {count}, as 1,2,...")
        return values

    return parse


def point(text: str) -> tuple[float, float, bool]:
    """X,Y or X,Y,neg: a pixel, and whether it adds to the mask."""
    coordinates, comma, sign = text.rpartition(",")
    negative = bool(comma) and sign.strip().lower() == "neg"
    x, y = numbers(2)(coordinates if negative else text)
    return x, y, not negative


def seed(text: str) -> int:
    """A whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 0")
    return int(text)


def existing_file(text: str) -> Path:
    """A file that is there, so that a typing error is told before anything slow begins."""
    if not os.path.isfile(text):
        is_there = os.path.exists(text)
        raise argparse.ArgumentTypeError(f"{text!r} is no ordinary file" if is_there else f"there is no file {text!r}")
    return Path(text)


def shadow(text: str) -> Path | ShadowSearch:
    """A mask's file, or the word that says that a shadow has to be found."""
    return ShadowSearch.REQUIRED if text == ShadowSearch.REQUIRED.value else existing_file(text)


def add_photo_arguments(parser: argparse.ArgumentParser) -> None:
    """PHOTO, and the geometry that the user knows better."""
    parser.add_argument("photo", metavar="PHOTO", help="a picture file or sample:NAME (coffee, chelsea, ...)")
    parser.add_argument("--depth", metavar="FILE", type=existing_file, help="its depth: 16-bit PNG, EXR or NPY")
    parser.add_argument(
        "--depth-scale",
        metavar="N",
        type=numbers(1),
        help="file units per scene unit (a PNG says or has 1000, float files 1)",
    )
    parser.add_argument(
        "--depth-backend", metavar="NAME", help="estimate it by this one, even if the photo has its own"
    )
    parser.add_argument("--intrinsics", metavar="FX,FY,CX,CY", type=numbers(4), help="the photo's camera in its pixels")


def add_mask_label(parser: argparse.ArgumentParser) -> None:
    """Which object of a mask file is meant."""
    parser.add_argument(
        "--mask-label", metavar="N", type=seed, help="of a --mask that holds several labels, the object's"
    )


def add_mask_backend(parser: argparse.ArgumentParser) -> None:
    """What answers clicks and boxes."""
    parser.add_argument("--mask-backend", metavar="NAME", help="what makes the mask: a name of 'launch.py models'")


def add_painting_arguments(parser: argparse.ArgumentParser) -> None:
    """What paints the parts that no photo shows, and how."""
    parser.add_argument("--engine", choices=("auto", "warp", "lras-small", "lras"), help="what invents uncovered parts")
    parser.add_argument("--seed", metavar="N", type=seed, help="seed of anything random (default 0)")
    parser.add_argument(
        "--order",
        choices=("auto", "inwards", "scattered"),
        help="where an LRAS network paints first",
    )


def add_result_arguments(parser: argparse.ArgumentParser) -> None:
    """How the result is made and what is written of it."""
    add_painting_arguments(parser)
    parser.add_argument(
        "-o", dest="out", metavar="OUT", required=True,
        help="the result: a picture, .ora, .ply, .pcd, .xyz, .glb, .obj; a .jpg is coded at quality 95 ('edit' hands "
        "out the photo's own file when nothing of it was edited)",
    )  # fmt: skip
    parser.add_argument("--flow-out", metavar="F", help="motion of every photo pixel: .flo or .exr")
    parser.add_argument("--uncovered-out", metavar="F", help="mask PNG, white where pixels had to be invented")
    parser.add_argument(
        "--confidence-out", metavar="F", help="PNG, white is the photo, darker the less sure the engine"
    )
    parser.add_argument("--depth-out", metavar="F", help="depth of the result: .png (16 bit), .exr or .npy")
    parser.add_argument("--project-out", metavar="F", help="the whole edit as a .lras project")
    add_space_arguments(parser)
    add_overwrite(parser)
    add_private(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object about the result")


def add_space_arguments(parser: argparse.ArgumentParser) -> None:
    """Cameras beside what is written, and the axes of all that lies in space."""
    parser.add_argument(
        "--cameras-out",
        metavar="F.json",
        help="nerfstudio's transforms.json: the cameras of the picture that is written and of the photo that is read",
    )
    parser.add_argument(
        "--axes",
        choices=("opencv", "gltf", "blender"),
        help="of clouds, meshes and cameras alike: opencv (x right, y down, z forward), gltf (y up, z backward), "
        "blender (z up unless its importers turn it, so that all meet there); default: meshes gltf, others opencv",
    )


def add_overwrite(
    parser: argparse.ArgumentParser, what: str = "files that belong to an output, as an .obj's .mtl and texture"
) -> None:
    """What nobody named."""
    parser.add_argument("--overwrite", action="store_true", help=f"replace {what}")


def add_private(parser: argparse.ArgumentParser) -> None:
    """What is not to leave the house."""
    parser.add_argument(
        "--private",
        action="store_true",
        help="leave place, owner, serial numbers, ids, texts, thumbnails, maker notes and the names of the photo and "
        "its objects out of everything written; the kind of camera, its settings, the time and the colours stay",
    )


def _floats(text: str) -> Numbers:
    try:
        values = tuple(float(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be numbers with commas between them") from None
    if not all(math.isfinite(value) for value in values):
        raise argparse.ArgumentTypeError(f"{text!r} must be finite numbers")
    return values
