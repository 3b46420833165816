"""Order, newest-wins and visible failures of the viewport's thread."""

import threading

from app.viewport.mailbox import Mailbox


def test_newest_of_a_key_wins_and_keeps_its_turn():
    done, gate, failures = [], threading.Event(), []
    box = Mailbox("test", failures.append)
    box.post("gate", lambda: (gate.wait(5), None)[1])
    for step in range(3):
        box.post("move", lambda step=step: done.append(step))
    finished = threading.Event()
    box.post("end", lambda: (done.append("end"), finished.set())[1])
    gate.set()
    assert finished.wait(5)
    box.close()
    assert done == [2, "end"]
    assert failures == []


def test_failure_is_reported_and_later_work_still_runs():
    done, failures, finished = [], [], threading.Event()
    box = Mailbox("test", failures.append)
    box.post("bad", lambda: done[1])
    box.post("good", finished.set)
    assert finished.wait(5)
    box.close()
    assert [type(f) for f in failures] == [IndexError]


def test_later_delay_replaces_the_earlier_one():
    runs, finished = [], threading.Event()
    box = Mailbox("test", lambda f: None)
    box.post("settled", lambda: runs.append("early"), delay=0.05)
    box.post("settled", lambda: (runs.append("late"), finished.set())[1], delay=0.1)
    assert finished.wait(5)
    box.close()
    assert runs == ["late"]
