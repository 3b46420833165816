"""What the flags of `edit` mean, as edits."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app import selection
from app.arguments import COPY, OBJECT, ShadowSearch
from app.services import Services
from core.editing.apply import scene_up, slide_translation
from core.editing.orbit import Orbit, camera_from_orbit
from core.editing.shadows import no_shadow_sentence, proposed_shadow
from core.errors import InvalidInput
from core.files.cameras import read_pose_text
from core.files.edits import files_named_in, read_edits
from core.files.flow import read_flow
from core.files.mask import read_mask
from core.maths.rigid import axis_rotation, quaternion_from_rotation, rotation_from_euler_deg
from core.types import edits
from core.types.camera import Pose
from core.types.flow import FlowField
from core.types.mask import Click, Mask, Prompt
from core.types.photo import Photo
from core.types.project import Project
from core.types.scene import Placement, Scene

_PLACING = ("move", "slide", "turn", "rotate", "scale")
_AROUND = ("orbit", "dolly", "truck")


def check_combination(args: argparse.Namespace) -> None:
    """Raises InvalidInput for flags that need or exclude others."""
    placing = [f"--{name}" for name in _PLACING if getattr(args, name) is not None]
    acting = placing + [f"--{name}" for name in ("remove", "duplicate") if getattr(args, name)]
    about = acting + ["--shadow"] * (args.shadow is not None)
    if about and args.select is None and args.mask is None:
        raise InvalidInput(f"{', '.join(about)} needs an object; add --select X,Y or --mask FILE.")
    if args.mask_label is not None and args.mask is None:
        raise InvalidInput("--mask-label belongs to a --mask FILE; give both.")
    if args.remove and len(acting) > 1:
        others = ", ".join(name for name in acting if name != "--remove")
        raise InvalidInput(f"--remove takes the object away, so {others} has nothing to act on; leave one of them out.")
    around = [f"--{name}" for name in _AROUND if getattr(args, name) is not None]
    if args.pose is not None and around:
        raise InvalidInput(f"--pose and {', '.join(around)} both place the camera; give only one of them.")


def named_files(args: argparse.Namespace) -> list[Path]:
    """The files that the file of --edits names. Raises BadProjectFile when that is no list of edits."""
    return [] if args.edits is None else files_named_in(args.edits)


@dataclass(frozen=True)
class GivenFiles:
    """What the files of --mask, --shadow, --pose, --edits and --flow hold."""

    mask: Mask | None
    shadow: Mask | None
    pose: Pose | None
    edits: tuple[edits.Edit, ...]


def read_files(args: argparse.Namespace, photo: Photo) -> GivenFiles:
    """Read all of them, for a wrong one is told before anything slow begins.

    Raises InvalidInput or BadProjectFile for the first that cannot be used with that photo.
    """
    width, height = photo.width, photo.height
    read = () if args.edits is None else read_edits(args.edits, width, height)
    return GivenFiles(
        mask=None if args.mask is None else read_mask(args.mask, width, height, label=args.mask_label),
        shadow=read_mask(args.shadow, width, height) if isinstance(args.shadow, Path) else None,
        pose=None if args.pose is None else read_pose_text(args.pose),
        edits=read if args.flow is None else (*read, _followed(args.flow)),
    )


def chosen_mask(args: argparse.Namespace, given: GivenFiles, photo: Photo, services: Services) -> Mask | None:
    """The mask of --select or --mask. Raises InvalidInput when it cannot be made."""
    if args.select is None:
        return given.mask
    return selection.pick(services, photo, Prompt(clicks=(Click(*args.select),))).mask


def cut_out(mask: Mask) -> edits.Edit:
    """The edit that makes an object of a mask."""
    return edits.AddObject(OBJECT, mask, "Object 1")


def shadow_edits(
    args: argparse.Namespace, given: GivenFiles, project: Project, tell: Callable[[str], None]
) -> list[edits.Edit]:
    """The shadow that goes with the object; `tell` hears when none was found.

    Raises InvalidInput when it is required and not found.
    """
    if args.shadow is None:
        return []
    if given.shadow is not None:
        return [edits.SetShadow(OBJECT, given.shadow)]
    found = proposed_shadow(project, OBJECT)
    if found is not None:
        return [edits.SetShadow(OBJECT, found)]
    none = no_shadow_sentence(project, OBJECT, "give its mask by --shadow FILE, or leave it in the background")
    if args.shadow is ShadowSearch.REQUIRED:
        raise InvalidInput(none)
    tell(none)
    return []


def object_edits(args: argparse.Namespace, project: Project) -> list[edits.Edit]:
    """What happens to the object that was cut out, or to its copy."""
    if args.remove:
        return [edits.HideObject(OBJECT)]
    target = placement(args, project.scene)
    if not args.duplicate:
        return [] if target.is_rest else [edits.PlaceObject(OBJECT, target)]
    if target.is_rest:
        # As in the studio: a copy in the very place of the original would not be seen.
        aside = 0.1 * float(np.linalg.norm(project.scene.object(OBJECT).pivot))
        target = Placement(slide_translation(project.scene, aside, 0.0))
    return [edits.DuplicateObject(OBJECT, COPY, target)]


def placement(args: argparse.Namespace, scene: Scene) -> Placement:
    """--move and --slide added up; --rotate, then --turn right-handed about the ground's up."""
    moved = np.array(args.move or (0.0, 0.0, 0.0))
    if args.slide is not None:
        moved = moved + slide_translation(scene, *args.slide)
    rotation = rotation_from_euler_deg(*(args.rotate or (0.0, 0.0, 0.0)))
    if args.turn is not None:
        rotation = axis_rotation(scene_up(scene), np.radians(args.turn[0])) @ rotation
    x, y, z = moved.tolist()
    scale = 1.0 if args.scale is None else args.scale[0]
    return Placement((x, y, z), quaternion_from_rotation(rotation), scale)


def camera_edits(args: argparse.Namespace, given: GivenFiles, project: Project) -> list[edits.Edit]:
    """Where the picture is taken from; the photo's own place by default."""
    if given.pose is not None:
        pose = given.pose
    elif any(getattr(args, name) is not None for name in _AROUND):
        yaw, pitch = args.orbit or (0.0, 0.0)
        dolly = 0.0 if args.dolly is None else args.dolly[0]
        pose = camera_from_orbit(project, Orbit(yaw, pitch, 0.0, dolly, args.truck or (0.0, 0.0)))
    else:
        return []
    return [edits.SetCamera(replace(project.scene.camera, camera_from_world=pose))]


def _followed(path: Path) -> edits.Edit:
    flow = read_flow(path)
    known = np.isfinite(flow[..., 0])
    return edits.SetFlow(FlowField(flow, known, np.zeros(known.shape, bool)))
