"""An undecided rollout says how many more observations would decide it."""

import math

import numpy as np
import pytest
from seaway.rollout.judge.verdict import Evidence, Finding
from seaway.rollout.judge.wanted import wanted

LEVEL = 0.05


def evidence(criterion: str, log_e: float, n: int, finding: Finding = Finding.UNDECIDED) -> Evidence:
    return Evidence(criterion, finding, 0.0, None, None, "", 0.0, log_e, 1.0, (n + 5, n), "")


def test_evidence_that_is_half_of_what_is_wanted_wants_as_many_again() -> None:
    half = evidence("quality", math.log(1 / LEVEL) / 2, 300)
    assert wanted([half], LEVEL) == "Quality wants about 300 more rows with a label, if they go on as the 300 did."


@pytest.mark.parametrize(("log_e", "n"), [(-1.0, 50), (0.0, 50), (0.1, 50), (5.0, 0)])
def test_evidence_that_tells_too_little_promises_nothing(log_e: float, n: int) -> None:
    assert "more than 10 times" in wanted([evidence("errors", log_e, n)], LEVEL)


def test_what_is_decided_wants_nothing() -> None:
    settled = [evidence(str(one), 9.0, 10, one) for one in (Finding.SAFE, Finding.HARMFUL)]
    assert wanted(settled, LEVEL) == ""
    assert wanted([], LEVEL) == ""


@pytest.mark.parametrize("seen", [100, 400])
def test_as_many_as_are_wanted_decide(seen: int) -> None:
    """Bets of a fixed size on draws that are as those were."""
    gain = math.log(1 / LEVEL) / 1_000
    told = wanted([evidence("errors", gain * seen, seen)], LEVEL)
    more = int(told.split("about ")[1].split(" ")[0].replace(",", ""))
    assert np.isclose(gain * (seen + more), math.log(1 / LEVEL), atol=gain)
