"""A search as it is read, piece by piece: what Seaway can say, and what it cannot, named."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seaway.errors import InvalidSpec
from seaway.tuning.algorithm import Algorithm
from seaway.tuning.budget import Budget
from seaway.tuning.objective import Constraint, Objective
from seaway.tuning.space import SearchSpace

UNBOUNDED = "has no bounds, which a range here needs: name low and high by hand"


@dataclass
class Search:
    """Arguments of `tune_model`, and what of the other tool's file is not among them.

    Attributes:
        space: parameters by name, as `SearchSpace.parse` reads them.
        params: values that are the same in each trial.
        objectives, constraints, algorithm, settings, trials, parallel, max_failed: as `tune_model` has them; None and
            empty where the file says nothing.
        lost: a phrase for each thing that cannot be said here.
    """

    space: dict[str, dict[str, Any]] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    objectives: list[dict[str, Any]] = field(default_factory=list)
    constraints: list[dict[str, Any]] = field(default_factory=list)
    algorithm: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    trials: int | None = None
    parallel: int | None = None
    max_failed: int | None = None
    lost: list[str] = field(default_factory=list)

    def lose(self, what: str) -> None:
        """Name what cannot be said, once."""
        if what not in self.lost:
            self.lost.append(what)

    def choice(self, name: str, values: Sequence[Any], when: Mapping[str, Any] | None = None) -> None:
        """One of some values; of a single one it is a param like any other."""
        kept: list[Any] = []
        for value in values:
            if not any(type(value) is type(one) and value == one for one in kept):
                kept.append(value)
        if len(kept) < len(values):
            self.lose(f"{name}: a value that is there twice, and so is drawn more often; here each is there once")
        if not kept:
            raise InvalidSpec(f"{name} has no values.")
        if len(kept) == 1 and when is None:
            self.constant(name, kept[0])
        else:
            self._add(name, {"type": "categorical", "choices": kept}, when)

    def number(
        self,
        name: str,
        low: float,
        high: float,
        whole: bool = False,
        log: bool = False,
        step: float | None = None,
        when: Mapping[str, Any] | None = None,
    ) -> None:
        """A number from `low` to `high`, both included."""
        if whole:
            low, high, step = round(low), round(high), max(1, round(step or 1))
        if low == high:
            self.choice(name, [low], when)
            return
        if log and low <= 0:
            self.lose(f"{name}: its logarithmic scale begins at {low:g}; here it is drawn evenly")
            log = False
        fields: dict[str, Any] = {"type": "int" if whole else "float", "low": low, "high": high}
        if log:
            fields["log"] = True
        if step is not None and (step != 1 or not whole):
            fields["step"] = min(step, high - low)
        self._add(name, fields, when)

    def rounded(
        self,
        name: str,
        low: float,
        high: float,
        step: float,
        whole: bool = False,
        log: bool = False,
        when: Mapping[str, Any] | None = None,
    ) -> None:
        """A number that is drawn from `low` to `high` and then rounded to a multiple of `step`, ends included."""
        first, last = math.floor(low / step + 0.5) * step, math.ceil(high / step - 0.5) * step
        self.number(name, _tidy(first, step), _tidy(last, step), whole, log, step, when)

    def constant(self, name: str, value: Any) -> None:
        """A value that each trial has; a dotted name reaches into nested params."""
        *path, last = name.split(".")
        target = self.params
        for key in path:
            target = target.setdefault(key, {})
        target[last] = value

    def objective(self, metric: str, goal: str) -> None:
        """A figure that is sought; `max` and `MAXIMIZE` are maximize."""
        self.objectives.append({"metric": metric, "goal": "maximize" if goal.lower().startswith("max") else "minimize"})

    def arguments(self) -> dict[str, Any]:
        """What `tune_model` is given, checked as it would be.

        Raises:
            InvalidSpec: there is no parameter, or a range is empty.
        """
        space = SearchSpace.parse(self.space)
        for one in self.objectives:
            Objective.parse(one)
        for one in self.constraints:
            Constraint.parse(one)
        if self.algorithm:
            Algorithm(self.algorithm, self.settings)
        if self.trials is not None:
            Budget(self.trials, max_failed=self.max_failed or 0)
        told = {"space": space.as_json(), **{name: getattr(self, name) for name in ARGUMENTS}}
        return {name: value for name, value in told.items() if value not in (None, "", [], {})}

    def _add(self, name: str, fields: dict[str, Any], when: Mapping[str, Any] | None) -> None:
        if name in self.space and self.space[name] != {**fields, **({"when": dict(when)} if when else {})}:
            self.lose(f"{name}: it is there twice, and the second is left out")
            return
        self.space[name] = {**fields, **({"when": dict(when)} if when else {})}


ARGUMENTS = ("params", "objectives", "constraints", "algorithm", "settings", "trials", "parallel", "max_failed")


def _tidy(value: float, step: float) -> float:
    """Without the dust of binary fractions: 0.30000000000000004 is 0.3 where steps are 0.1."""
    digits = max(0, 12 - math.floor(math.log10(abs(step))))
    return round(value, min(digits, 15))
