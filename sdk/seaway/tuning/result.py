"""What a study found: its trials, the best of them, and the folder that keeps them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable, InvalidSpec, TuningFailed
from seaway.reporting.tuning_section import figure
from seaway.storage import atomic_path, read_json, write_json
from seaway.tuning.importance import Importance, importance
from seaway.tuning.objective import dominates
from seaway.tuning.spec import TuneSpec
from seaway.tuning.trial import State, Trial

STUDY_FILE, TRIALS_FILE = "study.json", "trials.parquet"


@dataclass(frozen=True)
class TuneResult:
    """A study that has ended.

    Args:
        spec: What was asked for.
        trials: All trials, by number.
        ending: What ended it, for a person: "all 20 trials have ended", "30 s are over".
    """

    spec: TuneSpec
    trials: tuple[Trial, ...]
    ending: str = ""

    @property
    def candidates(self) -> list[Trial]:
        """The trials that may be best: ended well on all rows, with finite figures, within the constraints."""
        return [one for one in self.trials if one.counts(self.spec.objectives, self.spec.constraints)]

    @cached_property
    def pareto(self) -> tuple[Trial, ...]:
        """The candidates that no other is better than in one objective without being worse in another."""
        found = self.candidates
        return tuple(
            one for one in found if not any(dominates(self.spec.objectives, each.values, one.values) for each in found)
        )

    @property
    def best(self) -> Trial:
        """The trial of the Pareto front with the best first objective; of equals the earliest.

        Raises:
            TuningFailed: no trial has ended well; with the reason of the last failure.
        """
        if not self.pareto:
            raise TuningFailed(f"None of {len(self.trials)} trials ended well{self._why_none()}")
        first = self.spec.objectives[0]
        return min(self.pareto, key=lambda trial: (first.place(trial.values), trial.number))

    @property
    def params(self) -> dict[str, Any]:
        """The training's params with those of the best trial set; the training's own where no trial was asked for."""
        if not self.trials and not self.spec.budget.trials:
            return dict(self.spec.training.params)
        return self.spec.space.merged(self.spec.training.params, self.best.params)

    @cached_property
    def importance(self) -> Importance | None:
        """How much each parameter matters for the first objective; None where there are too few trials to say."""
        return importance(self.spec.space, self.spec.objectives[0], self.trials)

    @property
    def epochs(self) -> int:
        """Epochs of all trials together."""
        return sum(trial.epochs for trial in self.trials)

    @property
    def seconds(self) -> float:
        """Seconds of all trials together; those that ran at once count each."""
        return sum(trial.seconds for trial in self.trials)

    @property
    def figures(self) -> dict[str, float]:
        """The best trial's values, and what they cost; nothing where no trial was asked for."""
        if not self.trials:
            return {}
        return {**self.best.values, "trials": len(self.trials), "epochs": self.epochs, "seconds": self.seconds}

    def count(self, state: State) -> int:
        """Trials that ended so."""
        return sum(trial.state is state for trial in self.trials)

    @property
    def summary(self) -> str:
        """A line for a person: the best figures, and what they cost."""
        if not self.trials:
            return "off, params as given"
        values = self.best.values
        figures = [f"{one.metric.replace('_', ' ')} {figure(values[one.metric])}" for one in self.spec.objectives]
        part = self.spec.rows_fraction
        rows = [] if part == 1 else [f"first on {part:.0%} of the rows"]
        cost = f"{len(self.trials)} trials, {self.count(State.PRUNED)} pruned, {self.epochs} epochs"
        return ", ".join([*figures, cost, *rows])

    def write(self, folder: Path) -> None:
        """Write `study.json` and `trials.parquet`, a row a trial, into a folder, made when missing."""
        write_json(folder / STUDY_FILE, self.as_json())
        self._write_table(folder / TRIALS_FILE)

    def as_json(self) -> dict[str, Any]:
        """The study as `study.json` holds it."""
        spec = self.spec
        return {
            "objectives": [asdict(one) for one in spec.objectives],
            "constraints": [asdict(one) for one in spec.constraints],
            "space": spec.space.as_json(),
            "algorithm": asdict(spec.algorithm),
            "budget": asdict(spec.budget),
            "parallel": spec.parallel,
            "seed": spec.seed,
            "rows_fraction": spec.rows_fraction,
            "warm_start": None if spec.warm_start is None else str(spec.warm_start),
            "ending": self.ending,
            "best": self.best.number if self.trials else None,
            "pareto": [trial.number for trial in self.pareto],
            "params": self.params,
            "importance": None if (shares := self.importance) is None else asdict(shares),
            "trials": [_finite(asdict(trial)) for trial in self.trials],
        }

    def _write_table(self, target: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {
            "number": pa.array([one.number for one in self.trials], pa.int64()),
            "state": pa.array([str(one.state) for one in self.trials], pa.string()),
            "epochs": pa.array([one.epochs for one in self.trials], pa.int64()),
            "seconds": pa.array([one.seconds for one in self.trials], pa.float64()),
            "rows": pa.array([one.rows for one in self.trials], pa.float64()),
            "parent": pa.array([one.parent for one in self.trials], pa.int64()),
            "reason": pa.array([one.reason for one in self.trials], pa.string()),
        }
        columns |= {f"value.{name}": self._figures(name) for name in self._metrics()}
        for name in self.spec.space.parameters:
            texts = [_text(one.params.get(name)) for one in self.trials]
            columns[f"param.{name}"] = pa.array(texts, pa.string())
        with atomic_path(target) as draft:
            pq.write_table(pa.table(columns), draft)

    def _figures(self, metric: str) -> Any:
        import pyarrow as pa

        return pa.array([one.values.get(metric) for one in self.trials], pa.float64())

    def _metrics(self) -> list[str]:
        bounded = [one.metric for one in self.spec.constraints]
        return list(dict.fromkeys([*(one.metric for one in self.spec.objectives), *bounded]))

    def _why_none(self) -> str:
        failed = [trial for trial in self.trials if trial.state is State.FAILED]
        if failed:
            return f"; trial {failed[-1].number} failed: {failed[-1].reason}"
        if self.spec.constraints and self.count(State.COMPLETE):
            return "; those that did miss a constraint: widen the constraints or the search space."
        return f" ({self.ending}); give the study a larger budget."


def earlier_trials(folder: Path) -> tuple[Trial, ...]:
    """The trials in the `study.json` of a folder.

    Raises:
        DataUnreadable: there is none, or it is no study.
    """
    try:
        return tuple(_trial(fields) for fields in read_json(folder / STUDY_FILE)["trials"])
    except (KeyError, TypeError, ValueError, InvalidSpec) as error:
        raise DataUnreadable(
            f"{folder / STUDY_FILE} is no study ({error!r}); name a folder that a study wrote."
        ) from error


def _trial(fields: Mapping[str, Any]) -> Trial:
    changed = {"state": State(fields["state"]), "history": tuple(fields["history"])}
    return Trial(**{**fields, **changed})


def _text(value: Any) -> str | None:
    """A parameter's value as JSON, None where the trial has no such parameter."""
    return None if value is None else json.dumps(value)


def _finite(value: Any) -> Any:
    """The value with null for each number that JSON has no word for."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))) else value  # noqa: PLR0124
