"""Objects: the list (driven by our script), and the form twins of clicking and of changing an edge.

Ids: `objects`, `point-x`, `point-y`, `point-add`, `point-take`, `grow`, `shrink`, `soften`, `candidate`, `load-mask`.
"""

from typing import TYPE_CHECKING

import gradio as gr

from app.ui import pointing
from app.ui.panel import Panel, PanelTools, button, number, plain, upload_button
from app.ui.text import say
from core.errors import InvalidInput

if TYPE_CHECKING:
    from app.session import Session

EDGE_PIXELS = 1
SOFT_PIXELS = 1.5


def build(tools: PanelTools) -> Panel:
    """The panel's components and what keeps them up to date."""
    with gr.Accordion(say("objects.title"), open=True, elem_id="panel-objects"):
        plain(f'<ul id="objects" data-testid="objects" aria-label="{say("objects.title")}"></ul>')
        with gr.Column(elem_id="edge"):
            with gr.Row(elem_classes=["tight"]):
                grow = button(say("objects.grow"), "grow")
                shrink = button(say("objects.shrink"), "shrink")
                soften = button(say("objects.feather"), "soften")
            candidate = button(say("objects.candidate"), "candidate")
        with gr.Accordion(say("objects.point"), open=False, elem_id="panel-point", elem_classes=["inner"]):
            with gr.Row(elem_classes=["tight"]):
                x = number(say("objects.point_x"), "point-x")
                y = number(say("objects.point_y"), "point-y")
            with gr.Row(elem_classes=["tight"]):
                add = button(say("objects.point_add"), "point-add")
                take = button(say("objects.point_take"), "point-take")
            upload_button(say("objects.mask_file"), "mask")
    tools.on([grow.click], lambda session: session.grow_mask(EDGE_PIXELS), words=say("status.masking"))
    tools.on([shrink.click], lambda session: session.grow_mask(-EDGE_PIXELS), words=say("status.masking"))
    tools.on([soften.click], lambda session: session.feather_mask(SOFT_PIXELS), words=say("status.masking"))
    tools.on([candidate.click], lambda session: session.next_candidate(), words=say("status.masking"))
    tools.on([add.click], lambda session, px, py: _click(session, px, py, True), [x, y], words=say("status.selecting"))
    tools.on(
        [take.click], lambda session, px, py: _click(session, px, py, False), [x, y], words=say("status.selecting")
    )
    return Panel([], lambda _state: [])


def _click(session: "Session", x: float | None, y: float | None, positive: bool) -> None:
    if x is None or y is None:
        raise InvalidInput("Give both coordinates, in pixels of the photo.")
    pointing.click(session, x, y, positive, refine=False)
