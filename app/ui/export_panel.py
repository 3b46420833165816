"""The export menu and the engine choice of the top bar.

Ids: `export-<name of the format>`, `export-axes`, `export-private`, `export-cost`. Our script, which knows the
session's key, fills in links' addresses.
"""

from html import escape
from typing import get_args

from app.ui.text import say
from core.editing.takeaway import Alignment
from core.engines.registry import available
from core.files.formats import Format, Kind, formats_of


def menu() -> str:
    """One row per kind of export, one link per format."""
    rows = []
    for kind in get_args(Kind):
        links = "".join(_link(item) for item in formats_of(kind))
        if kind == "picture":
            links = _anchor("picture-own", "picture.own", say("export.own_help"), say("export.own")) + links
        rows.append(f"<li><span>{escape(say(f'export.{kind}'))}</span><span class='formats'>{links}</span></li>")
    told = '<p id="export-cost" data-testid="export-cost" class="small figures"></p>'
    options = f'<div class="options">{_axes()}{_private()}</div>'
    return f'<ul>{"".join(rows)}</ul>{options}{told}<p class="small quiet">{say("export.quality")}</p>'


def _axes() -> str:
    """One choice of axes for the clouds, meshes and cameras that are exported next."""
    names = {"": "each"} | {name: name for name in get_args(Alignment)}
    choices = "".join(
        f'<option value="{value}">{escape(say(f"export.axes.{name}"))}</option>' for value, name in names.items()
    )
    words, told = escape(say("export.axes")), escape(say("export.axes_help"))
    chooser = f'<select id="export-axes" data-testid="export-axes">{choices}</select>'
    return f'<label class="small" title="{told}">{words} {chooser}</label>'


def _private() -> str:
    """The switch that leaves private data out of whatever is exported next."""
    words, told = escape(say("export.private")), escape(say("export.private_help"))
    box = '<input id="export-private" data-testid="export-private" type="checkbox">'
    return f'<label class="small" title="{told}">{box} {words}</label>'


def _link(item: Format) -> str:
    words = item.name.removeprefix(f"{item.kind}-").replace("-", " ").upper()
    return _anchor(item.name, f"{item.kind}.{item.name}", item.title, words)


def _anchor(name: str, address: str, title: str, words: str) -> str:
    return (
        f'<a id="export-{name}" data-testid="export-{name}" data-export="{address}" '
        f'title="{escape(title)}" href="#">{escape(words)}</a>'
    )


def engine_options() -> str:
    """Engines that exist; one that cannot run here says why."""
    options = [f'<option value="auto">{say("engine.auto")}</option>']
    for info, reason in available():
        words = escape(info.title) if reason is None else f"{escape(info.title)}: {escape(reason)}"
        options.append(f'<option value="{info.name}"{"" if reason is None else " disabled"}>{words}</option>')
    return "".join(options)
