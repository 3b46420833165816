"""Sizes of pictures, (width, height) in pixels."""


def size_within(width: int, height: int, longest: int, least: int = 1) -> tuple[int, int]:
    """The same shape, no side longer than `longest`, none shorter than `least`; a smaller picture keeps its size."""
    factor = min(1.0, longest / max(width, height))
    return max(least, round(width * factor)), max(least, round(height * factor))


def window_at(origin: tuple[int, int], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of an array of `shape` (H, W, ...) whose top-left pixel is `origin` (x, y) of a picture."""
    x, y = origin
    return slice(y, y + shape[0]), slice(x, x + shape[1])
