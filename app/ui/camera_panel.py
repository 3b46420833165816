"""Camera: the view the picture is taken from, and how wide the photo's lens was.

Ids: `yaw`, `pitch` (with sliders `yaw-slider`, `pitch-slider`), `dolly`, `truck-x`, `truck-y`, `fov`, `focal`, `home`.
"""

from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from app.state import SessionState
from app.ui.panel import Panel, PanelTools, button, number, same
from app.ui.text import say

if TYPE_CHECKING:
    from app.session import Session

MAX_YAW, MAX_PITCH = 45, 30
LENS_DIGITS = 1


def build(tools: PanelTools) -> Panel:
    """The panel's components and what keeps them up to date."""
    with gr.Accordion(say("camera.title"), open=True, elem_id="panel-camera"):
        with gr.Row(elem_classes=["tight", "slide"]):
            yaw_slider = _slider(say("camera.yaw"), MAX_YAW, "yaw-slider")
            yaw = number(say("camera.yaw"), "yaw")
        with gr.Row(elem_classes=["tight", "slide"]):
            pitch_slider = _slider(say("camera.pitch"), MAX_PITCH, "pitch-slider")
            pitch = number(say("camera.pitch"), "pitch")
        with gr.Row(elem_classes=["tight"]):
            dolly = number(say("camera.dolly", unit="m"), "dolly")
            truck_x = number(say("camera.truck_x", unit="m"), "truck-x")
            truck_y = number(say("camera.truck_y", unit="m"), "truck-y")
        with gr.Row(elem_classes=["tight"]):
            fov = number(say("camera.fov"), "fov")
            focal = number(say("camera.focal"), "focal")
        home = button(say("camera.home"), "home", interactive=False)
    fields = [yaw, pitch, dolly, truck_x, truck_y]
    tools.on([event for field in fields for event in (field.submit, field.blur)], _orbit, list(fields))
    rest = [dolly, truck_x, truck_y]
    tools.on([yaw_slider.release, pitch_slider.release], _orbit, [yaw_slider, pitch_slider, *rest])
    tools.on([fov.submit, fov.blur], _set_fov, [fov])
    tools.on([focal.submit, focal.blur], _set_focal, [focal])
    tools.on([home.click], lambda session: session.home())
    return Panel([yaw_slider, pitch_slider, *fields, fov, focal, home], _updates)


def _slider(label: str, reach: int, elem_id: str) -> gr.Slider:
    return gr.Slider(
        -reach, reach, 0, step=0.5, label=label, elem_id=elem_id, interactive=True, min_width=80, buttons=[]
    )


def _updates(state: SessionState) -> list[Any]:
    orbit, unit = state.camera.orbit, state.unit
    yaw, pitch = round(orbit.yaw_deg, 3) + 0.0, round(orbit.pitch_deg, 3) + 0.0
    return [
        min(max(yaw, -MAX_YAW), MAX_YAW),
        min(max(pitch, -MAX_PITCH), MAX_PITCH),
        yaw,
        pitch,
        gr.update(value=round(orbit.dolly, 3) + 0.0, label=say("camera.dolly", unit=unit)),
        gr.update(value=round(orbit.truck[0], 3) + 0.0, label=say("camera.truck_x", unit=unit)),
        gr.update(value=round(orbit.truck[1], 3) + 0.0, label=say("camera.truck_y", unit=unit)),
        round(state.fov_deg, LENS_DIGITS),
        round(state.focal_35mm, LENS_DIGITS),
        gr.update(interactive=not state.camera.at_home),
    ]


def _orbit(session: "Session", *given: float | None) -> None:
    state = session.state
    if state.photo_name is None:
        return
    orbit = state.camera.orbit
    now = (orbit.yaw_deg, orbit.pitch_deg, orbit.dolly, *orbit.truck)
    values = [n if v is None or same(n, v) else float(v) for n, v in zip(now, given, strict=True)]
    if values != list(now):
        session.orbit(values[0], values[1], values[2], (values[3], values[4]))


def _set_fov(session: "Session", degrees: float | None) -> None:
    state = session.state
    if state.photo_name is not None and degrees is not None and not same(state.fov_deg, degrees, LENS_DIGITS):
        session.set_field_of_view(degrees)


def _set_focal(session: "Session", millimetres: float | None) -> None:
    state = session.state
    if state.photo_name is not None and millimetres and not same(state.focal_35mm, millimetres, LENS_DIGITS):
        half = np.tan(np.radians(state.fov_deg) / 2) * state.focal_35mm / millimetres
        session.set_field_of_view(float(2 * np.degrees(np.arctan(half))))
