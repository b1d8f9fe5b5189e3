"""Which trial comes next: the params as given, a grid's points, the finalists on all rows, a population's next part."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seaway.errors import InvalidSpec
from seaway.tuning import population
from seaway.tuning.objective import dominates
from seaway.tuning.spec import TuneSpec
from seaway.tuning.trial import Trial

FINALISTS = 4  # one in so many trials of a study that first looks at a part of the rows is kept for all of them


@dataclass(frozen=True)
class Proposal:
    """A trial to start.

    Args:
        params: A point of the space; None leaves it to the sampler.
        rows: Fraction of the training rows.
        parent: Number of the trial whose checkpoint it goes on from.
        stop_at: Epoch after which it is over; None lets it train to its end.
        whole: It is not ended early, whatever it is behind.
    """

    params: Mapping[str, Any] | None
    rows: float = 1.0
    parent: int | None = None
    stop_at: int | None = None
    whole: bool = False


def propose(spec: TuneSpec, ended: Sequence[Trial], running: int, spent: bool = False) -> Proposal | None:
    """The next trial; None where there is none, or none before a running one has ended.

    Args:
        spec: The study.
        ended: Its trials that have ended, by number.
        running: How many more have started.
        spent: No more trials are wanted than one that may be best, where there is none.
    """
    if spec.rows_fraction < 1 and (spent or len(ended) + running >= search_trials(spec)):
        return _finalist(spec, ended, running, spent)
    if spent:
        return None
    return _search(spec, ended, running)


def search_trials(spec: TuneSpec) -> int:
    """How many trials look for points; the rest of the budget is for the finalists."""
    if spec.rows_fraction == 1:
        return spec.budget.trials
    return spec.budget.trials - max(1, spec.budget.trials // FINALISTS)


def given_point(spec: TuneSpec) -> dict[str, Any] | None:
    """The params that the training has already, where they are a point of the space."""
    point: dict[str, Any] = {}
    for name in spec.space.parameters:
        value = spec.space.value_in(spec.training.params, name)
        if value is not None and spec.space.active(point, name):
            point[name] = value
    try:
        spec.space.check(point)
    except InvalidSpec:
        return None
    return point


def _search(spec: TuneSpec, ended: Sequence[Trial], running: int) -> Proposal | None:
    started = len(ended) + running
    if started >= search_trials(spec):
        return None
    if spec.algorithm.name == "grid":
        point = next(itertools.islice(spec.space.points(), started, None), None)
        return None if point is None else Proposal(point, spec.rows_fraction)
    if spec.algorithm.name == "pbt":
        return _member(spec, ended, running)
    given = given_point(spec) if started == 0 else None
    return Proposal(given, spec.rows_fraction, whole=given is not None)


def _member(spec: TuneSpec, ended: Sequence[Trial], running: int) -> Proposal | None:
    """The next of a population; a generation starts when all of the one before have ended."""
    member = population.next_member(spec, ended, running)
    if member is None:
        return None
    params = given_point(spec) if not ended and not running else member.params
    return Proposal(params, parent=member.parent, stop_at=member.stop_at)


def _finalist(spec: TuneSpec, ended: Sequence[Trial], running: int, spent: bool) -> Proposal | None:
    """The next of the best points, to be trained on all rows."""
    rank = sum(trial.rows == 1 for trial in ended)
    searched = [trial for trial in ended if trial.rows < 1]
    if not spent and len(searched) < search_trials(spec):
        return None  # some of them are running
    rank += running
    best = _ranked(spec, searched)[: 1 if spent else spec.budget.trials - search_trials(spec)]
    return Proposal(best[rank].params) if rank < len(best) else None


def _ranked(spec: TuneSpec, trials: Sequence[Trial]) -> list[Trial]:
    """The trials on a part of the rows that ended well: the Pareto front before the rest, by the first objective."""
    sound = [one for one in trials if one.counts(spec.objectives, spec.constraints, spec.rows_fraction)]

    def place(trial: Trial) -> tuple[bool, float, int]:
        beaten = any(dominates(spec.objectives, other.values, trial.values) for other in sound)
        return beaten, spec.objectives[0].place(trial.values), trial.number

    return sorted(sound, key=place)
