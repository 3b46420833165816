"""Masks in a session: refined, refused for what was moved, and each click in its turn."""

import threading

import pytest
from conftest import PATIENCE
from serving import wait_until
from studio_photo import square_photo

from app.services import Services
from app.session import Session
from core.errors import InvalidInput
from core.turns import Turns
from core.types.protocols import CancelToken


def test_refining_a_mask(coffee):
    first = coffee.selected_object.mask
    coffee.grow_mask(5)
    assert coffee.selected_object.mask.coverage.sum() > first.coverage.sum()
    coffee.brush([(300.0, 200.0)], 30.0, add=False)
    assert coffee.selected_object.mask.coverage[200, 300] == 0
    coffee.lasso([(250, 150), (350, 150), (350, 250), (250, 250)], add=True)
    assert coffee.selected_object.mask.coverage[200, 300] == 255
    coffee.feather_mask(4)
    assert len(coffee.state.objects) == 1


def test_a_moved_object_must_come_back_before_its_mask_changes(coffee):
    coffee.slide(coffee.state.selected, 0.3, 0.0)
    with pytest.raises(InvalidInput, match="has been moved"):
        coffee.click(300, 200)


def test_a_click_waits_for_its_turn_among_all_sessions():
    services = Services(turns=Turns())
    session = Session("key", services)
    session.open_photo(square_photo(), "square.png")
    assert session.wait_idle(PATIENCE)
    with services.turns.turn(CancelToken()):
        clicking = threading.Thread(target=session.box, args=(10, 10, 60, 50))
        clicking.start()
        wait_until(lambda: services.turns.waiting)
        assert not session.state.objects
    clicking.join(PATIENCE)
    assert len(session.state.objects) == 1
    session.close()
