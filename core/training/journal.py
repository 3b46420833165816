"""A run's figures: one JSON line a record, and a picture of the curves."""

import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from core.errors import EditorError, InvalidInput
from core.files.atomic import write_atomically
from core.files.png import encode_png

LOG_NAME = "log.jsonl"
PLOT_NAME = "loss.png"
_WIDTH, _HEIGHT = 960, 540
_MARGIN = 60
_TRAINED, _HELD_OUT, _INK = (40, 90, 200), (220, 90, 30), (60, 60, 60)
_TICKS = 5
_SMOOTH_SHARE = 50


class Journal:
    """Appends to the log of a run. On resuming, lines after the step that is resumed are dropped."""

    def __init__(self, folder: Path, resumed_step: int = 0) -> None:
        self._folder = folder
        kept = [record for record in read_log(folder) if record["step"] <= resumed_step]
        write_atomically(folder / LOG_NAME, b"".join(_line(record) for record in kept))

    def write(self, record: dict[str, Any]) -> None:
        """Add one line; it is on its way to the disk when this returns. Raises EditorError."""
        try:
            with (self._folder / LOG_NAME).open("ab") as stream:
                stream.write(_line(record))
        except OSError as error:
            raise EditorError(f"{self._folder / LOG_NAME} could not be written ({error.strerror}).") from error

    def plot(self) -> None:
        """Draw the curves of loss; nothing when there are none yet."""
        records = read_log(self._folder)
        if sum("loss" in record for record in records) > 1:
            write_atomically(self._folder / PLOT_NAME, encode_png(plot(records)))


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The records of a run; a last line that was cut short is left out. Raises InvalidInput for other damage."""
    path = folder / LOG_NAME
    lines = path.read_bytes().split(b"\n") if path.is_file() else []
    records = []
    for number, line in enumerate(lines):
        if not line:
            continue
        try:
            records.append(json.loads(line))
        except ValueError as error:
            if number == len(lines) - 1:
                break
            raise InvalidInput(f"Line {number + 1} of {path} is damaged; remove it.") from error
    return records


def plot(records: list[dict[str, Any]]) -> UInt8[np.ndarray, "H W 3"]:
    """Loss over steps: every record in light blue, their running mean in blue, held-out loss in orange."""
    trained = _points(records, "loss")
    held_out = _points(records, "held_out_loss")
    values = np.concatenate([trained, held_out])
    steps = 0.0, max(float(values[:, 0].max()), 1.0)
    low, high = (float(value) for value in np.percentile(values[:, 1], (0, 99)))
    high = max(high, low + 1e-6)
    canvas = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)

    def place(points: np.ndarray) -> np.ndarray:
        x = _MARGIN + (points[:, 0] - steps[0]) / (steps[1] - steps[0]) * (_WIDTH - 2 * _MARGIN)
        y = _HEIGHT - _MARGIN - (points[:, 1] - low) / (high - low) * (_HEIGHT - 2 * _MARGIN)
        return np.rint(np.stack([x, y.clip(_MARGIN, _HEIGHT - 1)], axis=-1)).astype(np.int32)

    _axes(canvas, steps, (low, high))
    light = tuple(255 - (255 - value) // 3 for value in _TRAINED)
    cv2.polylines(canvas, [place(trained)], False, light, 1, cv2.LINE_AA)
    cv2.polylines(canvas, [place(_smoothed(trained))], False, _TRAINED, 2, cv2.LINE_AA)
    if len(held_out):
        cv2.polylines(canvas, [place(held_out)], False, _HELD_OUT, 2, cv2.LINE_AA)
    for index, (name, colour) in enumerate((("trained", _TRAINED), ("held out", _HELD_OUT))):
        cv2.putText(
            canvas, name, (_WIDTH - 200, 30 + 22 * index), cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, 1, cv2.LINE_AA
        )
    return canvas


def _axes(canvas: np.ndarray, steps: tuple[float, float], values: tuple[float, float]) -> None:
    right, bottom = _WIDTH - _MARGIN, _HEIGHT - _MARGIN
    cv2.rectangle(canvas, (_MARGIN, _MARGIN), (right, bottom), (210, 210, 210), 1)
    for tick in range(_TICKS + 1):
        share = tick / _TICKS
        x, y = (round(_MARGIN + share * (side - 2 * _MARGIN)) for side in (_WIDTH, _HEIGHT))
        step, value = (ends[0] + share * (ends[1] - ends[0]) for ends in (steps, values))
        for text, place in ((f"{step:.0f}", (x - 12, bottom + 20)), (f"{value:.3g}", (4, _HEIGHT - y + 4))):
            cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)


def _points(records: list[dict[str, Any]], name: str) -> np.ndarray:
    found = [(record["step"], record[name]) for record in records if math.isfinite(record.get(name, math.nan))]
    return np.array(found, np.float64).reshape(-1, 2)


def _smoothed(points: np.ndarray) -> np.ndarray:
    width = max(1, len(points) // _SMOOTH_SHARE)
    padded = np.pad(points[:, 1], (width - 1, 0), mode="edge")
    return np.stack([points[:, 0], np.convolve(padded, np.ones(width) / width, mode="valid")], axis=-1)


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"
