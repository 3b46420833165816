"""Sizes of pictures, (width, height) in pixels."""


def size_within(width: int, height: int, longest: int, least: int = 1) -> tuple[int, int]:
    """The same shape, no side longer than `longest`, none shorter than `least`; a smaller picture keeps its size."""
    factor = min(1.0, longest / max(width, height))
    return max(least, round(width * factor)), max(least, round(height * factor))
