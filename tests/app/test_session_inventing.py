"""Inventing again in a session: strokes, kept parts, variations, and what is refused."""

from collections.abc import Iterator

import numpy as np
import pytest
from test_session_finding import PATIENCE, DrawnServices

from app.pictures import picture
from app.session import Session
from core.errors import InvalidInput
from core.files.png import encode_png

WIDTH, HEIGHT = 120, 80
CARD = np.s_[20:60, 30:90]


@pytest.fixture
def session() -> Iterator[Session]:
    """A card was taken out of a wall."""
    pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    pixels[CARD] = (200, 70, 50)
    opened = Session("one", DrawnServices())
    opened.open_photo(encode_png(pixels), "wall.png")
    opened.click(60, 40)
    opened.remove(opened.project.scene.objects[0].id)
    assert opened.wait_idle(PATIENCE)
    yield opened
    opened.close()


def test_a_stroke_is_one_step_with_the_next_seed(session: Session) -> None:
    steps = len(session.state.steps)
    session.reroll([(40, 40), (60, 40)], 6)
    session.reroll([(70, 40)], 6)
    assert len(session.state.steps) == steps + 2
    assert [roll.seed for roll in session.project.rerolls] == [1, 2]
    first = session.project.rerolls[0].region.coverage
    assert first[40, 50] == 255
    assert first[50, 50] == 0
    session.undo()
    assert len(session.project.rerolls) == 1


def test_keeping_a_part_is_the_stroke_the_other_way_round(session: Session) -> None:
    session.reroll([(40, 40), (60, 40)], 6, keep=True, seed=9)
    (roll,) = session.project.rerolls
    assert roll.seed == 9
    assert roll.region.coverage[40, 50] == 0
    assert roll.region.coverage[55, 80] == 255


def test_where_nothing_was_invented_nothing_is_done(session: Session) -> None:
    steps = session.state.steps
    with pytest.raises(InvalidInput, match="brush over a hatched part"):
        session.reroll([(5, 5)], 3)
    with pytest.raises(InvalidInput, match="leave something out"):
        session.reroll([(60, 40)], 100, keep=True)
    assert session.state.steps == steps


def test_a_seed_that_is_none_is_refused(session: Session) -> None:
    with pytest.raises(InvalidInput, match="A seed lies between"):
        session.variation(2**31)


def test_all_again_and_a_chosen_variation_set_the_seed_and_forget_regions(session: Session) -> None:
    session.reroll([(60, 40)], 6)
    session.reroll_all()
    assert session.project.settings.seed == 2
    assert session.project.rerolls == ()
    session.use_variation(5)
    assert session.state.seed == 5
    assert session.state.variation_seeds == (5, 6, 7, 8)


def test_a_variations_picture_is_the_one_that_is_taken(session: Session) -> None:
    frame = session.variation(3)
    assert session.variation(3) is frame
    session.use_variation(3)
    assert session.wait_idle(PATIENCE)
    assert session.frame is frame
    assert picture(session, "variation-3") == picture(session, "result")


def test_the_shown_variation_is_told_apart_from_regions_of_others(session: Session) -> None:
    before = session.frame
    session.reroll([(60, 40)], 6)
    assert session.wait_idle(PATIENCE)
    assert session.variation(0) is before
