"""Transform: every number of the selected object, the form twin of dragging it.

Ids: `move-right`, `move-up`, `move-away`, `move-x`, `move-y`, `move-z`, `turn-x`, `turn-y`, `turn-z`, `size`,
`reset-transform`, `shadow-take`, `shadow-leave`, `shadow-paint` (while ticked, brush and eraser paint the shadow).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from app.state import ObjectState, SessionState
from app.ui.gestures import Place
from app.ui.panel import Panel, PanelTools, button, heading, number, plain, same
from app.ui.text import say
from core.errors import InvalidInput
from core.types.scene import Placement

if TYPE_CHECKING:
    from app.session import Session

Shown = Callable[[ObjectState], tuple[float, ...]]
_PAINT = (
    f'<label class="check" title="{say("shadow.paint_help")}"><input type="checkbox" id="shadow-paint" '
    f'data-testid="shadow-paint">{say("shadow.paint")}</label>'
)
Put = Callable[["Session", ObjectState, list[float]], None]


def build(tools: PanelTools) -> Panel:
    """The panel's components and what keeps them up to date."""
    with gr.Accordion(say("transform.title"), open=True, elem_id="panel-transform"):
        heading(say("transform.none"), "transform-none")
        with gr.Column(elem_id="transform-fields"):
            ground_words = heading(say("transform.ground"), "ground-words")
            ground = _row({"right": "move-right", "up": "move-up", "away": "move-away"})
            free_words = heading(say("transform.free"), "free-words")
            free = _row({"x": "move-x", "y": "move-y", "z": "move-z"})
            heading(say("transform.rotation"), "turn-words")
            turn = _row({"rx": "turn-x", "ry": "turn-y", "rz": "turn-z"})
            with gr.Row(elem_classes=["tight"]):
                size = number(say("transform.scale"), "size")
                reset = button(say("transform.reset"), "reset-transform")
            heading(say("shadow.title"), "shadow-words")
            with gr.Row(elem_classes=["tight"]):
                take = button(say("shadow.take"), "shadow-take")
                leave = button(say("shadow.leave"), "shadow-leave")
                plain(_PAINT, elem_id="shadow-brush")
    _bind(tools, ground, lambda item: item.ground, _put_on_ground)
    _bind(tools, free, lambda item: item.translation, _put)
    _bind(tools, turn, lambda item: item.rotation_deg, _turn)
    _bind(tools, [size], lambda item: (item.scale,), _resize)
    tools.on([reset.click], lambda session: session.place(_selected(session).id, Placement()))
    tools.on([take.click], lambda session: session.take_shadow(_selected(session).id), words=say("status.shadow"))
    tools.on([leave.click], lambda session: session.leave_shadow(_selected(session).id))
    numbers = [*ground, *free, *turn, size]

    def updates(state: SessionState) -> list[Any]:
        item = next((o for o in state.objects if o.selected), None)
        units = [
            f"{say('transform.ground')} ({state.unit})",
            f"{say('transform.free')} ({state.unit})",
        ]
        if item is None:
            return [*units, *([gr.skip()] * len(numbers))]
        values = (*item.ground, *item.translation, *item.rotation_deg, item.scale)
        # Adding 0 turns -0.0 into 0.0.
        return [*units, *(round(v, 3) + 0.0 for v in values)]

    return Panel([ground_words, free_words, *numbers], updates)


def _row(fields: dict[str, str]) -> list[gr.Number]:
    """Fields side by side, from the words for them to their ids."""
    with gr.Row(elem_classes=["tight"]):
        return [number(say(f"transform.{name}"), elem_id) for name, elem_id in fields.items()]


def _bind(tools: PanelTools, fields: list[gr.Number], shown: Shown, put: Put) -> None:
    def act(session: "Session", *given: float | None) -> None:
        item = _selected(session)
        now = shown(item)
        values = [n if v is None else float(v) for n, v in zip(now, given, strict=True)]
        # Leaving a field without a change is no edit; exact values keep their unseen digits.
        exact = [n if same(n, v) else v for n, v in zip(now, values, strict=True)]
        if exact != list(now):
            put(session, item, exact)

    tools.on([event for field in fields for event in (field.submit, field.blur)], act, list(fields))


def _selected(session: "Session") -> ObjectState:
    for item in session.state.objects:
        if item.selected:
            return item
    raise InvalidInput("Select an object first; then its numbers can be changed.")


def _put_on_ground(session: "Session", item: ObjectState, values: list[float]) -> None:
    session.place_on_ground(item.id, values[0], values[1], values[2])


def _put(session: "Session", item: ObjectState, values: list[float]) -> None:
    _place(session, replace(item, translation=(values[0], values[1], values[2])))


def _turn(session: "Session", item: ObjectState, values: list[float]) -> None:
    _place(session, replace(item, rotation_deg=(values[0], values[1], values[2])))


def _resize(session: "Session", item: ObjectState, values: list[float]) -> None:
    _place(session, replace(item, scale=values[0]))


def _place(session: "Session", item: ObjectState) -> None:
    Place(
        type="place",
        object=item.id,
        translation=item.translation,
        rotation_deg=item.rotation_deg,
        scale=item.scale,
    ).run(session)
