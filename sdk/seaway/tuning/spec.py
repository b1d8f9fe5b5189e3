"""What is to be tuned: a training, where its parameters may lie, and what a better one is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec
from seaway.training import TrainSpec
from seaway.tuning.algorithm import Algorithm
from seaway.tuning.budget import Budget
from seaway.tuning.objective import Constraint, Objective
from seaway.tuning.space import SearchSpace

MAX_SEED = 2**32 - 1  # NumPy's generators take that much


@dataclass(frozen=True)
class TuneSpec:
    """One study; validated on construction.

    Args:
        training: Template of every trial: data, entrypoint, params and checkpoints; its output folder is not used.
        space: Where the params may lie.
        objectives: What is sought; of several, the best trial is the one with the best first objective of those that
            no other trial dominates.
        algorithm: How the next point is chosen and which trials end early.
        budget: When the study ends.
        output: Folder for `study.json`, `trials.parquet` and `tuning.html`.
        parallel: Trials at a time.
        seed: Of the choice of points. Every trial trains with the training's own seed, so that only params differ.
        constraints: Bounds that the best trial has to keep.
        rows_fraction: Below 1, points are looked for on so many of the training's rows; the best of them are trained
            again on all rows, and the best of those counts.
        warm_start: Folder of an earlier study over the same parameters, whose trials the algorithm learns from.
        trial_workers: Processes of each trial, whatever the training has: trials share the machine.
        passthrough: What only one backend knows, by the backend's own names; JSON values.
    Raises:
        InvalidSpec: a field is out of range.
    """

    training: TrainSpec
    space: SearchSpace
    objectives: tuple[Objective, ...]
    algorithm: Algorithm
    budget: Budget
    output: Path
    parallel: int = 1
    seed: int = 0
    constraints: tuple[Constraint, ...] = ()
    rows_fraction: float = 1.0
    warm_start: Path | None = None
    trial_workers: int = 1
    passthrough: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "output", Path(self.output))
        for name in ("objectives", "constraints"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        metrics = [one.metric for one in self.objectives]
        if not metrics or len(set(metrics)) < len(metrics):
            raise InvalidSpec(f"A study needs objectives, each metric once; it has {metrics}.")
        if self.parallel < 1 or self.trial_workers < 1:
            raise InvalidSpec(f"parallel={self.parallel}, trial_workers={self.trial_workers}: both are at least 1.")
        if not 0 <= self.seed <= MAX_SEED:
            raise InvalidSpec(f"seed={self.seed} is outside 0 to {MAX_SEED}.")
        if not 0 < self.rows_fraction <= 1:
            raise InvalidSpec(f"rows_fraction={self.rows_fraction} is not above 0 and at most 1.")
        if self.rows_fraction < 1 and self.budget.trials == 1:
            raise InvalidSpec("rows_fraction below 1 needs 2 trials: one on a part of the rows, one on all.")
        self.space.merged(self.training.params, dict.fromkeys(self.space.parameters))

    @property
    def epochs(self) -> int:
        """Epochs of a trial that is not ended early.

        Raises:
            InvalidSpec: the training's params have no `epochs` that is a whole number.
        """
        epochs = whole_epochs(self.training.params)
        if epochs is None:
            raise InvalidSpec(
                f"params: epochs={self.training.params.get('epochs')!r}; {self.algorithm.name} has to know how many "
                "epochs a whole training has."
            )
        return epochs


def whole_epochs(params: Mapping[str, Any]) -> int | None:
    """The epochs of a whole training as its params say; None where they do not."""
    found = params.get("epochs")
    epochs = float(found) if isinstance(found, int | float) else math.nan
    return int(epochs) if epochs >= 1 and epochs.is_integer() else None
