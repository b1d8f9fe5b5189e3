"""How far each arm's answer is from the truth: what a replay counts as losses."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from seaway import tasks
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.serving import ARMS
from seaway.storage.arrow_numpy import plain_numpy
from seaway.tasks import Target, Task

Losses = Callable[[str, int, Mapping[str, Any]], float]


@dataclass(frozen=True)
class Yardstick:
    """What each arm's model predicts; both by the same label, each with its own classes in its own order."""

    targets: Mapping[str, Target]

    @classmethod
    def of(cls, targets: Mapping[str, Target], label: str = "", task: str = "") -> "Yardstick":
        """Of what the models' signatures say, else of the arguments; a model that says nothing is read as the other.

        Raises:
            InvalidSpec: nobody says what the models predict, or something else than the arguments.
        """
        said = next((targets[arm] for arm in ARMS if arm in targets), None)
        if said is None and not (label and task):
            raise InvalidSpec(
                "No loss can be counted: neither model's signature says what it predicts. Give label and task, or "
                "leave quality out of the rollout by a quality_margin of 0."
            )
        fallback = said or Target(task, label)
        found = {arm: targets.get(arm, fallback) for arm in ARMS}
        for arm, target in found.items():
            if (label or target.label, task or target.task) != (target.label, target.task):
                raise InvalidSpec(
                    f"The {arm} model predicts {target.label!r} ({target.task}), not {label!r} ({task or 'any task'}), "
                    "by which it is to be judged."
                )
        return cls(found)

    def losses(self, rows: pa.Table, where: str) -> Losses:
        """The loss in [0, 1] of an arm's answer to a row; NaN where it is no legal one.

        Raises:
            DataUnreadable: a label is missing or none of the task.
            InvalidSpec: the arms predict different things, or no loss can be counted.
        """
        label = self.targets[ARMS[0]].label
        if label not in rows.column_names:
            raise DataUnreadable(f"{where} lack the label {label!r}; there are: {', '.join(rows.column_names)}.")
        values = plain_numpy(rows[label])
        arms = {arm: tasks.of(tasks.learnt(target, values, where)) for arm, target in self.targets.items()}
        arms = {arm: task.beside(arms[ARMS[0]]) for arm, task in arms.items()}
        known = {arm: task.labels(values, where) for arm, task in arms.items()}
        for arm, task in arms.items():
            _require_losses(task, known[arm][:1])
        return lambda arm, number, outputs: _loss(arms[arm], known[arm][number : number + 1], outputs)


def _require_losses(task: Task, label: Any) -> None:
    """Raises InvalidSpec where an answer that knows nothing has no loss in [0, 1]."""
    loss = float(task.losses(task.answers(np.full((1, task.width), 1 / task.width)), label)[0])
    if not 0 <= loss <= 1:
        raise InvalidSpec(f"The task {task.target.task} gives a loss of {loss}; the judge compares losses in [0, 1].")


def _loss(task: Task, label: Any, outputs: Mapping[str, Any]) -> float:
    """Of one row."""
    output = outputs.get(task.target.output) if task.target.output else next(iter(outputs.values()), None)
    try:
        answers = task.answers(np.asarray(output, np.float64).reshape(1, -1))
    except (TypeError, ValueError):
        return math.nan
    return math.nan if np.isnan(answers).any() else float(task.losses(answers, label)[0])
