"""The work that every speed benchmark measures, and how its figures are told."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from app.machine import machine
from app.services import Services
from core.editing.apply import apply, new_project, slide_translation
from core.editing.orbit import Orbit, camera_from_orbit
from core.files.samples import open_sample
from core.types.edits import AddObject, PlaceObject, SetCamera
from core.types.mask import Mask
from core.types.photo import Photo
from core.types.project import Project
from core.types.scene import Placement

TWELVE_MEGAPIXELS = (4000, 3000)
CUP = "cup"


def size_of(megapixels: float) -> tuple[int, int]:
    """Width and height of a 4:3 picture."""
    unit = (megapixels * 1e6 / 12) ** 0.5
    return round(4 * unit), round(3 * unit)


def large_photo(size: tuple[int, int] = TWELVE_MEGAPIXELS) -> Photo:
    """The sample cup enlarged, with the fine noise that a sensor would add."""
    coffee, _, _ = open_sample("coffee")
    pixels = cv2.resize(coffee.pixels, size, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, 3, pixels.shape[:2])[..., None]
    pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return replace(coffee, name="cup.jpg", file_format="JPEG", pixels=pixels, srgb=pixels, id="")


def project_with_cup(photo: Photo, services: Services, size: float = 1.0) -> Project:
    """The photo with an ellipse cut out: at size 1 cup and saucer, nearly half of the picture; at 0.35 about 6 %."""
    project = new_project(photo, services.geometry(photo, None, None))
    coverage = np.zeros((photo.height, photo.width), np.uint8)
    centre = (round(0.465 * photo.width), round(0.52 * photo.height))
    axes = (round(0.33 * size * photo.width), round(0.46 * size * photo.height))
    cv2.ellipse(coverage, centre, axes, 0, 0, 360, 255, -1, cv2.LINE_AA)
    return apply(project, AddObject(CUP, Mask(coverage), "Cup"))


def slid(project: Project, right: float, away: float) -> Project:
    """The cup somewhere else on its table."""
    return apply(project, PlaceObject(CUP, Placement(slide_translation(project.scene, right, away))))


def orbited(project: Project) -> Project:
    """The camera five degrees to the right."""
    pose = camera_from_orbit(project, Orbit(yaw_deg=5.0))
    return apply(project, SetCamera(replace(project.scene.camera, camera_from_world=pose)))


def tell(name: str, figures: Mapping[str, Any]) -> None:
    """One JSON line: what was measured, on which machine, how busy it was."""
    rounded = {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}
    print(json.dumps({"benchmark": name, **rounded, "machine": machine()}), flush=True)
