"""A small folder of training data of every kind, and runs on it."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from scenes import card_before_wall, textured_photo

from core.lras.quantizer import Quantizer
from core.training.config import TrainConfig, read_config
from core.training.distributed import Place
from core.training.packed import PackedSet
from core.training.packing import pack
from core.training.samples import Drawer
from core.training.sources import find_clips, with_masks
from core.training.tasks import Task, make_task

CONFIGS = Path(__file__).resolve().parents[1] / "assets" / "configs"
CPU = Place(torch.device("cpu"))


def write_data(folder: Path) -> Path:
    """Four photos (two with weak depth), a clip that shifts by two pixels a frame, and a posed RGB-D clip."""
    for name in ("photos", "weak_depth/data_photos", "clips/slide", "rgbd/room"):
        (folder / name).mkdir(parents=True)
    scene = card_before_wall()
    wide = textured_photo(160, 72).srgb
    for number in range(4):
        _write(folder / "photos" / f"{number}.jpg", np.roll(scene.photo.srgb, 11 * number, axis=1))
    inverse = np.where(scene.mask.coverage > 0, 220, 40).astype(np.uint8)
    for number in range(2):
        cv2.imwrite(str(folder / "weak_depth" / "data_photos" / f"{number}.png"), np.roll(inverse, 11 * number, axis=1))
    for number in range(5):
        _write(folder / "clips" / "slide" / f"{number:04}.jpg", wide[:, 2 * number : 2 * number + 96])
    depth = np.where(scene.mask.coverage > 0, 2000, 4000).astype(np.uint16)
    for number in range(3):
        _write(folder / "rgbd" / "room" / f"{number:04}.jpg", scene.photo.srgb)
        cv2.imwrite(str(folder / "rgbd" / "room" / f"{number:04}.png"), depth)
    (folder / "photos.csv").write_text(
        "file,source,licence\n0.jpg,attic,CC0\n1.jpg,attic,CC0\n2.jpg,lab|x,research only\n3.jpg,attic,CC0\n"
    )
    (folder / "clips.csv").write_text("clip,licence\nslide,MIT\n")
    (folder / "rgbd.csv").write_text("clip,fx,fy,cx,cy,licence\nroom,80,80,47.5,35.5,MIT\n")
    poses = []
    for number in range(3):
        matrix = np.eye(4)
        matrix[0, 3] = 0.1 * number
        poses.append(" ".join(f"{value:.6f}" for value in matrix.reshape(-1)))
    (folder / "rgbd" / "room" / "poses.txt").write_text("\n".join(poses) + "\n")
    return folder


def packed_data(folder: Path) -> PackedSet:
    """The same, packed at its own size."""
    pack(find_clips([write_data(folder / "data")]), folder / "pack", 96)
    return PackedSet(folder / "pack")


def tiny(name: str, **schedule: object) -> TrainConfig:
    """A tiny configuration, with another schedule where asked for."""
    config = read_config(CONFIGS / f"tiny-{name}.toml")
    return replace(config, schedule=replace(config.schedule, **schedule))


def random_quantizers() -> tuple[Quantizer, Quantizer]:
    """For RGB and flow, untrained, of the tiny configurations' sizes."""
    torch.manual_seed(0)
    shapes = (tiny("lpq-rgb").quantizer, tiny("lpq-flow").quantizer)
    rgb, flow = (Quantizer(shape.config()) for shape in shapes if shape is not None)
    return rgb, flow


def tiny_task(config: TrainConfig, packed: PackedSet) -> Task:
    return make_task(config, Drawer(packed, config), CPU.device, *random_quantizers())


def _write(path: Path, rgb: np.ndarray) -> None:
    cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])


def write_masks(folder: Path) -> Path:
    """Four photos of a red square (1) and a blue disc (2) whose last rows do not count, and one of two regions."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    y, x = np.mgrid[:72, :96]
    lines = ["file,mask,n_objects,width,height,source,kind,licence"]
    for number in range(5):
        picture = np.roll(textured_photo().srgb // 3 + 80, 7 * number, axis=0)
        ids = np.zeros((72, 96), np.uint8)
        ids[12 + 3 * number : 36 + 3 * number, 10:34] = 1
        ids[np.hypot(x - 68, y - 40 + 2 * number) < 13] = 2
        picture[ids == 1], picture[ids == 2] = (230, 30, 30), (30, 30, 230)
        ids[68:] = 255
        kind = "region" if number == 4 else "object"
        if kind == "region":
            ids = np.where(x < 48, 1, 2).astype(np.uint8)
        _write(folder / "images" / f"{number}.jpg", picture)
        cv2.imwrite(str(folder / "masks" / f"{number}.png"), ids)
        lines.append(f"images/{number}.jpg,masks/{number}.png,2,96,72,shelf,{kind},CC BY {number}")
    (folder / "index.csv").write_text("\n".join(lines) + "\n")
    return folder


def packed_masks(folder: Path) -> PackedSet:
    """The same, packed at its own size."""
    pack(with_masks(find_clips([write_masks(folder / "data")])), folder / "pack", 96)
    return PackedSet(folder / "pack")
