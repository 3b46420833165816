"""Project records of older versions, as this version would have written them."""

from typing import Any


def upgraded(record: Any, schema: int) -> Any:
    """The record of a project saved with that schema, in today's; what is no project is left to the reader to refuse.

    Up to 4 a photo had only EXIF.
    """
    photo = record.get("photo") if isinstance(record, dict) else None
    if schema > 4 or not isinstance(photo, dict) or "exif" not in photo:
        return record
    known = {name: value for name, value in photo.items() if name != "exif"}
    return record | {"photo": known | {"metadata": {"exif": photo["exif"]}}}
