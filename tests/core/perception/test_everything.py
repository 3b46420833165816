"""Select everything, on drawn scenes whose objects are known."""

import cv2
import numpy as np
import pytest
from fakes import SameColour

from core.errors import Cancelled
from core.perception.everything import Proposal, find_objects
from core.types.mask import Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import CancelToken, Embedding

WIDTH, HEIGHT = 1280, 960
BOX, DISC, BALL = ((160, 240), (600, 800)), ((380, 520), 110), ((960, 380), 160)


def drawn() -> dict[str, np.ndarray]:
    """Masks of a box, a disc painted on it, and a ball elsewhere."""
    shapes = {name: np.zeros((HEIGHT, WIDTH), np.uint8) for name in ("box", "disc", "ball")}
    cv2.rectangle(shapes["box"], *BOX, 255, cv2.FILLED)
    cv2.circle(shapes["disc"], *DISC, 255, cv2.FILLED)
    cv2.circle(shapes["ball"], *BALL, 255, cv2.FILLED)
    return {name: shape > 0 for name, shape in shapes.items()}


def scene() -> Photo:
    pixels = np.full((HEIGHT, WIDTH, 3), (90, 100, 110), np.uint8)
    for colour, shape in zip(((200, 60, 40), (40, 60, 200), (230, 210, 60)), drawn().values(), strict=True):
        pixels[shape] = colour
    return Photo("scene", pixels, pixels)


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    return float((found & truth).sum() / (found | truth).sum())


def found_in(photo: Photo, **options) -> tuple[Proposal, ...]:
    return find_objects(SameColour(), photo, CancelToken(), **options)


def test_every_object_and_every_part_is_proposed_once_and_the_background_is_not() -> None:
    photo, told = scene(), []
    masks = [proposal.mask_for(photo).coverage >= 128 for proposal in found_in(photo, tell=told.append)]
    assert len(masks) == 3
    for name, truth in drawn().items():
        assert max(overlap(mask, truth) for mask in masks) > 0.87, name
    assert told[-1] == 1.0
    assert told == sorted(told)


def test_a_proposals_click_lies_on_it_and_its_rating_is_a_share() -> None:
    photo = scene()
    found = found_in(photo)
    for proposal in found:
        mask, click = proposal.mask_for(photo), proposal.click_on(photo)
        assert mask.coverage[round(click.y), round(click.x)] == 255
        assert mask.source == SameColour.info.title
    ratings = [proposal.rating for proposal in found]
    assert ratings == sorted(ratings, reverse=True)
    assert all(0 < rating <= 1 for rating in ratings)


class Whimsical(SameColour):
    """Cuts out another square on every click: no two answers agree."""

    def segment(self, embedding: Embedding, prompt: Prompt) -> list[Mask]:
        rows, columns = embedding.payload.shape[:2]
        column, row = (round(value) for value in (prompt.clicks[0].x, prompt.clicks[0].y))
        mask = np.zeros((rows, columns), np.uint8)
        mask[max(0, row - 60) : row + 60, max(0, column - 60) : column + 60] = 255
        return [Mask(mask, "whimsical", 0.5)]


def test_what_no_other_point_finds_is_not_proposed() -> None:
    assert find_objects(Whimsical(), scene(), CancelToken()) == ()


def test_a_plain_photo_has_no_objects() -> None:
    plain = np.full((60, 80, 3), 128, np.uint8)
    assert found_in(Photo("plain", plain, plain)) == ()


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3)])
def test_pictures_of_any_shape_are_looked_at(shape: tuple[int, int]) -> None:
    pixels = np.zeros((*shape, 3), np.uint8)
    assert found_in(Photo("thin", pixels, pixels)) == ()


def test_a_tiny_picture_is_asked_no_oftener_than_it_has_places() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (16, 17, 3), dtype=np.uint8)
    shares: list[float] = []
    found_in(Photo("tiny", pixels, pixels), tell=shares.append)
    assert len(shares) == 4


def test_looking_stops_when_it_is_told_to() -> None:
    cancel = CancelToken()
    asked = 0

    def tell(share: float) -> None:
        nonlocal asked
        asked += 1
        if share > 0.1:
            cancel.cancel()

    with pytest.raises(Cancelled):
        find_objects(SameColour(), scene(), cancel, tell)
    assert asked < 20
