"""The page's assembly: every control is there once, has words, and a refresh causes no gesture."""

import json
import re

import gradio as gr
import pytest

from app.ui import depth_panel, export_panel, frame, icons
from app.ui.page import GIVEN, HEAD, SCRIPT_ICONS, build_page
from app.ui.text import say
from core.files.formats import FORMATS
from core.types.protocols import EngineInfo

FIELDS = {
    *("move-right", "move-up", "move-away", "move-x", "move-y", "move-z", "turn-x", "turn-y", "turn-z", "size"),
    *("yaw", "pitch", "dolly", "truck-x", "truck-y", "fov", "focal", "horizon", "ground-end", "point-x", "point-y"),
}
CAUSED_BY_A_PERSON = {"submit", "blur", "click", "release", "expand", "input"}
OUR_SCRIPT = {"refresh", "drawn"}


@pytest.fixture(scope="module")
def page(store) -> gr.Blocks:
    return build_page(store)


def test_every_field_is_there_once(page):
    ids = [block.elem_id for block in page.blocks.values() if block.elem_id]
    assert sorted(ids) == sorted(set(ids))
    assert set(ids) >= FIELDS


def test_only_what_a_person_does_becomes_a_gesture(page):
    events = {event for function in page.fns.values() for _, event in function.targets if function.fn is not None}
    assert events <= CAUSED_BY_A_PERSON | OUR_SCRIPT | {"then"}


def test_nothing_waits_in_gradio_s_queue(page):
    assert all(not function.queue for function in page.fns.values() if function.fn is not None)


def test_ids_of_our_own_parts_are_unique():
    parts = frame.top_bar(export_panel.menu(), ""), frame.tool_bar(), frame.stage(), frame.history_strip()
    html = "".join([*parts, frame.status_line()])
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert sorted(ids) == sorted(set(ids))
    assert {"stage", "file", "undo", "redo", "compare", "export-menu", "strip", "status", "cancel", "help"} <= set(ids)


def test_every_format_of_the_one_table_is_offered():
    menu = export_panel.menu()
    for item in FORMATS:
        assert f'data-export="{item.kind}.{item.name}"' in menu


def test_an_engine_that_cannot_run_says_why(monkeypatch):
    offered = [(EngineInfo("a", "Ready", "MIT"), None), (EngineInfo("b", "Far", "MIT"), "no <weights> here")]
    monkeypatch.setattr(export_panel, "available", lambda: offered)
    options = export_panel.engine_options()
    assert '<option value="a">Ready</option>' in options
    assert '<option value="b" disabled>Far: no &lt;weights&gt; here</option>' in options


def test_the_script_uses_only_parts_that_exist(static):
    parts = frame.stage() + frame.top_bar("", "") + frame.status_line() + frame.tool_bar()
    for name in re.findall(r'\$\("([\w-]+)"\)', (static / "view.js").read_text() + (static / "space.js").read_text()):
        assert f'id="{name}"' in parts


def test_the_script_is_given_words_and_icons_and_none_stands_in_the_page():
    assert json.dumps(say("status.ready")) in GIVEN
    assert all(f"{json.dumps(name)}: " in GIVEN for name in SCRIPT_ICONS)
    assert re.findall(r"<script[^>]*>([^<]*)", HEAD) == [""]


def test_an_unknown_icon_is_a_mistake():
    with pytest.raises(KeyError):
        icons.icon("no such icon")


def test_the_histogram_shows_shares_of_all_pixels(photo_tab):
    figure = depth_panel.depth_histogram(photo_tab.session)
    shares = figure.data[0].y
    assert len(shares) == depth_panel.BINS
    assert 98 <= sum(shares) <= 100
