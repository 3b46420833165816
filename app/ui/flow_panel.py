"""Flow and what is invented: pictures that our script keeps fresh.

Ids: `flow-map`, `flow-arrows`, `flow-none`, `invented-share`, `show-invented`.
"""

from typing import Any

import gradio as gr

from app.state import SessionState
from app.ui.panel import Panel, PanelTools, plain
from app.ui.text import say


def build(tools: PanelTools) -> Panel:  # noqa: ARG001 - every panel is built alike
    """The panel's components and what keeps them up to date."""
    with gr.Accordion(say("invented.title"), open=False, elem_id="panel-invented"):
        share = plain("", elem_id="invented-share")
        plain(
            f'<label class="check"><input type="checkbox" id="show-invented" data-testid="show-invented">'
            f"{say('invented.show')}</label>"
        )
    with gr.Accordion(say("flow.title"), open=False, elem_id="panel-flow"):
        plain(
            f'<figure class="map"><div class="stack"><img id="flow-map" data-testid="flow-map" hidden '
            f'alt="{say("flow.picture")}"><svg id="flow-arrows" data-testid="flow-arrows" aria-hidden="true"></svg>'
            "</div>"
            f'<figcaption id="flow-words" data-none="{say("flow.none")}" data-some="{say("flow.picture")}">'
            f"{say('flow.none')}</figcaption></figure>"
        )

    def updates(state: SessionState) -> list[Any]:
        return [say("invented.share", share=percent(state.share_invented)) if state.share_invented else none(state)]

    return Panel([share], updates)


def percent(share: float | None) -> str:
    """A share 0..1 as a person says it."""
    value = 100 * (share or 0.0)
    return f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %"


def none(state: SessionState) -> str:
    """What to say when nothing is invented."""
    return say("invented.none") if state.photo_name else ""
