"""Assembles the page: a frame that our script drives, and Gradio panels beside it.

Stable ids (each also a `data-testid` where the element is ours): `open`, `file`, `photo-name`, `photo-size`,
`undo`, `redo`, `view-photo`, `view-space`, `compare`, `engine`, `export`, `export-menu`, `keys`; `tool-move`,
`tool-all`, `tool-box`, `tool-lasso`, `tool-brush`, `tool-eraser`, `tool-depth` (with `depth-bar`, `depth-over`,
`touch-<name>`, `touch-strength`), `tool-ruler` (with `ruler-bar`, `measured`, `ruler-metres`, `ruler-apply`),
`tool-pan`, `fit`, `zoom`; `stage` (with `data-state`
empty | ready | selected | dragging, `data-view` photo | space, `data-revision`, `data-object` moved | rest,
`data-shadow` when the selected object has one and `data-layout` when there is one: panels show their parts by
these), `base`, `result`,
`invented`, `mask`, `drag-preview`, `overlay`, `divider`, `line-horizon`, `line-ground_end`, `space`, `space-bar`,
`space-axes`, `space-slide`, `space-snap`, `space-snap-distance`, `space-snap-angle`, `space-points`,
`space-point-size`, `space-clean`, `space-home`, `take-view`, `empty`, `browse`, `sample-<name>`, `unsaved`,
`hint`, `cost`; `strip` and `step-<n>`; `status`, `progress`, `cancel`, `dismiss`, `cursor`, `depth-source`,
`mask-source`; `help`, `help-search`, `help-list`; `objects`, `object-<id>` and in it `eye`, `duplicate`,
`remove`, `release`, `label`. Gradio's controls have element ids: see each panel's file; the field is the `input`
inside `#<id>`.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.themes import Base

from app.ui import (
    camera_panel,
    depth_panel,
    export_panel,
    flow_panel,
    frame,
    models_panel,
    objects_panel,
    transform_panel,
)
from app.ui.icons import icon
from app.ui.panel import QUIET, Panel, PanelTools
from app.ui.text import all_words, say

if TYPE_CHECKING:
    from app.store import SessionStore

# What the list of objects, made by our script, needs.
SCRIPT_ICONS = ("eye", "eye-off", "copy", "back", "remove")
STYLE = Path(__file__).parent / "studio.css"
HEAD = '<meta name="color-scheme" content="dark"><script type="module" src="/ui/main.js"></script>'
# A script of its own, for the page allows none inside itself.
GIVEN = (
    f"export const words = {json.dumps(all_words())};\n"
    f"export const icons = {json.dumps({name: icon(name) for name in SCRIPT_ICONS})};\n"
)
PANELS = (objects_panel, transform_panel, camera_panel, depth_panel, models_panel, flow_panel)
# Runs when Gradio has put the stage into the page; our module waits for it.
_STAGE_READY = "window.studioStage = {element, trigger}; // has the events 'refresh' and 'drawn'"


def build_page(store: "SessionStore") -> gr.Blocks:
    """The page for every visitor; which session it shows is decided by the key in its browser."""
    with gr.Blocks(title=say("app.name"), analytics_enabled=False, fill_width=True, fill_height=True) as page:
        key = gr.Textbox(visible="hidden", elem_id="session-key")
        tools = PanelTools(store, key)
        with gr.Column(elem_id="studio"):
            _html(frame.top_bar(export_panel.menu(), export_panel.engine_options()), "top-box")
            _html(frame.tool_bar(), "tools-box")
            stage = _html(frame.stage(), "stage-box", js=_STAGE_READY)
            with gr.Column(elem_id="panels"):
                panels: list[Panel] = [module.build(tools) for module in PANELS]
            _html(frame.history_strip(), "strip-box")
            _html(frame.status_line(), "status-box")
        outputs = [component for panel in panels for component in panel.outputs]

        def refresh(event: gr.EventData) -> list[Any]:
            # The key comes with the event: a value set when the page loads can be lost while Gradio still mounts.
            session = tools.find(event.key)
            if session is None:
                return [event.key, *[gr.skip()] * len(outputs)]
            state = session.state
            return [event.key, *(update for panel in panels for update in panel.updates(state))]

        stage.refresh(refresh, None, [key, *outputs], **QUIET)
        for draw, output in tools.lazy:
            stage.drawn(draw, [key], [output], **QUIET)
    return page


def theme() -> Base:
    """System fonts only, so that no page load asks a font server; colours are in studio.css."""
    return Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])


def _html(content: str, elem_id: str, js: str | None = None) -> gr.HTML:
    return gr.HTML(content, html_template="${value}", js_on_load=js, apply_default_css=False, elem_id=elem_id)
