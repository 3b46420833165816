"""Panels as a person uses them: fields that are typed into, and fields that only follow."""

import gradio as gr
import pytest

from app.ui import camera_panel, models_panel, transform_panel
from app.ui.flow_panel import percent
from app.ui.panel import PanelTools, same
from app.ui.text import say


@pytest.fixture
def handlers(store):
    """Handlers of a panel by the id of the field that calls them, as Gradio would call them."""

    def bind(module) -> dict:
        with gr.Blocks(analytics_enabled=False) as page:
            key = gr.Textbox()
            module.build(PanelTools(store, key))
        found = {}
        for function in page.fns.values():
            for target, event in function.targets:
                if function.fn is not None and target in page.blocks:
                    found[page.blocks[target].elem_id, event] = function.fn
        return found

    return bind


def test_a_typed_number_moves_the_object_once(object_tab, handlers):
    fields = handlers(transform_panel)
    before = len(object_tab.state["steps"])
    assert fields["move-right", "submit"](object_tab.key, -0.25, 0, 0) == ""
    assert object_tab.state["objects"][0]["ground"] == pytest.approx((-0.25, 0, 0), abs=1e-6)
    assert fields["move-right", "blur"](object_tab.key, -0.25, 0, 0) == ""
    assert len(object_tab.state["steps"]) == before + 1


def test_leaving_a_field_keeps_the_digits_it_does_not_show(object_tab, handlers):
    (item,) = object_tab.state["objects"]
    object_tab.gesture("slide", object=item["id"], right=0.123456, away=0)
    fields = handlers(transform_panel)
    before = object_tab.state["revision"]
    assert fields["move-right", "blur"](object_tab.key, 0.123, 0, 0) == ""
    assert object_tab.state["revision"] == before


def test_turn_and_size_keep_each_other(object_tab, handlers):
    fields = handlers(transform_panel)
    fields["turn-y", "submit"](object_tab.key, 0, 30, 0)
    fields["size", "submit"](object_tab.key, 1.5)
    item = object_tab.state["objects"][0]
    assert item["rotation_deg"] == pytest.approx((0, 30, 0), abs=1e-4)
    assert item["scale"] == pytest.approx(1.5)
    fields["reset-transform", "click"](object_tab.key)
    assert object_tab.state["objects"][0]["at_rest"]


def test_an_empty_field_changes_nothing(object_tab, handlers):
    before = object_tab.state["revision"]
    assert handlers(transform_panel)["move-x", "blur"](object_tab.key, None, 0, 0) == ""
    assert object_tab.state["revision"] == before


def test_failures_come_back_as_sentences(object_tab, handlers):
    fields = handlers(transform_panel)
    assert "scale" in fields["size", "submit"](object_tab.key, -1)
    assert fields["size", "submit"]("guess", 1) == say("error.key")


def test_the_camera_is_typed_and_goes_home(photo_tab, handlers):
    fields = handlers(camera_panel)
    assert fields["yaw", "submit"](photo_tab.key, 12, 0, 0, 0, 0) == ""
    assert photo_tab.state["camera"]["orbit"]["yaw_deg"] == pytest.approx(12)
    assert fields["home", "click"](photo_tab.key) == ""
    assert photo_tab.state["camera"]["at_home"]


def test_a_longer_lens_narrows_the_view(photo_tab, handlers):
    fields, before = handlers(camera_panel), photo_tab.state
    assert fields["focal", "submit"](photo_tab.key, 2 * before["focal_35mm"]) == ""
    after = photo_tab.state
    assert after["focal_35mm"] == pytest.approx(2 * before["focal_35mm"])
    assert after["fov_deg"] < before["fov_deg"]


def test_before_a_photo_fields_do_nothing(tab, handlers):
    fields = handlers(camera_panel)
    assert fields["yaw", "blur"](tab.key, 0, 0, 0, 0, 0) == ""
    assert fields["fov", "blur"](tab.key, 0) == ""


def test_shares_are_said_with_fitting_digits():
    assert [percent(share) for share in (None, 0.0046, 0.0994, 0.1149)] == ["0.0 %", "0.5 %", "9.9 %", "11 %"]


def test_same_looks_at_the_digits_shown():
    assert same(0.12345, 0.123)
    assert not same(0.12345, 0.125)
    assert same(34.578, 34.6, digits=1)


def test_a_model_shows_its_cost_before_it_is_fetched(photo_tab, store, monkeypatch, tmp_path):
    for variable in ("LRAS_WEIGHTS", "HF_HUB_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path))
    with gr.Blocks(analytics_enabled=False) as page:
        key = gr.Textbox()
        panel = models_panel.build(PanelTools(store, key))
    acts = {
        (page.blocks[target].elem_id, event): function.fn
        for function in page.fns.values()
        for target, event in function.targets
        if function.fn is not None and target in page.blocks
    }
    assert acts["depth-backend", "input"](photo_tab.key, "depth-pro") == ""
    shown = dict(zip((block.elem_id for block in panel.outputs), panel.updates(photo_tab.session.state), strict=True))
    assert shown["depth-backend"]["value"] == "depth-pro"
    assert shown["depth-backend-note"].startswith("Not on this machine: about 1,900 MB to fetch")
    assert "licence Apple AMLR" in shown["depth-backend-note"]
    assert shown["use-depth-backend"]["value"] == say("models.depth.fetch")
    assert shown["mask-backend-note"] == say("models.built_in", licence="MIT")
    assert shown["use-mask-backend"] == gr.update(value=say("models.mask.in_use"), interactive=False)
    assert "depth" in acts["depth-backend", "input"](photo_tab.key, "crystal ball")
