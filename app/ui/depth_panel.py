"""Depth: the map of the edited picture with values, the layout guess's two lines, a depth file of one's own.

Ids: `depth-note`, `depth-map`, `depth-value`, `depth-sure`, `horizon`, `ground-end`, `histogram`, `load-depth`,
`depth-scale`.
"""

from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from app.state import SessionState
from app.ui.panel import Panel, PanelTools, number, plain, same, upload_button
from app.ui.text import say

if TYPE_CHECKING:
    from app.session import Session

BINS = 48
INK, QUIET_INK, HAIRLINE, BAR = "#e6e8eb", "#9aa3ad", "#2b2f37", "#7c9cc4"


def build(tools: PanelTools) -> Panel:
    """The panel's components and what keeps them up to date."""
    with gr.Accordion(say("depth.title"), open=False, elem_id="panel-depth") as panel:
        note = plain("", elem_id="depth-note")
        plain(_picture("depth-map", say("depth.picture"), "depth-value"))
        plain(_picture("depth-sure", say("depth.sure"), kind="if-told"))
        with gr.Row(elem_id="layout-lines", elem_classes=["tight"]):
            horizon = number(say("depth.horizon"), "horizon")
            ground_end = number(say("depth.ground_end"), "ground-end")
        histogram = gr.Plot(show_label=False, container=False, elem_id="histogram")
        with gr.Row(elem_classes=["tight"]):
            plain(
                f'<label class="field"><span>{say("depth.scale")}</span><input id="depth-scale" '
                f'data-testid="depth-scale" type="number" min="0" placeholder="{say("depth.scale_help")}"></label>'
            )
            upload_button(say("depth.file"), "depth")
    tools.on(
        [event for field in (horizon, ground_end) for event in (field.submit, field.blur)],
        _set_layout,
        [horizon, ground_end],
    )

    def draw(key: str) -> Any:
        session = tools.find(key)
        return gr.skip() if session is None else depth_histogram(session)

    tools.when_open(panel, draw, histogram)

    def updates(state: SessionState) -> list[Any]:
        layout = state.layout
        if layout is None:
            scale = say(f"depth.scale.{state.depth_scale or 'relative'}")
            words = say("depth.measured", title=state.depth_title, scale=scale) if state.photo_name else ""
            return [words, gr.skip(), gr.skip()]
        lines = [round(100 * layout.horizon, 3), round(100 * layout.ground_end, 3)]
        return [say("depth.guess"), *lines]

    return Panel([note, horizon, ground_end], updates)


def depth_histogram(session: "Session") -> Any:
    """A plotly figure of how many pixels lie how far away; None before there is a picture."""
    import plotly.graph_objects as go

    frame = session.frame
    if frame is None or not frame.depth_valid.any():
        return None
    depth = frame.depth[frame.depth_valid]
    far = float(np.percentile(depth, 99))
    counts, edges = np.histogram(depth[depth <= far], bins=BINS)
    share = 100.0 * counts / depth.size
    centres = (edges[1:] + edges[:-1]) / 2
    unit = session.state.unit
    figure = go.Figure(
        go.Bar(x=centres, y=share, marker={"color": BAR, "line": {"width": 0}}, width=np.diff(edges) * 0.86)
    )
    figure.update_traces(hovertemplate=f"%{{x:.2f}} {unit}: %{{y:.1f}} %<extra></extra>")
    axis = {"gridcolor": HAIRLINE, "zeroline": False, "fixedrange": True, "tickfont": {"color": QUIET_INK, "size": 11}}
    title = {"text": say("depth.axis", unit=unit), "standoff": 4, "font": {"size": 11, "color": QUIET_INK}}
    figure.update_layout(
        height=132,
        margin={"l": 30, "r": 4, "t": 6, "b": 34},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        bargap=0,
        showlegend=False,
        font={"family": "system-ui, sans-serif", "color": INK, "size": 11},
        xaxis={**axis, "title": title},
        yaxis={**axis, "ticksuffix": " %", "nticks": 4},
    )
    return figure


def _picture(elem_id: str, words: str, value_id: str = "", kind: str = "") -> str:
    value = f'<output id="{value_id}" data-testid="{value_id}" class="figures"></output>' if value_id else ""
    return (
        f'<figure class="map {kind}"><img id="{elem_id}" data-testid="{elem_id}" alt="{words}" hidden>'
        f"<figcaption><span>{words}</span> {value}</figcaption></figure>"
    )


def _set_layout(session: "Session", horizon: float | None, ground_end: float | None) -> None:
    layout = session.state.layout
    if layout is None or horizon is None or ground_end is None:
        return
    if not (same(100 * layout.horizon, horizon) and same(100 * layout.ground_end, ground_end)):
        session.set_layout(horizon / 100, ground_end / 100)
