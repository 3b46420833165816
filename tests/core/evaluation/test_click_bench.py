import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidInput
from core.evaluation.click_bench import click_report, run_click_bench
from core.types.mask import Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import BackendInfo, Embedding


class DiscAroundEachClick:
    """Marks a disc of 12 pixels around every positive click, less one around every negative click."""

    info = BackendInfo("disc", "Disc", "MIT")

    def prepare(self, photo: Photo) -> Embedding:
        return Embedding("disc", photo.id, (photo.height, photo.width), 0)

    def segment(self, embedding: Embedding, prompt: Prompt) -> list[Mask]:
        ys, xs = np.mgrid[: embedding.payload[0], : embedding.payload[1]]
        found = np.zeros(embedding.payload, bool)
        for click in prompt.clicks:
            found[np.hypot(xs - click.x, ys - click.y) <= 12] = click.positive
        return [Mask((found * 255).astype(np.uint8)), Mask(np.zeros(embedding.payload, np.uint8))]


@pytest.fixture
def folder(tmp_path):
    """One photo with two far squares as one object and a region to ignore."""
    ids = np.zeros((80, 120), np.uint8)
    ids[20:41, 20:41] = ids[40:61, 80:101] = 1
    ids[:, :4] = 255
    Image.fromarray(np.zeros((80, 120, 3), np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(ids).save(tmp_path / "m.png")
    (tmp_path / "index.csv").write_text("file,mask,source,kind\na.png,m.png,here,object\na.png,m.png,here,region\n")
    return tmp_path


def test_later_clicks_go_to_the_largest_error(folder):
    (row,) = run_click_bench([DiscAroundEachClick()], folder)
    assert row.object_id == 1
    assert len(row.overlaps) == 5
    assert row.overlaps[0] == pytest.approx(0.46, abs=0.05)
    assert row.overlaps[1] > 0.8
    assert row.best_of_first == row.overlaps[0]


def test_the_report_averages_per_source_and_overall(folder):
    rows = list(run_click_bench([DiscAroundEachClick()], folder))
    report = click_report(rows)
    assert [line["source"] for line in report] == ["here", "all"]
    assert report[0]["overlap@3"] == rows[0].overlaps[2]
    assert click_report([]) == []


def test_a_folder_without_an_index_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"index\.csv"):
        next(run_click_bench([DiscAroundEachClick()], tmp_path))


class Nothing(DiscAroundEachClick):
    """Never finds anything."""

    info = BackendInfo("nothing", "Nothing", "MIT")

    def segment(self, embedding: Embedding, prompt: Prompt) -> list[Mask]:
        return [Mask(np.zeros(embedding.payload, np.uint8))]


class SquareAroundEachClick(DiscAroundEachClick):
    """Marks 21 pixels each way around every positive click."""

    info = BackendInfo("square", "Square", "MIT")

    def segment(self, embedding: Embedding, prompt: Prompt) -> list[Mask]:
        found = np.zeros(embedding.payload, np.uint8)
        for x, y in ((int(click.x), int(click.y)) for click in prompt.clicks if click.positive):
            found[y - 10 : y + 11, x - 10 : x + 11] = 255
        return [Mask(found)]


def test_clicks_are_counted_up_to_the_wanted_overlap(folder):
    rows = list(run_click_bench([SquareAroundEachClick(), Nothing()], folder))
    square, nothing = rows
    assert square.overlaps == (0.5, 1.0, 1.0, 1.0, 1.0)
    assert square.clicks_to_85 == 2
    assert nothing.clicks_to_85 == 20
    assert nothing.overlaps == (0.0,) * 5
    assert [(line["source"], line["backend"]) for line in click_report(rows)] == [
        ("here", "square"), ("here", "nothing"), ("all", "square"), ("all", "nothing"),
    ]  # fmt: skip


def test_the_sheet_shows_object_and_masks(folder, tmp_path):
    sheet = tmp_path / "sheet.png"
    list(run_click_bench([DiscAroundEachClick(), Nothing()], folder, sheet=sheet))
    with Image.open(sheet) as picture:
        assert picture.size == (5 * 240, 160)


def test_a_sheet_of_nothing_is_refused(folder, tmp_path):
    with pytest.raises(InvalidInput, match="no picture"):
        list(run_click_bench([Nothing()], folder, smallest=0.9, sheet=tmp_path / "sheet.png"))
