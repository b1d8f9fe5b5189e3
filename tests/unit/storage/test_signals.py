import os
import signal

import pytest
from seaway.signals import sigterm_raises


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_ends_the_block() -> None:
    with pytest.raises(SystemExit) as ended, sigterm_raises():
        terminate()
        signal.pause()
    assert ended.value.code == 128 + signal.SIGTERM


def test_a_request_is_finished_first() -> None:
    done = []
    with pytest.raises(SystemExit), sigterm_raises() as termination:
        with termination.deferred():
            terminate()
            done.append("request")
        done.append("more")
    assert done == ["request"]


def test_an_error_of_the_request_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="refused"), sigterm_raises() as termination, termination.deferred():
        terminate()
        raise ValueError("refused")


def test_cleaning_up_is_finished_whatever_arrives() -> None:
    cleaned = False
    with pytest.raises(SystemExit), sigterm_raises() as termination:
        try:
            terminate()
        finally:
            with termination.ignored():
                terminate()
                cleaned = True
    assert cleaned


def test_the_handler_from_before_is_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with sigterm_raises():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
