"""What the page's script may ask for: one validated record per gesture, each carried out on a Session."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.ui import hand, pointing
from core.maths.retouch import Touch
from core.maths.rigid import quaternion_from_rotation, rotation_from_euler_deg
from core.types.project import EngineChoice, PaintOrder, Settings
from core.types.scene import Placement

if TYPE_CHECKING:
    from app.session import Session

Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Point = tuple[Number, Number]
Stroke = Annotated[list[Point], Field(min_length=1, max_length=5000)]
ObjectId = Annotated[str, Field(max_length=64)]


class Gesture(BaseModel):
    """Base of all gestures: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Click(Gesture):
    """Pixels of the shown picture; `refine` adds to the selection even where another object is shown."""

    type: Literal["click"]
    x: Number
    y: Number
    positive: bool = True
    refine: bool = False

    def run(self, session: "Session") -> None:
        pointing.click(session, self.x, self.y, self.positive, self.refine)


class Box(Gesture):
    type: Literal["box"]
    start: Point
    end: Point

    def run(self, session: "Session") -> None:
        pointing.require_photo_view(session)
        (ax, ay), (bx, by) = self.start, self.end
        session.box(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))


class Lasso(Gesture):
    type: Literal["lasso"]
    points: Stroke
    add: bool = True

    def run(self, session: "Session") -> None:
        pointing.require_photo_view(session)
        session.lasso(self.points, self.add)


class Brush(Gesture):
    """A stroke over the selected object's mask, or over its shadow, in photo pixels."""

    type: Literal["brush"]
    points: Stroke
    radius: Annotated[float, Field(gt=0, le=5000, allow_inf_nan=False)]
    add: bool = True
    shadow: bool = False

    def run(self, session: "Session") -> None:
        pointing.require_photo_view(session)
        paint = session.brush_shadow if self.shadow else session.brush
        paint(self.points, self.radius, self.add)


class Retouch(Gesture):
    """A stroke of the depth brush in photo pixels."""

    type: Literal["retouch"]
    points: Stroke
    radius: Annotated[float, Field(gt=0, le=5000, allow_inf_nan=False)]
    touch: Touch
    strength: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.5

    def run(self, session: "Session") -> None:
        pointing.require_photo_view(session)
        session.retouch_depth(self.points, self.radius, self.touch, self.strength)


class Reroll(Gesture):
    """A stroke in pixels of the shown picture: invent that part again, or with `keep` all but that part."""

    type: Literal["reroll"]
    points: Stroke
    radius: Annotated[float, Field(gt=0, le=5000, allow_inf_nan=False)]
    keep: bool = False
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None

    def run(self, session: "Session") -> None:
        session.reroll(self.points, self.radius, self.keep, self.seed)


class Variation(Gesture):
    type: Literal["variation"]
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)]

    def run(self, session: "Session") -> None:
        session.use_variation(self.seed)


class Distance(Gesture):
    """The true distance between two photo pixels."""

    type: Literal["distance"]
    start: Point
    end: Point
    metres: Annotated[float, Field(gt=0, le=1e5, allow_inf_nan=False)]

    def run(self, session: "Session") -> None:
        session.set_distance(self.start, self.end, self.metres)


class Take(Gesture):
    """Cut out one of the proposed objects."""

    type: Literal["take"]
    index: Annotated[int, Field(ge=0, le=1000)]

    def run(self, session: "Session") -> None:
        pointing.require_photo_view(session)
        session.take_proposal(self.index)


class Select(Gesture):
    type: Literal["select"]
    object: ObjectId | None

    def run(self, session: "Session") -> None:
        session.select(self.object)


class Place(Gesture):
    """Absolute target of one object; degrees about the camera's x, y and z axes."""

    type: Literal["place"]
    object: ObjectId
    translation: tuple[Number, Number, Number] = (0.0, 0.0, 0.0)
    rotation_deg: tuple[Number, Number, Number] = (0.0, 0.0, 0.0)
    scale: Number = 1.0

    def run(self, session: "Session") -> None:
        rotation = quaternion_from_rotation(rotation_from_euler_deg(*self.rotation_deg))
        session.place(self.object, Placement(self.translation, rotation, self.scale))


class Slide(Gesture):
    """Ground distances in scene units, from where the object stands."""

    type: Literal["slide"]
    object: ObjectId
    right: Number
    away: Number

    def run(self, session: "Session") -> None:
        session.slide(self.object, self.right, self.away)


class Drag(Gesture):
    """The end of a drag in the picture, from pixel to pixel; `ground` slides, `image` moves flat."""

    type: Literal["drag"]
    object: ObjectId
    start: Point
    now: Point
    plane: hand.Plane = "ground"

    def placement(self, session: "Session") -> Placement:
        return hand.dragged(session.project, self.object, self.start, self.now, self.plane)

    def run(self, session: "Session") -> None:
        session.place(self.object, self.placement(session))


class ObjectAction(Gesture):
    type: Literal["remove", "duplicate", "release"]
    object: ObjectId

    def run(self, session: "Session") -> None:
        getattr(session, self.type)(self.object)


class Hide(Gesture):
    type: Literal["hide"]
    object: ObjectId
    hidden: bool

    def run(self, session: "Session") -> None:
        session.hide(self.object, self.hidden)


class Rename(Gesture):
    type: Literal["rename"]
    object: ObjectId
    label: Annotated[str, Field(min_length=1, max_length=80)]

    def run(self, session: "Session") -> None:
        session.rename(self.object, self.label.strip() or self.label)


class Orbit(Gesture):
    """Absolute angles and distances of the camera from the photo's own view."""

    type: Literal["orbit"]
    yaw: Number
    pitch: Number
    dolly: Number = 0.0
    truck: Point = (0.0, 0.0)

    def run(self, session: "Session") -> None:
        session.orbit(self.yaw, self.pitch, self.dolly, self.truck)


class MoveLayout(Gesture):
    """The two lines of a layout guess, as shares of the photo's height."""

    type: Literal["layout"]
    horizon: Number
    ground_end: Number

    def run(self, session: "Session") -> None:
        session.set_layout(self.horizon, self.ground_end)


class Plain(Gesture):
    type: Literal[
        "undo", "redo", "home", "cancel", "next_candidate", "find_objects", "reroll_all", "check", "take_best"
    ]

    def run(self, session: "Session") -> None:
        getattr(session, self.type)()


class Goto(Gesture):
    type: Literal["goto"]
    index: Annotated[int, Field(ge=0, le=100_000)]

    def run(self, session: "Session") -> None:
        session.goto(self.index)


class Sample(Gesture):
    type: Literal["sample"]
    name: Annotated[str, Field(max_length=40)]

    def run(self, session: "Session") -> None:
        session.open_sample(self.name)


class Engine(Gesture):
    type: Literal["engine"]
    engine: EngineChoice
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    order: PaintOrder = "auto"

    def run(self, session: "Session") -> None:
        session.set_settings(Settings(self.engine, self.seed, self.order))


AnyGesture = Annotated[
    Click
    | Box
    | Lasso
    | Brush
    | Retouch
    | Reroll
    | Variation
    | Distance
    | Take
    | Select
    | Place
    | Slide
    | Drag
    | ObjectAction
    | Hide
    | Rename
    | Orbit
    | MoveLayout
    | Plain
    | Goto
    | Sample
    | Engine,
    Field(discriminator="type"),
]
