import numpy as np
import pytest

from core.maths.colour import untinted


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_untinted_leaves_gray_alone_and_makes_the_rest_gray(dtype):
    top = np.iinfo(dtype).max
    pixels = np.array([[[9, 9, 9], [top, top, top], [top, 0, 0], [100, 101, 99]]], dtype)
    gray = untinted(pixels)
    assert gray.dtype == dtype
    assert gray[0].tolist() == [[9] * 3, [top] * 3, [round(0.2126 * top)] * 3, [101] * 3]
    assert untinted(gray) is gray
