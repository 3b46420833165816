"""What the studio's export menu hands out: every row of the table."""

import io
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from scenes import card_before_wall

from app.export import chosen_format, export
from app.services import Services
from app.session import Session
from core.errors import Cancelled, InvalidInput
from core.files.cameras import read_transforms
from core.files.formats import FORMATS
from core.files.photo import open_photo
from core.files.picture import Picture, encode_picture_tiff, picture_of
from core.files.project import load_project
from core.types.protocols import CancelToken


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    scene = card_before_wall()
    session = Session("key", Services())
    session.open_photo(encode_picture_tiff(picture_of(scene.photo)), "card.tif")
    session.lasso([(36, 24), (59, 24), (59, 47), (36, 47)], add=True)
    item = session.selected_object
    assert item is not None
    session.slide(item.id, 0.1, 0.0)
    yield session
    session.close()


@pytest.mark.parametrize("name", [item.name for item in FORMATS])
def test_every_format_of_the_table_is_handed_out(session: Session, name: str) -> None:
    wanted = next(item for item in FORMATS if item.name == name)
    file_name, content = export(session, wanted.kind, name)
    assert file_name == f"card-{wanted.word}.{'zip' if name == 'obj' else wanted.extension}"
    assert len(content) > 100
    if name == "obj":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert set(archive.namelist()) == {"card-mesh.obj", "card-mesh.mtl", "card-mesh-texture.png"}


def test_a_picture_in_the_photos_own_format_shows_the_edit(session: Session) -> None:
    name, content = export(session, "picture", "own")
    assert name == "card-edited.tif"
    assert np.array_equal(open_photo(content).pixels, session.full_frame().pixels)


def test_an_extension_names_the_usual_format_and_a_project_opens_again(session: Session) -> None:
    assert chosen_format("picture", "JPEG", session.project).name == "jpeg"
    assert chosen_format("cloud", "ply", session.project).name == "ply"
    assert load_project(export(session, "project", "lras")[1]) == session.project


def test_an_export_that_was_stopped_before_hands_out_nothing(session: Session) -> None:
    stopped = CancelToken()
    stopped.cancel()
    with pytest.raises(Cancelled):
        export(session, "picture", "png", stopped)


def test_what_there_is_not_is_refused(session: Session) -> None:
    with pytest.raises(InvalidInput, match="no export called"):
        export(session, "song", "mp3")
    with pytest.raises(InvalidInput, match="ply-ascii"):
        export(session, "cloud", "png")
    item = session.selected_object
    assert item is not None
    session.select(None)
    with pytest.raises(InvalidInput, match="select"):
        export(session, "mask", "png")
    session.select(item.id)
    with pytest.raises(InvalidInput, match="photo first"):
        export(Session("empty", Services()), "picture", "png")


def test_one_choice_of_axes_holds_for_all_that_lies_in_space(session: Session) -> None:
    wanted = (("cloud", "ply"), ("mesh", "glb"), ("camera", "transforms"))
    cloud, mesh, cameras = (export(session, *one, aligned="blender")[1] for one in wanted)
    assert b"comment axes z-up" in cloud[:100]
    assert b'"axes":"gltf' in mesh  # Blender itself turns it
    assert read_transforms(cameras).axes == "z-up"


def test_cameras_name_the_exports_and_fit_them(session: Session) -> None:
    photo = Image.fromarray(np.zeros((6, 8, 3), np.uint8))
    exif, stream = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    photo.save(stream, "JPEG", exif=exif)
    turned = Session("turned", session.services)
    turned.open_photo(stream.getvalue(), "phone.jpg")
    result, source = read_transforms(export(turned, "camera", "transforms")[1]).shots
    assert result.file_path == export(turned, "picture", "own")[0] == "phone-edited.jpg"
    assert (result.camera.intrinsics.width, result.camera.intrinsics.height) == (6, 8)
    assert source.file_path == "phone.jpg"
    assert (source.camera.intrinsics.width, source.camera.intrinsics.height) == (8, 6)
    turned.close()


def test_what_a_format_cannot_hold_is_said_before_anything_is_rendered(session: Session) -> None:
    wide = Session("wide", session.services)
    wide.open_photo(encode_picture_tiff(Picture(np.zeros((1, 16384, 3), np.uint8))), "wide.tif")
    with pytest.raises(InvalidInput, match="16384; choose PNG"):
        export(wide, "picture", "webp")
    assert not wide.exports.state.running
    wide.close()
