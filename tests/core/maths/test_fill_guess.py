"""Both guesses: known pixels kept, nothing of what is hidden told."""

import numpy as np
from scenes import textured_photo

from core.maths.fill_guess import guesses


def case() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture with a hole, and something beside it that may not be used."""
    picture = textured_photo(96, 80).srgb.copy()
    unknown, hidden = np.zeros((80, 96), bool), np.zeros((80, 96), bool)
    unknown[30:50, 40:60] = True
    hidden[20:60, 60:75] = True
    return picture, unknown, hidden


def test_usable_pixels_are_the_photos_and_the_rest_is_filled() -> None:
    picture, unknown, hidden = case()
    found = guesses(picture, unknown, ~hidden)
    usable = ~unknown & ~hidden
    for guess in (found.copied, found.smooth):
        np.testing.assert_array_equal(guess[usable], picture[usable])
    assert found.copied.dtype == np.uint8
    np.testing.assert_array_equal(found.copied[hidden], found.smooth[hidden])
    assert not np.array_equal(found.copied[unknown], found.smooth[unknown])


def test_what_is_hidden_does_not_matter() -> None:
    picture, unknown, hidden = case()
    other = picture.copy()
    other[hidden] = 255 - other[hidden]
    other[unknown] = 7
    for name in ("copied", "smooth"):
        a, b = (getattr(guesses(each, unknown, ~hidden), name) for each in (picture, other))
        np.testing.assert_array_equal(a, b)
