"""Asynchronous successive halving: Li et al. 2020, MLSys 2.

At the epochs `min_epochs`, that times `reduction`, and so on, a trial is held against all that have come so far. It
goes on at once where it is among the best one in `reduction` of them; else it is paused, and goes on later where it is
among them by then, because others came in behind it. Nobody waits for a rung to fill.
"""

from collections.abc import Sequence

from seaway.tuning.spec import TuneSpec
from seaway.tuning.trial import State, Trial


def rung(spec: TuneSpec, epochs: int) -> int:
    """The last epoch at which trials are compared, of those that so many epochs reach; 0 where there is none."""
    reached, following = 0, int(spec.algorithm.settings["min_epochs"])
    while following <= epochs:
        reached, following = following, following * int(spec.algorithm.settings["reduction"])
    return reached


def leads(spec: TuneSpec, trial: Trial, trials: Sequence[Trial]) -> bool:
    """Whether it is among the best one in `reduction` of all that have reached its rung, itself one of them."""
    last = _rung(spec, trial)
    reached = [one for one in trials if one.state is not State.FAILED and 0 < last <= len(one.history)]
    reached.sort(key=lambda one: _place(spec, one, last))
    best = reached[: len(reached) // spec.algorithm.settings["reduction"]]
    return any(one.number == trial.number for one in best)


def promoted(spec: TuneSpec, trials: Sequence[Trial]) -> Trial | None:
    """The paused trial that goes on: of those that lead, the best at the highest rung."""
    return furthest(spec, [one for one in trials if one.state is State.PRUNED and leads(spec, one, trials)])


def furthest(spec: TuneSpec, trials: Sequence[Trial]) -> Trial | None:
    """The best of the paused trials at the highest rung."""
    paused = [one for one in trials if one.state is State.PRUNED and _rung(spec, one)]
    return min(paused, key=lambda one: (-_rung(spec, one), _place(spec, one, _rung(spec, one))), default=None)


def unbeaten(spec: TuneSpec, trials: Sequence[Trial]) -> Trial | None:
    """The furthest of the paused trials, where no whole training was as good at its rung."""
    paused = furthest(spec, trials)
    if paused is None:
        return None
    last = _rung(spec, paused)
    whole = [one for one in trials if one.state is State.COMPLETE and len(one.history) >= last]
    return paused if all(_place(spec, paused, last) < _place(spec, one, last) for one in whole) else None


def _rung(spec: TuneSpec, trial: Trial) -> int:
    return rung(spec, len(trial.history))


def _place(spec: TuneSpec, trial: Trial, epoch: int) -> tuple[float, int]:
    return spec.objectives[0].place(trial.history[epoch - 1]), trial.number
