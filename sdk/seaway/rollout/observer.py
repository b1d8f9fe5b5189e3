"""From answers and the proxy's counts to looks: what was asked is counted, or the look is blind."""

import logging
import time
from collections.abc import Mapping

from seaway.errors import InvalidSpec, MetricsUnavailable
from seaway.monitoring import ArmCounts, TrafficMetrics
from seaway.rollout.observations import ArmObservation, Observation
from seaway.rollout.requests import Answers
from seaway.serving import ARMS, DeployedEndpoint

log = logging.getLogger(__name__)

Counts = Mapping[str, ArmCounts]

POLL_S = 0.1


class Observer:
    """Makes a look of the answers since the look before.

    The proxy may count late, but within `patience_s` seconds it must have counted every answer that the client had.
    A blind look tells what the client saw itself; of what the proxy counts at last, only the rest is told again.
    """

    def __init__(self, metrics: TrafficMetrics, endpoint: DeployedEndpoint, patience_s: float) -> None:
        self._metrics, self._endpoint, self._patience_s = metrics, endpoint, patience_s
        self._before = self._read()
        self._told = Answers()

    def observe(self, answers: Answers, weight: int | None = None) -> Observation:
        """One look at a weight: errors as the proxy counted them, the rest as the answers tell."""
        told, self._told = self._told, Answers()
        self._told.include(told)
        self._told.include(answers)
        after, counts = self._counted(self._told)
        unseen = counts if isinstance(counts, str) else _doubt(counts, self._told, answers.unattributed)
        restarted = isinstance(counts, str) and not isinstance(after, str)
        if restarted or not unseen:
            self._before, self._told = after, Answers()
        if unseen or isinstance(counts, str):
            return _look(answers, weight, {name: _asked(answers, name) for name in ARMS}, unseen)
        return _look(answers, weight, {name: _counted_arm(counts[name], told, answers, name) for name in ARMS})

    def _counted(self, answers: Answers) -> tuple[Counts | str, Counts | str]:
        """The counts, and those since the look before, once they hold all answers; else the latest, or why none."""
        deadline = time.monotonic() + self._patience_s
        while True:
            after = self._read()
            counts = _difference(self._before, after)
            if isinstance(counts, str) or not _short(counts, answers) or time.monotonic() > deadline:
                return after, counts
            time.sleep(POLL_S)

    def _read(self) -> Counts | str:
        """Counts of both arms, or why there are none."""
        try:
            return dict(self._metrics.read(self._endpoint))
        except MetricsUnavailable as error:
            log.warning("no metrics at this look: %s", error)
            return str(error)


def _difference(before: Counts | str, after: Counts | str) -> Counts | str:
    if isinstance(after, str):
        return after
    if isinstance(before, str):
        return "there are no counts from before this look"
    try:
        return {name: after[name] - before[name] for name in ARMS}
    except (InvalidSpec, KeyError) as error:
        return f"the proxy's counters were reset or lack an arm ({error})"


def _short(counts: Counts, answers: Answers) -> list[str]:
    """Arms of which fewer requests were counted than answered."""
    return [name for name in ARMS if counts[name].requests < answers.answered[name]]


def _doubt(counts: Counts, answers: Answers, unattributed: int) -> str:
    """Why the counts are no evidence; empty if they are."""
    if short := _short(counts, answers):
        told = ", ".join(f"{counts[name].requests:,} of {answers.answered[name]:,} of {name}" for name in short)
        return f"the proxy counted fewer requests than were answered ({told}): its counters are stale"
    if unattributed:
        return f"{unattributed:,} requests got no answer, and which arm had them is unknown"
    return ""


def _look(answers: Answers, weight: int | None, arms: Mapping[str, ArmObservation], unseen: str = "") -> Observation:
    now = time.time()
    return Observation(
        now,
        arms["stable"],
        arms["candidate"],
        tuple(answers.differences),
        measured_at=None if unseen else now,
        unseen=unseen,
        unattributed=answers.unattributed,
        weight=weight,
        routed=(answers.routed["stable"], answers.routed["candidate"]) if answers.routed else None,
        by_client=bool(unseen),
    )


def _counted_arm(counts: ArmCounts, told: Answers, answers: Answers, name: str) -> ArmObservation:
    """What the proxy counted and no blind look has told. A request that was never answered may be missing in it."""
    lost, requests = answers.lost[name], counts.requests - told.answered[name]
    errors = min(requests, max(counts.errors - told.failed[name], 0) + answers.invalid[name])
    return _arm(requests + lost, errors + lost, answers, name)


def _asked(answers: Answers, name: str) -> ArmObservation:
    """What the client knows itself of what it asked of an arm."""
    lost = answers.lost[name]
    return _arm(answers.answered[name] + lost, answers.failed[name] + answers.invalid[name] + lost, answers, name)


def _arm(requests: int, errors: int, answers: Answers, name: str) -> ArmObservation:
    """A request that was never answered is an error of its arm."""
    return ArmObservation(requests, errors, tuple(answers.latencies_s[name]), tuple(answers.losses[name]))
