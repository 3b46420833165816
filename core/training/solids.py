"""Things put together from boxes, balls and cylinders, in world axes: y points down and the ground is y = 0.

Lengths are in metres. A thing stands on `floor` (its y) around (x, z), turned by `yaw` about the upright axis.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

from core.maths.raycast import BALL, BOX, CYLINDER, Solids
from core.maths.rigid import axis_rotation

CALM_TEXTURES = 64
"""So many of an atlas's first layers are calm; what is large has them mostly."""

_UPRIGHT = (0.0, 1.0, 0.0)
_UP_TO_THE_FRONT = (1.0, 0.0, 0.0)


@dataclass(frozen=True)
class Look:
    """A layer of the atlas, how often it repeats a metre, its colour's factor and its highlight."""

    texture: int
    repeats: float
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gloss: float = 0.0


@dataclass(eq=False)
class Assembly:
    """Solids gathered in world axes; those of one thing share a number."""

    random: np.random.Generator
    textures: int
    kinds: list[int] = field(default_factory=list)
    world_from_local: list[Float64[np.ndarray, "4 4"]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    things: list[int] = field(default_factory=list)
    thing: int = 0

    def look(self, repeats: tuple[float, float] = (0.4, 3.0), calm_share: float = 0.55) -> Look:
        """A texture by chance, one of the calm ones with the chance `calm_share`."""
        random = self.random
        tint = tuple(float(value) for value in random.uniform(0.45, 1.25, 3) ** random.choice([0.2, 1.0]))
        gloss = float(random.choice([0.0, 0.0, 0.3, 0.7]))
        number = int(random.integers(self.textures if random.random() > calm_share else CALM_TEXTURES)) % self.textures
        return Look(number, float(np.exp(random.uniform(*np.log(repeats)))), (tint[0], tint[1], tint[2]), gloss)

    def next_thing(self) -> None:
        """What is added from here on is another thing."""
        self.thing += 1

    def add(
        self,
        kind: int,
        centre: tuple[float, float, float],
        half: tuple[float, float, float],
        look: Look,
        rotation: Float64[np.ndarray, "3 3"] | None = None,
    ) -> None:
        """One solid of half sizes `half`."""
        matrix = np.eye(4)
        matrix[:3, :3] = (np.eye(3) if rotation is None else rotation) * half
        matrix[:3, 3] = centre
        self.kinds.append(kind)
        self.world_from_local.append(matrix)
        self.looks.append(look)
        self.things.append(self.thing)

    def without(self, kept: Iterable[bool]) -> None:
        """Drop the solids that are not kept, in place."""
        chosen = [number for number, keep in enumerate(kept) if keep]
        for values in (self.kinds, self.world_from_local, self.looks, self.things):
            values[:] = [values[number] for number in chosen]  # type: ignore[index] - lists of one length

    def solids(self, camera_from_world: Float64[np.ndarray, "4 4"]) -> Solids:
        """As the camera sees them."""
        return Solids(
            np.array(self.kinds, np.int32),
            camera_from_world @ np.stack(self.world_from_local),
            np.array([look.texture for look in self.looks], np.int32),
            np.array([look.repeats for look in self.looks], np.float32),
            np.array([look.tint for look in self.looks], np.float32),
            np.array([look.gloss for look in self.looks], np.float32),
        )


@dataclass(frozen=True)
class Place:
    """Where a thing stands."""

    x: float
    z: float
    floor: float = 0.0
    yaw: float = 0.0

    @property
    def rotation(self) -> Float64[np.ndarray, "3 3"]:
        return axis_rotation(_UPRIGHT, self.yaw)

    def at(self, right: float, up: float, ahead: float) -> tuple[float, float, float]:
        """World coordinates of a point of the thing."""
        x, _, z = self.rotation @ (right, 0.0, ahead)
        return self.x + float(x), self.floor - up, self.z + float(z)


def add_table(scene: Assembly, place: Place, size: tuple[float, float, float]) -> None:
    """Width, height, depth; a top on four legs."""
    width, height, depth = size
    look, thick = scene.look(), float(scene.random.uniform(0.02, 0.06))
    leg = float(scene.random.uniform(0.02, 0.05))
    scene.add(BOX, place.at(0, height - thick / 2, 0), (width / 2, thick / 2, depth / 2), look, place.rotation)
    for right in (-1, 1):
        for ahead in (-1, 1):
            centre = place.at(right * (width / 2 - leg), (height - thick) / 2, ahead * (depth / 2 - leg))
            kind = BOX if leg < 0.035 else CYLINDER
            scene.add(kind, centre, (leg, (height - thick) / 2, leg), look, place.rotation)


def add_chair(scene: Assembly, place: Place) -> None:
    """A table as wide as a seat, with a back."""
    side, seat = scene.random.uniform(0.38, 0.5), scene.random.uniform(0.4, 0.5)
    add_table(scene, place, (side, seat, side))
    tall = scene.random.uniform(0.3, 0.55)
    centre = place.at(0, seat + tall / 2, side / 2 - 0.02)
    scene.add(BOX, centre, (side / 2, tall / 2, 0.02), scene.looks[-1], place.rotation)


def add_cabinet(scene: Assembly, place: Place, size: tuple[float, float, float]) -> None:
    """A box with doors or drawers that stand out a little, or an open shelf with things."""
    width, height, depth = size
    random, look = scene.random, scene.look()
    is_open = random.random() < 0.5
    back = 0.02 if is_open else depth / 2
    scene.add(
        BOX, place.at(0, height / 2, depth / 2 - back), (width / 2, height / 2, back), look, place.rotation
    )  # fmt: skip
    rows, columns = max(1, round(height / 0.4)), max(1, round(width / 0.5))
    if not is_open:
        front = scene.look()
        for row in range(rows):
            for column in range(columns):
                centre = place.at(
                    ((column + 0.5) / columns - 0.5) * width, (row + 0.5) / rows * height, -depth / 2 - 0.008
                )
                half = (width / columns / 2 - 0.01, height / rows / 2 - 0.01, 0.01)
                scene.add(BOX, centre, half, front, place.rotation)
        return
    for side in (-1, 1):
        centre = place.at(side * width / 2, height / 2, 0)
        scene.add(BOX, centre, (0.015, height / 2, depth / 2), look, place.rotation)
    for row in range(rows + 1):
        up = row / rows * height
        scene.add(BOX, place.at(0, up, 0), (width / 2, 0.012, depth / 2), look, place.rotation)
        if row < rows:
            _add_row(scene, place, up + 0.012, width, height / rows - 0.05, depth)


def _add_row(scene: Assembly, place: Place, up: float, width: float, room: float, depth: float) -> None:
    """Books or vessels on a shelf."""
    at, random = -width / 2 + 0.04, scene.random
    while at < width / 2 - 0.05 and random.random() < 0.93:
        half, tall = random.uniform(0.012, 0.06), room * random.uniform(0.4, 0.95)
        kind = BOX if random.random() < 0.8 else CYLINDER
        centre = place.at(at + half, up + tall / 2, random.uniform(-0.2, 0.1) * depth)
        scene.add(kind, centre, (half, tall / 2, 0.3 * depth if kind == BOX else half), scene.look(), place.rotation)
        at += 2 * half + random.choice([0.002, 0.05])


def add_sofa(scene: Assembly, place: Place, width: float) -> None:
    """Seat, back, arms and cushions; without a back it is a bed."""
    random, look = scene.random, scene.look()
    depth, seat = random.uniform(0.8, 1.1), random.uniform(0.35, 0.5)
    if random.random() < 0.35:
        depth = random.uniform(1.6, 2.1)
    scene.add(BOX, place.at(0, seat / 2, 0), (width / 2, seat / 2, depth / 2), look, place.rotation)
    tall = random.uniform(0.3, 0.5)
    back = place.at(0, seat + tall / 2, depth / 2 - 0.1)
    scene.add(BOX, back, (width / 2, tall / 2, 0.1), look, place.rotation)
    for side in (-1, 1):
        centre = place.at(side * (width / 2 - 0.08), seat + 0.1, 0)
        scene.add(
            CYLINDER, centre, (0.1, depth / 2, 0.1), look, place.rotation @ axis_rotation(_UP_TO_THE_FRONT, np.pi / 2)
        )
    for _ in range(int(random.integers(0, 4))):
        centre = place.at(random.uniform(-0.4, 0.4) * width, seat + 0.16, depth / 2 - 0.3)
        tilt = place.rotation @ axis_rotation(_UP_TO_THE_FRONT, random.uniform(0.1, 0.5))
        scene.add(BALL, centre, (0.24, 0.2, 0.09), scene.look(), tilt)


def add_lamp(scene: Assembly, place: Place, height: float) -> None:
    """A foot, a rod and a shade."""
    look = scene.look()
    foot, shade = 0.1 * height + 0.03, 0.12 * height + 0.04
    scene.add(CYLINDER, place.at(0, 0.015, 0), (foot, 0.015, foot), look)
    scene.add(CYLINDER, place.at(0, height / 2, 0), (0.012, height / 2, 0.012), look)
    kind = CYLINDER if scene.random.random() < 0.6 else BALL
    scene.add(kind, place.at(0, height, 0), (shade, 0.8 * shade, shade), scene.look())


def add_plant(scene: Assembly, place: Place, height: float, trunk: float = 0.3) -> None:
    """A pot or trunk and a clump of leaves: thin balls turned by chance, or a few thick ones."""
    random, look, leaf = scene.random, scene.look(), scene.look((1.0, 6.0))
    thick = 0.12 * height * random.uniform(0.3, 1.0)
    scene.add(CYLINDER, place.at(0, trunk * height / 2, 0), (thick, trunk * height / 2, thick), look)
    crown = (1 - trunk) * height / 2
    middle = trunk * height + crown
    count = int(random.integers(4, 40))
    size = crown * (1.1 if count < 10 else 0.5)
    for _ in range(count):
        right, up, ahead = random.normal(0, 0.45, 3).clip(-1, 1) * crown
        turn = axis_rotation(tuple(random.normal(size=3)), random.uniform(0, np.pi))
        half = size * random.uniform(0.4, 1.0, 3) * (1, 0.15 if count >= 10 else 1, 0.5)
        scene.add(BALL, place.at(right, middle + up, ahead), (half[0], half[1], half[2]), leaf, turn)


def add_figure(scene: Assembly, place: Place, height: float) -> None:
    """A standing person or, on four legs, an animal, in a few balls and cylinders."""
    random, skin, cloth, lower = scene.random, scene.look(), scene.look(), scene.look()
    if random.random() < 0.35:
        long, tall = 0.6 * height, 0.5 * height
        scene.add(BALL, place.at(0, tall, 0), (long, 0.28 * height, 0.25 * height), cloth, place.rotation)
        scene.add(
            BALL, place.at(long, 1.5 * tall, 0), (0.22 * height, 0.2 * height, 0.17 * height), cloth, place.rotation
        )
        for right in (-0.6, 0.6):
            for ahead in (-0.13, 0.13):
                leg = place.at(right * long, tall / 2, ahead * height)
                scene.add(CYLINDER, leg, (0.06 * height, tall / 2, 0.06 * height), cloth)
        return
    stride = random.uniform(0.03, 0.12) * height
    for side in (-1, 1):
        scene.add(
            CYLINDER, place.at(0.05 * side * height, 0.24 * height, side * stride / 2),
            (0.045 * height, 0.24 * height, 0.045 * height), lower,
        )  # fmt: skip
        arm = place.rotation @ axis_rotation((0.0, 0.0, 1.0), side * random.uniform(0.05, 0.6))
        scene.add(
            BALL, place.at(0.15 * side * height, 0.62 * height, 0),
            (0.04 * height, 0.2 * height, 0.04 * height), cloth, arm,
        )  # fmt: skip
    scene.add(BALL, place.at(0, 0.65 * height, 0), (0.13 * height, 0.22 * height, 0.08 * height), cloth, place.rotation)
    scene.add(BALL, place.at(0, 0.93 * height, 0), (0.05 * height, 0.07 * height, 0.06 * height), skin)


def add_car(scene: Assembly, place: Place) -> None:
    """A body, a cabin and wheels; a van now and then."""
    random, look, glass, wheel = scene.random, scene.look((0.1, 0.6)), scene.look(), scene.look()
    long, wide = random.uniform(1.8, 2.4), random.uniform(0.8, 0.95)
    tall = random.uniform(0.9, 2.0) if random.random() < 0.25 else random.uniform(0.4, 0.5)
    scene.add(BOX, place.at(0, 0.3 + tall / 2 + 0.1, 0), (wide, tall / 2 + 0.1, long), look, place.rotation)
    if tall < 0.6:
        top = place.at(0, 0.45 + tall + 0.2, random.uniform(-0.3, 0.3))
        scene.add(BOX, top, (0.85 * wide, 0.28, 0.55 * long), glass, place.rotation)
    axle = place.rotation @ axis_rotation((0.0, 0.0, 1.0), np.pi / 2)
    for side in (-1, 1):
        for ahead in (-0.62, 0.62):
            scene.add(CYLINDER, place.at(side * wide, 0.32, ahead * long), (0.32, 0.1, 0.32), wheel, axle)


def add_vessel(scene: Assembly, place: Place, height: float) -> None:
    """What stands on tables: cups, bottles, boxes, fruit, bowls, books that lie, toys."""
    random, look = scene.random, scene.look((2.0, 15.0))
    wide = height * random.uniform(0.25, 0.6)
    form = int(random.integers(6))
    if form == 0:
        scene.add(CYLINDER, place.at(0, height / 2, 0), (wide, height / 2, wide), look)
        handle = place.rotation @ axis_rotation(_UP_TO_THE_FRONT, np.pi / 2)
        scene.add(BALL, place.at(wide, height / 2, 0), (0.6 * wide, 0.12 * wide, 0.35 * height), look, handle)
    elif form == 1:
        neck = 0.35 * wide
        scene.add(CYLINDER, place.at(0, 0.35 * height, 0), (wide, 0.35 * height, wide), look)
        scene.add(BALL, place.at(0, 0.7 * height, 0), (wide, 0.15 * height, wide), look)
        scene.add(CYLINDER, place.at(0, 0.9 * height, 0), (neck, 0.12 * height, neck), scene.look((2.0, 15.0)))
    elif form == 2:
        scene.add(BOX, place.at(0, height / 2, 0), (wide, height / 2, 0.6 * wide), look, place.rotation)
    elif form == 3:
        for _ in range(int(random.integers(1, 6))):
            right, ahead = random.normal(0, 0.6 * height, 2)
            scene.add(BALL, place.at(right, 0.4 * height, ahead), (0.4 * height, 0.4 * height, 0.4 * height), look)
    elif form == 4:
        up = 0.0
        for _ in range(int(random.integers(1, 5))):
            thick = 0.12 * height
            turn = axis_rotation(_UPRIGHT, place.yaw + random.normal(0, 0.3))
            scene.add(BOX, place.at(0, up + thick, 0), (height, thick, 0.7 * height), scene.look((2.0, 8.0)), turn)
            up += 2 * thick
    else:
        add_figure(scene, place, height)
