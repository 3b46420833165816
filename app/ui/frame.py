"""The parts of the page that its own script drives: top bar, tools, stage, history strip, status line."""

from html import escape
from typing import get_args

from app.ui.icons import icon
from app.ui.text import say
from core.types.project import PaintOrder

# Tool, its picture, its key.
TOOLS = (
    ("move", "V"),
    ("all", "A"),
    ("box", "B"),
    ("lasso", "L"),
    ("brush", "P"),
    ("eraser", "E"),
    ("depth", "D"),
    ("invent", "I"),
    ("ruler", "M"),
    ("pan", "C"),
)
COMPARE_KEY = "\\"
SAMPLES = ("coffee", "motorcycle", "astronaut", "chelsea")
# The pictures a file chooser offers; what a file really is, is found out by opening it.
ACCEPT = "image/*,.heic,.heif,.avif,.tif,.tiff,.lras"


def top_bar(export_menu: str, engines: str) -> str:
    """Name, history, view and export."""
    space = f"""
    <div class="switch" role="radiogroup" aria-label="{say("stage.label")}">
      <button id="view-photo" data-testid="view-photo" role="radio" aria-checked="true">{say("top.photo")}</button>
      <button id="view-space" data-testid="view-space" role="radio" aria-checked="false" title="3">{say("top.space")}
      </button>
    </div>"""
    return f"""
  <header class="top">
    <span class="brand">{say("app.name")}</span>
    {_button("open", "open", say("top.open"), "Ctrl+O", words=True)}
    <div id="unsaved-box" class="menu" hidden>
      <button id="unsaved-open" data-testid="unsaved-open" aria-haspopup="true" aria-expanded="false"
        title="{say("unsaved.help")}">{icon("back")}<span>{say("unsaved.title")}</span>
        <b id="unsaved-count" data-testid="unsaved-count" class="count figures"></b></button>
      <div id="unsaved-menu" data-testid="unsaved-menu" class="popover" hidden>
        <section id="unsaved-menu-list" class="unsaved"></section></div>
    </div>
    <span id="photo-name" data-testid="photo-name" class="name"></span>
    <span id="photo-size" data-testid="photo-size" class="quiet figures"></span>
    <span class="gap"></span>
    {_button("undo", "undo", say("top.undo"), "Ctrl+Z")}
    {_button("redo", "redo", say("top.redo"), "Ctrl+Shift+Z")}
    {space}
    {_button("compare", "compare", say("top.compare"), COMPARE_KEY, words=True, pressed=True)}
    <span class="gap"></span>
    <label class="engine quiet" title="{say("top.engine_help")}">{say("top.engine")}
      <select id="engine" data-testid="engine">{engines}</select>
    </label>
    <div class="menu">
      <button id="export" data-testid="export" class="primary" aria-haspopup="true" aria-expanded="false"
        title="Ctrl+S" disabled>{icon("export")}<span>{say("top.export")}</span>{icon("caret")}</button>
      <div id="export-menu" data-testid="export-menu" class="popover" hidden>{export_menu}</div>
    </div>
    {_button("keys", "keys", say("top.keys"), "?")}
    <input id="file" data-testid="file" type="file" accept="{ACCEPT}" hidden aria-label="{say("top.open")}">
  </header>"""


def tool_bar() -> str:
    """Tools of the photo view; the first is chosen."""
    buttons = "".join(
        f'<button id="tool-{name}" data-testid="tool-{name}" data-tool="{name}" aria-pressed="{str(not n).lower()}" '
        f'title="{say(f"tool.{name}")}  {key}" aria-label="{say(f"tool.{name}")}">{icon(name)}</button>'
        for n, (name, key) in enumerate(TOOLS)
    )
    return f"""
  <nav class="tools" aria-label="{say("keys.group.tools")}">{buttons}
    <span class="rule"></span>{_button("fit", "fit", say("tool.fit"), "Ctrl+0")}
    <output id="zoom" data-testid="zoom" class="figures quiet"></output>
  </nav>"""


def stage() -> str:
    """Photo view, 3D view and drop zone, all in one place."""
    samples = "".join(
        f'<button class="sample" data-testid="sample-{name}" data-sample="{name}">{say(f"sample.{name}")}</button>'
        for name in SAMPLES
    )
    return f"""
  <div id="stage" data-testid="stage" class="stage" tabindex="0" role="application"
    aria-label="{say("stage.label")}" data-view="photo" data-state="empty">
    <div id="picture" class="picture">
      <img id="base" data-testid="base" alt="" draggable="false" hidden>
      <img id="result" data-testid="result" alt="" draggable="false" hidden>
      <img id="detail" data-testid="detail" alt="" draggable="false" hidden>
      <img id="depth-over" data-testid="depth-over" alt="" draggable="false" hidden>
      <img id="invented" data-testid="invented" alt="" draggable="false" hidden>
      <img id="fill" data-testid="mask" alt="" draggable="false" hidden>
      <div id="hand" data-testid="drag-preview" hidden>
        <img id="behind" alt="" hidden><img id="cutout" alt="" hidden></div>
    </div>
    <canvas id="overlay" data-testid="overlay" aria-hidden="true"></canvas>
    <div id="divider" data-testid="divider" class="divider" role="slider" tabindex="0" hidden
      aria-label="{say("stage.compare")}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="50">
      <span class="tag before">{say("stage.before")}</span><span class="tag after">{say("stage.after")}</span>
      <i></i></div>
    <div id="line-horizon" data-testid="line-horizon" class="line" hidden></div>
    <div id="line-ground_end" data-testid="line-ground_end" class="line" hidden></div>
    <div id="space" data-testid="space" class="space" style="visibility: hidden"></div>
    {_space_bar()}
    {_depth_bar()}
    {_ruler_bar()}
    {_invent_bar()}
    <div id="empty" data-testid="empty" class="empty" hidden>
      {icon("photo")}
      <h1>{say("empty.title")}</h1>
      <p>{say("empty.or")} <button id="browse" data-testid="browse" class="link">{say("empty.browse")}</button></p>
      <p class="quiet">{say("empty.samples")}</p>
      <p class="samples">{samples}</p>
      <section id="unsaved" data-testid="unsaved" class="unsaved" hidden></section>
      <p class="small quiet">{say("empty.note")}</p>
    </div>
    <div id="waiting" data-testid="waiting" class="empty waiting" hidden>{icon("photo")}<h1></h1></div>
    <div id="drop" class="drop" hidden>{say("hint.drop")}</div>
    <div id="hint" data-testid="hint" class="hint" hidden></div>
    <div id="cost" data-testid="cost" class="cost figures" hidden></div>
  </div>"""


def _space_bar() -> str:
    axes = "".join(
        f'<option value="{name}">{say(f"space.axes.{name}")}</option>' for name in ("ground", "world", "local")
    )
    return f"""<form id="space-bar" data-testid="space-bar" class="stage-bar">
      <label>{say("space.axes")} <select name="axes" data-testid="space-axes">{axes}</select></label>
      <label><input type="checkbox" name="slide" data-testid="space-slide" checked>{say("space.slide")}</label>
      <label><input type="checkbox" name="snap" data-testid="space-snap">{say("space.snap")}</label>
      <input type="number" name="snap_distance" value="0.1" min="0" step="any" title="{say("space.snap_distance")}"
        aria-label="{say("space.snap_distance")}" data-testid="space-snap-distance"><span class="quiet unit"></span>
      <input type="number" name="snap_angle" value="15" min="0" step="any" title="{say("space.snap_angle")}"
        aria-label="{say("space.snap_angle")}" data-testid="space-snap-angle"><span class="quiet">°</span>
      <label><input type="checkbox" name="points" data-testid="space-points">{say("space.points")}</label>
      <input type="range" name="point_size" value="2" min="1" max="10" step="0.5" title="{say("space.point_size")}"
        aria-label="{say("space.point_size")}" data-testid="space-point-size">
      <label><input type="checkbox" name="clean" data-testid="space-clean" checked>{say("space.clean")}</label>
      <span class="gap"></span>
      <button type="button" id="space-home" data-testid="space-home" title="{say("space.home_help")}  Home">
        {say("space.home")}</button>
      <button type="button" id="take-view" data-testid="take-view" title="{say("space.take_help")}">{say("space.take")}
      </button></form>"""


def _depth_bar() -> str:
    """What the depth brush does, and how strongly."""
    touches = "".join(
        f'<label><input type="radio" name="touch" value="{name}" data-testid="touch-{name}"{" checked" * (not n)}>'
        f"{say(f'depth.touch.{name}')}</label>"
        for n, name in enumerate(("push", "pull", "flatten", "smooth"))
    )
    return f"""<form id="depth-bar" data-testid="depth-bar" class="stage-bar">{touches}
      <label>{say("depth.strength")} <input type="range" name="strength" data-testid="touch-strength"
        min="0.1" max="1" step="0.05" value="0.5"></label></form>"""


def _ruler_bar() -> str:
    """The measured distance, and a field for the true one."""
    return f"""<form id="ruler-bar" data-testid="ruler-bar" class="stage-bar">
      <output id="measured" data-testid="measured" class="figures">{say("ruler.none")}</output>
      <label>{say("ruler.true")} <input type="number" name="metres" data-testid="ruler-metres" min="0.001"
        step="any" disabled></label><span class="quiet">m</span>
      <button data-testid="ruler-apply" disabled>{say("ruler.apply")}</button></form>"""


def _invent_bar() -> str:
    """What a stroke does to what was invented, and other variations of all of it."""
    strokes = "".join(
        f'<label><input type="radio" name="stroke" value="{name}" data-testid="invent-{name}"{" checked" * (not n)}>'
        f"{say(f'invent.{name}')}</label>"
        for n, name in enumerate(("again", "keep"))
    )
    orders = "".join(
        f'<option value="{order}">{say(f"invent.order.{order}")}</option>' for order in get_args(PaintOrder)
    )
    return f"""<form id="invent-bar" data-testid="invent-bar" class="stage-bar">{strokes}
      <span class="gap"></span>
      <output id="adherence" data-testid="adherence" class="figures quiet"></output>
      <button type="button" id="check-edit" data-testid="check-edit" title="{say("invent.check_help")}">
        {say("invent.check")}</button>
      <button type="button" id="invent-all" data-testid="invent-all" title="{say("invent.all_help")}">
        {say("invent.all")}</button>
      <button type="button" id="invent-others" data-testid="invent-others" aria-expanded="false"
        title="{say("invent.others_help")}">{say("invent.others")}</button></form>
    <div id="variations" data-testid="variations" class="variations" hidden>
      <p class="small quiet">{say("invent.choose")}</p><div class="grid"></div>
      <button type="button" id="take-best" data-testid="take-best" class="plain" title="{say("invent.best_help")}">
        {say("invent.best")}</button>
      <label class="check"><input type="checkbox" id="variation-brush" data-testid="variation-brush">
        {say("invent.brush")}</label>
      <label class="order" title="{say("invent.order_help")}">{say("invent.order")}
        <select id="paint-order" data-testid="paint-order">{orders}</select></label></div>"""


def history_strip() -> str:
    """Steps as small pictures, newest right."""
    return f'<ol id="strip" data-testid="strip" class="strip" aria-label="{say("strip.label")}"></ol>'


def status_line() -> str:
    """What is going on, told to eyes and screen readers alike."""
    return f"""
  <footer class="status">
    <span id="progress" data-testid="progress" class="bar" hidden><i></i></span>
    <span id="status" data-testid="status" role="status" aria-live="polite" class="words figures"></span>
    <span id="not-kept" data-testid="not-kept" role="alert" class="not-kept" hidden></span>
    <button id="cancel" data-testid="cancel" hidden>{say("status.cancel")}</button>
    <button id="dismiss" data-testid="dismiss" hidden>{say("status.dismiss")}</button>
    <span class="gap"></span>
    <span id="cursor" data-testid="cursor" class="figures quiet"></span>
    <span class="source"><span class="quiet">{say("status.depth")}</span> <b id="depth-source"
      data-testid="depth-source"></b></span>
    <span class="source"><span class="quiet">{say("status.mask")}</span> <b id="mask-source"
      data-testid="mask-source"></b></span>
  </footer>
  <dialog id="help" data-testid="help" aria-label="{say("keys.title")}">
    <form method="dialog"><h2>{say("keys.title")}</h2>
      <input id="help-search" data-testid="help-search" role="searchbox" placeholder="{say("keys.search")}"
        aria-label="{say("keys.search")}">
      <button class="quiet" aria-label="{say("keys.close")}">{icon("remove")}</button></form>
    <div id="help-list" data-testid="help-list"></div>
  </dialog>"""


def _button(name: str, picture: str, words_: str, key: str, words: bool = False, pressed: bool = False) -> str:
    state = ' aria-pressed="false"' if pressed else ""
    shown = f"<span>{escape(words_)}</span>" if words else ""
    return (
        f'<button id="{name}" data-testid="{name}" title="{escape(words_)}  {key}" aria-label="{escape(words_)}"'
        f"{state}>{icon(picture)}{shown}</button>"
    )
