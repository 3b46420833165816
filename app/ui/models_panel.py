"""Models: what can estimate depth and answer clicks, what each costs, fetching and using it.

Ids: `depth-backend`, `depth-backend-note`, `use-depth-backend`, and the same with `mask`.
"""

from html import escape
from typing import Any

import gradio as gr
from gradio.blocks import Block

from app.state import SessionState
from app.ui.panel import Panel, PanelTools, button, plain
from app.ui.text import say
from core.files.hub import HubKind, HubModel, hub_models, missing
from core.perception.registry import Entry, depth_backends, segmentation_backends

KINDS: tuple[HubKind, ...] = ("depth", "mask")


def build(tools: PanelTools) -> Panel:
    """The panel's components and what keeps them up to date."""
    outputs: list[Block] = []
    with gr.Accordion(say("models.title"), open=False, elem_id="panel-models"):
        for kind in KINDS:
            chosen = gr.Dropdown(
                _choices(_entries(kind)), label=say(f"models.{kind}"), elem_id=f"{kind}-backend", interactive=True
            )
            note = plain("", elem_id=f"{kind}-backend-note", elem_classes=["small", "quiet"])
            use = button(say(f"models.{kind}.use"), f"use-{kind}-backend")
            tools.on([chosen.input], lambda session, name, kind=kind: session.consider(kind, name), [chosen])
            tools.on([use.click], lambda session, kind=kind: session.use_considered(kind))
            outputs += [chosen, note, use]
    return Panel(outputs, _updates)


def _updates(state: SessionState) -> list[Any]:
    models = {model.name: model for model in hub_models()}
    found: list[Any] = []
    for kind, name in zip(KINDS, state.considered, strict=True):
        entries = _entries(kind)
        reason, model = entries[name].why_not(), models.get(name)
        away = model is not None and missing(model) is not None
        in_use = kind == "mask" and name == state.mask_backend
        words = say(f"models.{kind}.{'in_use' if in_use else 'fetch' if away else 'use'}")
        ready = (away or reason is None) and not in_use and (state.photo_name is not None or kind == "mask")
        found += [
            gr.update(choices=_choices(entries), value=name),
            escape(_facts(entries[name], reason, model if away else None, model)),
            gr.update(value=words, interactive=ready and not state.models.running),
        ]
    return found


def _facts(entry: Entry[Any], reason: str | None, away: HubModel | None, model: HubModel | None) -> str:
    """Size, memory and licence, told before anything is fetched."""
    if away is not None:
        return say("models.away", cost=away.cost)
    if reason is not None:
        return reason
    if model is None:
        return say("models.built_in", licence=entry.info.licence)
    return say("models.here", memory=f"{model.memory / 1e9:.1f} GB", licence=entry.info.licence)


def _entries(kind: HubKind) -> dict[str, Entry[Any]]:
    return {**(depth_backends() if kind == "depth" else segmentation_backends())}


def _choices(entries: dict[str, Entry[Any]]) -> list[tuple[str, str]]:
    return [
        (entry.info.title if entry.why_not() is None else say("models.not_here", title=entry.info.title), name)
        for name, entry in entries.items()
    ]
