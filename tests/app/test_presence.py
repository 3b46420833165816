"""A session is over when nobody has been there for long, by a clock of the test's own."""

import pytest
from fakes import Clock

from app.presence import Lifetimes, Presence

LIFETIMES = Lifetimes(after_page=30.0, without_page=300.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def presence(clock: Clock) -> Presence:
    return Presence(LIFETIMES, clock)


@pytest.mark.parametrize("page", [True, False])
def test_nothing_is_over_while_somebody_is_there(presence: Presence, clock: Clock, page: bool) -> None:
    presence.enter("key", page)
    clock.now += 1e6
    assert not presence.is_over("key")
    assert presence.is_watched("key") == page


def test_a_reload_within_the_grace_keeps_it(presence: Presence, clock: Clock) -> None:
    presence.enter("key", page=True)
    presence.leave("key", page=True)
    clock.now += LIFETIMES.after_page - 1
    assert not presence.is_over("key")
    presence.enter("key", page=True)
    clock.now += 1e6
    assert not presence.is_over("key")
    presence.leave("key", page=True)
    assert not presence.is_over("key")
    clock.now += LIFETIMES.after_page + 1
    assert presence.is_over("key")


def test_the_first_of_two_pages_to_close_ends_nothing(presence: Presence, clock: Clock) -> None:
    presence.enter("key", page=True)
    presence.enter("key", page=True)
    presence.leave("key", page=True)
    clock.now += 1e6
    assert not presence.is_over("key")


def test_without_a_page_it_lives_while_it_is_used(presence: Presence, clock: Clock) -> None:
    for _ in range(5):
        presence.touch("key")
        clock.now += LIFETIMES.without_page - 1
        assert not presence.is_over("key")
    clock.now += 2
    assert presence.is_over("key")


def test_a_long_request_keeps_it_and_its_time_begins_with_the_answer(presence: Presence, clock: Clock) -> None:
    presence.enter("key", page=False)
    clock.now += 1e6
    presence.leave("key", page=False)
    clock.now += LIFETIMES.without_page - 1
    assert not presence.is_over("key")


def test_who_is_still_there_is_counted_after_the_end(presence: Presence, clock: Clock) -> None:
    presence.enter("key", page=True)
    presence.forget("key")
    assert presence.is_watched("key")
    presence.leave("key", page=True)
    presence.forget("key")
    assert presence.is_over("key")
