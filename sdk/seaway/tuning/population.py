"""Population based training: Jaderberg et al. 2017, arXiv:1711.09846, in generations.

Each member trains for `interval` epochs as one trial. Then a member of the worst `quantile` goes on from the checkpoint
of one of the best, with that one's params perturbed; every other goes on from its own. The paper lets members run on
without waiting for each other; generations make the same seed give the same study, whatever the machine's load.
The space holds what may change while a network trains, such as the learning rate, and not its shape.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seaway.tuning.space import Categorical, Float, Parameter
from seaway.tuning.spec import TuneSpec
from seaway.tuning.trial import State, Trial

FACTORS = (0.8, 1.2)  # that a number is multiplied by, as in the paper
RESAMPLED = 0.25  # chance that a categorical parameter is drawn anew, as in the paper


@dataclass(frozen=True)
class Member:
    """One part of one member's training."""

    params: Mapping[str, Any] | None
    parent: int | None
    stop_at: int


def next_member(spec: TuneSpec, ended: Sequence[Trial], running: int) -> Member | None:
    """The next trial; None where all generations are done, nobody is left, or some of the last one are running."""
    size, interval = spec.algorithm.settings["population"], spec.algorithm.settings["interval"]
    generation, place = divmod(len(ended) + running, size)
    if generation >= generations(spec):
        return None
    stop_at = min((generation + 1) * interval, spec.epochs)
    if generation == 0:
        return Member(None, None, stop_at)
    if len(ended) < generation * size:
        return None
    before = ended[(generation - 1) * size : generation * size]
    followed = _follow(spec, before, before[place], len(ended) + running)
    return None if followed is None else Member(*followed, stop_at)


def generations(spec: TuneSpec) -> int:
    """How often each member is looked at, until its epochs or the budget's trials are over."""
    size: int = spec.algorithm.settings["population"]
    interval: int = spec.algorithm.settings["interval"]
    return max(1, min(math.ceil(spec.epochs / interval), spec.budget.trials // size))


def _follow(spec: TuneSpec, before: Sequence[Trial], own: Trial, index: int) -> tuple[dict[str, Any], int] | None:
    """Params and parent of the member that comes after `own`."""
    ranked = _ranked(spec, before)
    if not ranked:
        return None
    part = max(1, math.ceil(len(before) * spec.algorithm.settings["quantile"]))
    worst = {trial.number for trial in before} - {trial.number for trial in ranked[: len(before) - part]}
    if own.number not in worst or own.number == ranked[0].number:
        return dict(own.params), own.number
    chance = random.Random(f"{spec.seed}/{index}")  # noqa: S311 - reproducible, and no secret
    parent = chance.choice(ranked[:part])
    params = {name: _perturbed(spec.space.parameters[name], value, chance) for name, value in parent.params.items()}
    return params, parent.number


def _ranked(spec: TuneSpec, trials: Sequence[Trial]) -> list[Trial]:
    """The trials that ended well, the best first."""
    sound = [trial for trial in trials if trial.state is State.COMPLETE]
    return sorted(sound, key=lambda trial: (spec.objectives[0].place(trial.values), trial.number))


def _perturbed(parameter: Parameter, value: Any, chance: random.Random) -> Any:
    if isinstance(parameter, Categorical):
        return chance.choice(parameter.choices) if chance.random() < RESAMPLED else value
    moved = min(max(value * chance.choice(FACTORS), parameter.low), parameter.high)
    steps = parameter.values()
    if steps is not None:
        return min(steps, key=lambda step: abs(step - moved))
    return float(moved) if isinstance(parameter, Float) else moved
