"""Signals: the first ends in good order, the second at once."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.signals import Stopped
from app.stopping import stoppable

ROOT = Path(__file__).resolve().parents[2]
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.mark.parametrize("sign", SIGNALS)
def test_a_signal_asks_a_run_to_stop_once(sign: signal.Signals) -> None:
    before = signal.getsignal(sign)
    with stoppable() as cancel:
        assert not cancel.cancelled
        signal.raise_signal(sign)
        assert cancel.cancelled
        assert signal.getsignal(sign) == signal.SIG_DFL
    assert signal.getsignal(sign) == before


@pytest.mark.parametrize(("sign", "code"), SIGNALS.items())
def test_work_that_gave_up_for_a_signal_ends_with_its_code(sign: signal.Signals, code: int) -> None:
    def work() -> None:
        with stoppable() as cancel:
            signal.raise_signal(sign)
            cancel.check()

    with pytest.raises(Stopped) as stop:
        work()
    assert stop.value.code == code


def process(main: str) -> "subprocess.Popen[str]":
    """The door with another `main`, which has begun."""
    code = f"import launch, sys, threading, time\n{main}\nlaunch.main = main; sys.exit(launch.start())"
    words = [sys.executable, "-c", code]
    running = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline() == "begun\n"
    return running


WITH_A_THREAD = """
def main(argv):
    threading.Thread(target=time.sleep, args=(600,)).start()
    try:
        print("begun", flush=True)
        time.sleep(600)
    finally:
        print("put in order")
"""
IN_A_DELETION = """
class Slow:
    def __del__(self):
        print("begun", flush=True)
        time.sleep(1.5)
def main(argv):
    Slow()
    time.sleep(600)
"""
HEEDLESS = """
def main(argv):
    try:
        print("begun", flush=True)
        time.sleep(600)
    finally:
        print("begun", flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize(("sign", "code"), SIGNALS.items())
@pytest.mark.parametrize("main", [WITH_A_THREAD, IN_A_DELETION])
def test_the_first_signal_ends_a_command_in_order_and_waits_for_no_thread(
    main: str, sign: signal.Signals, code: int
) -> None:
    running = process(main)
    running.send_signal(sign)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (code, "")
    assert out == ("put in order\n" if main is WITH_A_THREAD else "")


@pytest.mark.parametrize("sign", SIGNALS)
def test_the_second_signal_kills(sign: signal.Signals) -> None:
    running = process(HEEDLESS)
    running.send_signal(sign)
    assert running.stdout is not None
    assert running.stdout.readline() == "begun\n"
    running.send_signal(sign)
    _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (-sign, "")
