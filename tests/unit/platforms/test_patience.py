"""A scheduler that is away is sat out for so long, and whatever cuts a wait short, its job is stopped first."""

import os
import signal
from collections.abc import Callable

import pytest
from seaway.errors import SlurmUnavailable
from seaway.platforms import patience
from seaway.platforms.patience import Away, Patience, carry_out


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOOK_S", 0.0)


def away(times: int) -> Callable[[], str]:
    """Who answers after that many outages."""
    answers = iter([*[False] * times, True])

    def ask() -> str:
        if not next(answers):
            raise Away("it is out for lunch")
        return "here"

    return ask


def test_an_outage_is_sat_out_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    assert Patience("The clerk", 600.0, SlurmUnavailable).answered(away(5)) == "here"
    assert caplog.messages == ["The clerk does not answer: it is out for lunch; waiting for it."]


def test_one_that_lasts_too_long_is_the_error_that_was_asked_for() -> None:
    with pytest.raises(
        SlurmUnavailable, match=r"The clerk has not answered for 0 s: it is out for lunch\. Ask later\."
    ):
        Patience("The clerk", 0.0, lambda outage: SlurmUnavailable(f"{outage} Ask later.")).answered(away(1_000_000))


class Wait:
    """One that notes what it is told to do, and is cut short where it says."""

    def __init__(self, cut: str, how: Callable[[], None]) -> None:
        self.cut, self.how, self.done = cut, how, list[str]()

    def submit_or_adopt(self) -> None:
        self._do("submit")

    def until_end(self) -> None:
        self._do("wait")

    def stop(self) -> None:
        self._do("stop")

    def _do(self, what: str) -> None:
        if what == self.cut:
            self.how()
        self.done.append(what)


def fail() -> None:
    raise RuntimeError("lost")


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_job_that_ends_well_is_not_stopped() -> None:
    carry_out(wait := Wait("", fail))
    assert wait.done == ["submit", "wait"]


@pytest.mark.parametrize("cut", ["submit", "wait"])
def test_an_error_stops_the_job_and_goes_on(cut: str) -> None:
    wait = Wait(cut, fail)
    with pytest.raises(RuntimeError, match="lost"):
        carry_out(wait)
    assert wait.done[-1] == "stop"


def test_a_submission_is_not_cut_in_two_and_its_job_is_stopped() -> None:
    wait = Wait("submit", terminate)
    with pytest.raises(SystemExit):
        carry_out(wait)
    assert wait.done == ["submit", "stop"]


def test_stopping_is_not_cut_short() -> None:
    def first_then_again() -> None:
        wait.cut, wait.how = "stop", terminate
        terminate()

    wait = Wait("wait", first_then_again)
    with pytest.raises(SystemExit):
        carry_out(wait)
    assert wait.done == ["submit", "stop"]
