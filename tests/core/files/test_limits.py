"""Limits by cost: pixels, sides, and the memory that is free."""

import pytest

from core.errors import InvalidInput, NotEnoughMemory
from core.files.limits import PhotoLimits, check_size, room_for_picture, room_for_planes


@pytest.mark.parametrize(
    ("width", "height", "fault"),
    [
        (1, 100_000_000, "no side may have more"),
        (70_000, 1, "no side may have more"),
        (10_001, 10_000, "limit is 100"),
        (0, 5, "0x5"),
        (5, -1, "5x-1"),
    ],
)
def test_sizes_that_cost_too_much_are_refused(width: int, height: int, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        check_size(width, height, "a.png")


def test_the_largest_photo_and_a_panorama_pass() -> None:
    check_size(10_000, 10_000, "a.png")
    check_size(65_500, 1_500, "a.png")


def test_what_opening_takes_is_compared_with_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.memory.free_bytes", lambda: 1_700_000_000)
    picture_16 = room_for_picture(10_000, 10_000, 16, "a.png")
    refused_16 = r"a.png \(10000x10000, 16 bit\) needs about 2.4 GB of memory and 1.7 GB"
    with room_for_picture(10_000, 10_000, 8, "a.png"):
        pass
    with pytest.raises(NotEnoughMemory, match=refused_16), picture_16:
        pass
    with pytest.raises(NotEnoughMemory, match="500 channels"), room_for_planes(1000, 1000, 500, "a.exr"):
        pass
    monkeypatch.setattr("core.memory.free_bytes", lambda: 1_599_999_999)
    with pytest.raises(NotEnoughMemory, match="8 bit"), room_for_picture(10_000, 10_000, 8, "a.png"):
        pass


def test_a_limit_that_the_decoder_cannot_keep_is_refused() -> None:
    with pytest.raises(InvalidInput, match="178000000"):
        PhotoLimits(max_pixels=200_000_000)
