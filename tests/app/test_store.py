"""The sessions of a process beside each other and one after the other."""

from pathlib import Path

from conftest import FlatServices

from app.presence import Lifetimes
from app.store import SessionStore


def test_sessions_do_not_see_each_other(tmp_path: Path):
    store = SessionStore(FlatServices(), tmp_path)
    one, two = store.create(), store.create()
    one.open_sample("coffee")
    assert two.state.photo_name is None
    assert one.key != two.key
    store.close_all()


def test_a_session_that_expired_is_revived_with_its_work_and_an_empty_one_empty(tmp_path: Path):
    store = SessionStore(FlatServices(), tmp_path, Lifetimes(without_page=0.0))
    edited, empty = store.create(), store.create()
    edited.open_sample("coffee")
    edited.orbit(5.0, 0.0)
    history = edited.history
    store.expire()
    assert store.get(empty.key).history is None
    again = store.get(edited.key)
    assert again is not edited
    assert again.history == history
    store.close_all()
