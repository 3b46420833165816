"""Signals as a token."""

import signal

import pytest

from app.stopping import stoppable


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_a_run_to_stop_once(sign: signal.Signals) -> None:
    before = signal.getsignal(sign)
    with stoppable() as cancel:
        assert not cancel.cancelled
        signal.raise_signal(sign)
        assert cancel.cancelled
    assert signal.getsignal(sign) == before
