"""Photos and projects without what says where, by whom and with which very device the photo was taken."""

from dataclasses import replace
from pathlib import PurePath

from core.files.exif import harmless_exif
from core.files.icc import only_colours
from core.types.metadata import Metadata
from core.types.photo import Photo
from core.types.project import Project

_FILE = "file "


def private_photo(photo: Photo) -> Photo:
    """The photo without its private data; it counts as the same photo.

    Left are its pixels, what their colours mean, its resolution and the EXIF of a list of harmless tags (kind of
    camera, settings, time). All XMP, IPTC, texts and comments go, and so do thumbnails, maker notes and its name.
    """
    kept = Metadata(exif=harmless_exif(photo.metadata.exif), resolution=photo.metadata.resolution)
    icc_profile = None if photo.icc_profile is None else only_colours(photo.icc_profile)
    suffix = PurePath(photo.name).suffix
    name = "photo" + (suffix if suffix[1:].isalnum() and len(suffix) <= 5 else "")
    return replace(photo, name=name, metadata=kept, icc_profile=icc_profile, notices=())


def private_project(project: Project) -> Project:
    """The project of the private photo, its objects numbered: a name may be a person's.

    The names of files that depth and masks were read from go too.
    """
    depth, scene = project.depth, project.scene
    objects = tuple(
        replace(
            item,
            label=f"Object {number}",
            mask=replace(item.mask, source=_nameless(item.mask.source)),
            shadow=None if item.shadow is None else replace(item.shadow, source=_nameless(item.shadow.source)),
        )
        for number, item in enumerate(scene.objects, 1)
    )
    return replace(
        project,
        photo=private_photo(project.photo),
        depth=replace(depth, source=_nameless(depth.source)),
        scene=replace(scene, objects=objects),
    )


def _nameless(source: str) -> str:
    return "a file" if source.startswith(_FILE) else source
