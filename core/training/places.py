"""Places by chance: rooms, things on a table, streets and open land, each seen by a camera held by someone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from core.maths.raycast import BALL, BOX, CYLINDER, Light
from core.maths.rigid import axis_rotation
from core.training.solids import (
    Assembly,
    Look,
    Place,
    add_cabinet,
    add_car,
    add_chair,
    add_figure,
    add_lamp,
    add_plant,
    add_sofa,
    add_table,
    add_vessel,
)

Matrix = Float64[np.ndarray, "4 4"]
_NOON = 200.0
_NO_HAZE = 1e6
SHARES = (0.42, 0.28, 0.15, 0.15)


@dataclass(frozen=True, eq=False)
class Seen:
    """A place before a camera. `light` is in the camera's axes."""

    scene: Assembly
    camera_from_world: Matrix
    light: Light
    field_of_view_deg: float


def draw_place(random: np.random.Generator, textures: int, shares: tuple[float, float, float, float] = SHARES) -> Seen:
    """A room, a table, a street or open land, by their shares: mostly indoors, as depth matters most there."""
    scene = Assembly(random, textures)
    make = _PLACES[int(random.choice(len(_PLACES), p=shares))]
    return make(scene)


def _room(scene: Assembly) -> Seen:
    random = scene.random
    width, depth, height = random.uniform(2.5, 7), random.uniform(3, 9), random.uniform(2.3, 3.4)
    _add_shell(scene, width, depth, height)
    eye = np.array(
        [random.uniform(-0.35, 0.35) * width, -random.uniform(0.5, 1.8), random.uniform(-0.45, -0.1) * depth]
    )
    for _ in range(int(random.integers(3, 10))):
        scene.next_thing()
        _add_furniture(scene, *_along_a_wall(random, width, depth))
    for _ in range(int(random.integers(0, 4))):
        scene.next_thing()
        place = Place(random.uniform(-0.3, 0.3) * width, random.uniform(-0.2, 0.4) * depth, 0, random.uniform(0, 6.3))
        _add_furniture(scene, place, 1.2)
    _add_wall_things(scene, width, depth, height)
    turn = random.normal(0, 0.5) if random.random() < 0.8 else random.uniform(-np.pi, np.pi)
    return _looked_at(scene, eye, turn, random.normal(0.15, 0.2), _lamp_inside(random, width, depth, height))


def _table(scene: Assembly) -> Seen:
    random = scene.random
    width, depth, height = random.uniform(3, 6), random.uniform(3, 7), random.uniform(2.4, 3.2)
    _add_shell(scene, width, depth, height)
    for _ in range(int(random.integers(0, 6))):
        scene.next_thing()
        _add_furniture(scene, *_along_a_wall(random, width, depth))
    _add_wall_things(scene, width, depth, height)
    top = random.uniform(0.4, 0.95)
    size = random.uniform(0.8, 2.0), top, random.uniform(0.6, 1.2)
    scene.next_thing()
    if random.random() < 0.15:
        top = 0.0
    else:
        add_table(scene, Place(0, 0, 0, random.normal(0, 0.5)), size)
    for _ in range(int(random.integers(1, 14))):
        scene.next_thing()
        place = Place(
            random.uniform(-0.4, 0.4) * size[0], random.uniform(-0.4, 0.4) * size[2], -top, random.uniform(0, 6.3)
        )
        add_vessel(scene, place, float(np.exp(random.uniform(np.log(0.04), np.log(0.35)))))
    pitch, away = random.uniform(0.08, 1.1), random.uniform(0.35, 1.3)
    target = np.array([random.normal(0, 0.12), -top - 0.05, random.normal(0, 0.1)])
    turn = random.normal(0, 0.4)
    ahead = axis_rotation((0, 1, 0), turn) @ axis_rotation((1, 0, 0), -pitch) @ (0, 0, 1)
    return _looked_at(scene, target - away * ahead, turn, pitch, _lamp_inside(random, width, depth, height))


def _street(scene: Assembly) -> Seen:
    random = scene.random
    _add_ground(scene)
    half = random.uniform(4, 12)
    for side in (-1, 1):
        if random.random() < 0.8:
            _add_facades(scene, side, half)
    if random.random() < 0.4:
        scene.next_thing()
        far = random.uniform(25, 80)
        tall = random.uniform(3, 12)
        scene.add(BOX, (0, -tall, far), (random.uniform(5, 40), tall, 3), scene.look((0.03, 0.3)))
    for side in (-1, 1):
        if random.random() < 0.6:
            scene.next_thing()
            centre = (side * (half - 1.2), -0.07, 80.0)
            scene.add(BOX, centre, (1.3, 0.07, 100), scene.look((0.2, 1.0)))
    adders: list[Callable[[Place], None]] = [
        lambda place: add_car(scene, place),
        lambda place: add_figure(scene, place, random.uniform(1.3, 1.9)),
        lambda place: add_plant(scene, place, random.uniform(2, 8), random.uniform(0.15, 0.5)),
        lambda place: add_lamp(scene, place, random.uniform(2.5, 6)),
        lambda place: add_cabinet(scene, place, (1.0, random.uniform(0.6, 2.5), 0.6)),
    ]
    for _ in range(int(random.integers(3, 18))):
        scene.next_thing()
        z = float(np.exp(random.uniform(np.log(3), np.log(50))))
        place = Place(random.uniform(-1, 1) * half * 0.95, z, 0, random.normal(0, 0.15))
        adders[int(random.choice(5, p=(0.35, 0.25, 0.2, 0.1, 0.1)))](place)
    eye = np.array([random.normal(0, 1.5), -random.uniform(1.0, 2.3), 0.0])
    return _looked_at(scene, eye, random.normal(0, 0.35), random.normal(0.0, 0.12), _sun(random))


def _open_land(scene: Assembly) -> Seen:
    """One or a few things before ground, plants, hills and sky, as people take pictures of animals and each other."""
    random = scene.random
    _add_ground(scene)
    for _ in range(int(random.integers(0, 5))):
        scene.next_thing()
        far = random.uniform(40, 200)
        half = (far * random.uniform(0.3, 1.5), far * random.uniform(0.05, 0.25), far * 0.3)
        scene.add(BALL, (random.uniform(-1, 1) * far, 0, far), half, scene.look((0.01, 0.1)))
    for _ in range(int(random.integers(0, 14))):
        scene.next_thing()
        z = float(np.exp(random.uniform(np.log(3), np.log(50))))
        place = Place(random.uniform(-0.9, 0.9) * z, z, 0, random.uniform(0, 6.3))
        tall = random.uniform(0.3, 7)
        add_plant(scene, place, tall, random.uniform(0.02, 0.4))
    tall = random.uniform(0.5, 1.9)
    away = tall * random.uniform(0.9, 2.5)
    for number in range(int(random.integers(1, 4))):
        scene.next_thing()
        place = Place(
            random.normal(0, 0.15 + 0.4 * number) * tall, number * random.uniform(0, 2), 0, random.uniform(0, 6.3)
        )
        if random.random() < 0.75:
            add_figure(scene, place, tall)
        else:
            add_car(scene, place)
    up = random.uniform(0.3, 1.3) * tall
    pitch = float(np.arctan2(up - 0.5 * tall, away)) + random.normal(0, 0.08)
    return _looked_at(scene, np.array([random.normal(0, 0.2), -up, -away]), random.normal(0, 0.12), pitch, _sun(random))


_PLACES = (_room, _table, _street, _open_land)


def _add_shell(scene: Assembly, width: float, depth: float, height: float) -> None:
    """Floor, ceiling and walls; each wall is a slab, so that they may differ."""
    walls, thick = scene.look((0.1, 2.0), 0.75), 0.05
    floor, ceiling = scene.look((0.3, 2.0), 0.4), scene.look((0.1, 1.0), 0.95)
    scene.add(BOX, (0, thick, 0), (width / 2, thick, depth / 2), floor)
    scene.next_thing()
    scene.add(BOX, (0, -height - thick, 0), (width / 2, thick, depth / 2), ceiling)
    for side in (-1, 1):
        scene.next_thing()
        look = walls if scene.random.random() < 0.8 else scene.look((0.1, 2.0))
        scene.add(BOX, (side * (width / 2 + thick), -height / 2, 0), (thick, height / 2, depth / 2 + 0.2), look)
        scene.add(BOX, (0, -height / 2, side * (depth / 2 + thick)), (width / 2 + 0.2, height / 2, thick), look)


def _along_a_wall(random: np.random.Generator, width: float, depth: float) -> tuple[Place, float]:
    """A place whose back is to a wall, and how much room there is."""
    wall = int(random.integers(3))
    gap = random.uniform(0.3, 0.5)
    if wall == 0:
        return Place(random.uniform(-0.4, 0.4) * width, depth / 2 - gap, 0, random.normal(0, 0.05)), width / 2
    side = 1 if wall == 1 else -1
    place = Place(side * (width / 2 - gap), random.uniform(-0.3, 0.45) * depth, 0, side * np.pi / 2)
    return place, depth / 2


def _add_furniture(scene: Assembly, place: Place, room: float) -> None:
    random = scene.random
    kind = int(random.integers(8))
    if kind == 0:
        add_sofa(scene, place, min(random.uniform(0.8, 2.4), room))
    elif kind in (1, 2):
        add_cabinet(
            scene, place, (min(random.uniform(0.4, 2.2), room), random.uniform(0.4, 2.2), random.uniform(0.3, 0.6))
        )
    elif kind in (3, 4):
        size = random.uniform(0.5, 1.8), random.uniform(0.4, 0.95), random.uniform(0.4, 0.9)
        add_table(scene, place, size)
        for _ in range(int(random.integers(0, 6))):
            scene.next_thing()
            across, along = random.uniform(-0.45, 0.45, 2) * (size[0], size[2])
            x, _, z = place.at(across, 0, along)
            add_vessel(scene, Place(x, z, place.floor - size[1], random.uniform(0, 6.3)), random.uniform(0.06, 0.5))
    elif kind == 5:
        add_chair(scene, place)
    elif kind == 6:
        add_plant(scene, place, random.uniform(0.4, 1.9))
    elif random.random() < 0.5:
        add_lamp(scene, place, random.uniform(1.2, 1.8))
    else:
        add_figure(scene, place, random.uniform(1.0, 1.9))


def _add_wall_things(scene: Assembly, width: float, depth: float, height: float) -> None:
    """Pictures, windows, doors, carpets, lamps at the ceiling."""
    random = scene.random
    for _ in range(int(random.integers(1, 8))):
        scene.next_thing()
        half = random.uniform(0.15, 0.8), random.uniform(0.15, 0.7)
        up = random.uniform(0.35, 0.75) * height
        look = scene.look((0.3, 1.5))
        if random.random() < 0.3:
            look = Look(look.texture, 0.2, (1.6, 1.6, 1.6))
        wall = int(random.integers(3))
        if wall == 0:
            scene.add(BOX, (random.uniform(-0.4, 0.4) * width, -up, depth / 2), (*half, 0.02), look)
        else:
            side = 1 if wall == 1 else -1
            scene.add(BOX, (side * width / 2, -up, random.uniform(-0.3, 0.45) * depth), (0.02, half[1], half[0]), look)
    if random.random() < 0.4:
        scene.next_thing()
        flat = (random.uniform(0.5, 1.5), 0.006, random.uniform(0.5, 1.5))
        scene.add(BOX, (random.normal(0, 0.5), 0, random.normal(0.5, 0.7)), flat, scene.look())
    for _ in range(int(random.integers(0, 3))):
        scene.next_thing()
        centre = (random.uniform(-0.3, 0.3) * width, -height + 0.1, random.uniform(-0.2, 0.4) * depth)
        scene.add(CYLINDER if random.random() < 0.5 else BALL, centre, (0.2, 0.1, 0.2), Look(0, 0.1, (2.0, 2.0, 2.0)))


def _add_ground(scene: Assembly) -> None:
    scene.add(BOX, (0, 1.0, 0), (1500, 1.0, 1500), scene.look((0.05, 1.0)))


def _add_facades(scene: Assembly, side: int, half: float) -> None:
    """A row of houses with windows along the street."""
    random, z = scene.random, random_start(scene.random)
    while z < 90:
        scene.next_thing()
        long, tall, back = random.uniform(3, 14), random.uniform(3, 16), random.uniform(0, 1.5)
        look, glass = scene.look((0.05, 0.6)), scene.look((0.1, 1.0))
        x = side * (half + back + 4)
        scene.add(BOX, (x, -tall / 2, z + long / 2), (4, tall / 2, long / 2), look)
        rows, columns = max(1, int(tall / 3)), max(1, int(long / 2.5))
        if random.random() < 0.7 and rows * columns < 40:
            for row in range(rows):
                for column in range(columns):
                    centre = (x - side * 4, -(row + 0.55) / rows * tall, z + (column + 0.5) / columns * long)
                    scene.add(BOX, centre, (random.choice([0.04, 0.12]), 0.7, 0.5), glass)
        z += long + (random.uniform(1, 8) if random.random() < 0.2 else 0)


def random_start(random: np.random.Generator) -> float:
    """Where the first house begins: behind the camera, or some way ahead."""
    return float(random.uniform(-6, 4))


def _lamp_inside(random: np.random.Generator, width: float, depth: float, height: float) -> tuple[Light, bool]:
    x, z = random.uniform(-0.4, 0.4) * width, random.uniform(-0.4, 0.4) * depth
    share = random.uniform(0.2, 0.75)
    bright = random.uniform(0.6, 1.3)
    return Light((x, -height + 0.25, z), bright * share, bright * (1 - share), (0, 0, 0), _NO_HAZE), False


def _sun(random: np.random.Generator) -> tuple[Light, bool]:
    angle, up = random.uniform(0, 2 * np.pi), random.uniform(0.2, 1.3)
    x, y, z = _NOON * np.cos(up) * np.cos(angle), -_NOON * np.sin(up), _NOON * np.cos(up) * np.sin(angle)
    share = random.choice([0.0, 0.3, 0.6, 0.75])
    bright = random.uniform(0.7, 1.3)
    gray = random.uniform(150, 235)
    haze = (gray * random.uniform(0.85, 1), gray, gray * random.uniform(1, 1.08))
    distance = random.choice([60.0, 200.0, 1000.0, 5000.0])
    return Light((x, y, z), bright * share, bright * (1 - share), haze, distance), True


def _looked_at(scene: Assembly, eye: np.ndarray, turn: float, pitch: float, lit: tuple[Light, bool]) -> Seen:
    """Turned to the right by `turn`, looking down by `pitch` and rolled a little; nothing stands on the camera."""
    random, (light, is_outdoors) = scene.random, lit
    roll = random.normal(0, 0.04) if random.random() < 0.9 else random.normal(0, 0.3)
    rotation = axis_rotation((0, 1, 0), turn) @ axis_rotation((1, 0, 0), -pitch) @ axis_rotation((0, 0, 1), roll)
    camera_from_world = np.eye(4)
    camera_from_world[:3, :3] = rotation.T
    camera_from_world[:3, 3] = -rotation.T @ eye
    centres = np.stack(scene.world_from_local)
    half = np.linalg.norm(centres[:, :3, :3], axis=1)
    gap = np.linalg.norm(centres[:, :3, 3] - eye, axis=1) - half.max(1)
    shell = half.max(1) > 1.2
    scene.without((shell | (gap > 0.12)).tolist())
    x, y, z = camera_from_world[:3, :3] @ light.position + camera_from_world[:3, 3]
    moved = Light((x, y, z), light.strength, light.ambient, light.haze, light.haze_distance)
    fov = random.uniform(48, 85) if is_outdoors or random.random() < 0.8 else random.uniform(25, 48)
    return Seen(scene, camera_from_world, moved, float(fov))
