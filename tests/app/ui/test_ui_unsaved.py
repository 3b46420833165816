"""The list of unsaved work, going on with it, and a session that ended without its page."""

import pytest
from studio_photo import square_photo


@pytest.fixture
def other(client, store):
    """The key of another tab."""
    key = client.post("/studio").json()["key"]
    yield key
    store.close(key)


def listed(client, key):
    return {work["id"]: work for work in client.get(f"/studio/{key}/unsaved").json()["unsaved"]}


def left(tab, store) -> str:
    """End the tab's session with an edit in it; what its work is listed as."""
    tab.gesture("remove", object=tab.state["objects"][0]["id"])
    tab.gesture("undo")
    tab.idle()
    entry_id = tab.session.kept_as
    store.close(tab.key)
    return entry_id


def test_work_that_was_left_is_listed_and_opens_as_it_was(client, store, object_tab, other):
    history = object_tab.session.history
    entry_id = left(object_tab, store)
    work = listed(client, other)[entry_id]
    assert (work["name"], work["steps"], work["held"]) == ("square.png", 2, False)
    shot = client.get(f"/studio/{other}/unsaved/{entry_id}/thumbnail")
    assert shot.headers["content-type"] == "image/jpeg"
    assert shot.content.startswith(b"\xff\xd8")
    assert client.post(f"/studio/{other}/unsaved/{entry_id}/open").status_code == 200
    went_on = store.get(other)
    assert went_on.history.index == history.index
    assert went_on.history.steps[:-1] == history.steps
    assert client.get(f"/studio/{other}/state").json()["can_redo"]
    assert entry_id not in listed(client, other)


def test_another_tab_s_open_work_is_listed_as_such_and_cannot_be_opened(client, object_tab, other):
    entry_id = object_tab.session.kept_as
    assert listed(client, other)[entry_id]["held"]
    for refused in (
        client.post(f"/studio/{other}/unsaved/{entry_id}/open"),
        client.delete(f"/studio/{other}/unsaved/{entry_id}"),
    ):
        assert refused.status_code == 422
        assert "open in another tab or studio" in refused.json()["error"]


def test_work_is_discarded_one_by_one_or_all_of_it(client, store, object_tab, other):
    entry_id = left(object_tab, store)
    assert client.delete(f"/studio/{other}/unsaved/{entry_id}").status_code == 200
    assert entry_id not in listed(client, other)
    assert client.delete(f"/studio/{other}/unsaved/{entry_id}").status_code == 422
    assert client.delete(f"/studio/{other}/unsaved").status_code == 200
    assert not [work for work in listed(client, other).values() if not work["held"]]


def test_nothing_is_told_without_a_session(client, store, object_tab):
    entry_id = left(object_tab, store)
    for path in ("unsaved", f"unsaved/{entry_id}/thumbnail"):
        assert client.get(f"/studio/guess/{path}").status_code == 404
    assert client.post(f"/studio/guess/unsaved/{entry_id}/open").status_code == 404
    assert client.delete(f"/studio/guess/unsaved/{entry_id}").status_code == 404


@pytest.mark.parametrize("what", ["state", "picture", "gesture", "news"])
def test_a_page_whose_session_ended_finds_its_work_by_itself(client, store, object_tab, what):
    history = object_tab.session.history
    store.close(object_tab.key)
    if what == "state":
        assert object_tab.state["photo_name"] == "square.png"
    elif what == "picture":
        assert object_tab.get("picture/photo").status_code == 200
    elif what == "gesture":
        assert object_tab.gesture("undo").status_code == 200
        history = history.undo()
    else:
        with client.websocket_connect(f"/studio/{object_tab.key}/events") as socket:
            assert socket.receive_json()["state"]["photo_name"] == "square.png"
    assert store.get(object_tab.key).history == history


def test_a_second_photo_leaves_the_first_one_s_work(client, object_tab, other):
    entry_id = object_tab.session.kept_as
    assert object_tab.upload("photo", square_photo(), name="second.png").status_code == 200
    work = listed(client, other)[entry_id]
    assert (work["name"], work["held"]) == ("square.png", False)
    assert client.post(f"/studio/{object_tab.key}/unsaved/{entry_id}/open").status_code == 200
    object_tab.idle()
    assert object_tab.state["photo_name"] == "square.png"
    assert not [work for work in listed(client, other).values() if work["name"] == "second.png"]
