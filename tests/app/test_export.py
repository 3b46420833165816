"""What the studio's export menu hands out: every row of the table."""

import io
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest
from scenes import card_before_wall

from app.export import chosen_format, export
from app.services import Services
from app.session import Session
from core.errors import Cancelled, InvalidInput
from core.files.formats import FORMATS
from core.files.photo import open_photo
from core.files.picture import encode_picture_tiff, picture_of
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
