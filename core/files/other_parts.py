"""Words for what a file holds beside the picture that is opened, as they stand in a list."""

SECOND_PICTURE = "a second picture"
GAIN_MAP = "a gain map"
DEPTH = "depth"
CREDENTIALS = "content credentials of the unedited picture"
LIGHT_LEVELS = "light levels of its HDR"


def animation(frames: int) -> tuple[str, ...]:
    """Nothing for a picture of one frame."""
    return (f"an animation of {frames} frames",) if frames > 1 else ()
