"""Tuning: asynchronous halving against random search, the cost of a study beside a bare loop, and two trials at once.

A small network on flights of January 2013, the same space, rows and training for all. What random search reaches in N
epochs is reached by asha with TPE in how many? Both start without a point of ours; five seeds, medians.
"""

import dataclasses
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from unittest import mock

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from seaway.platforms.local.optuna import OptunaTuner
from seaway.training import TrainSpec
from seaway.training.tabular import __main__ as tabular
from seaway.tuning import Algorithm, Budget, Categorical, Float, Objective, SearchSpace, State, TuneResult, TuneSpec
from seaway_examples.flights.source import read_tables

from benchmarks import Row, main

SEEDS, EPOCHS, TRIALS = 5, 9, 18
N = EPOCHS * TRIALS  # epochs of random search
NUMERIC, CATEGORICAL = ["distance", "hour", "weekday"], ["carrier", "origin", "dest"]
SPACE = SearchSpace(
    {
        "learning_rate": Float(1e-4, 1e-1, log=True),
        "weight_decay": Float(1e-5, 1.0, log=True),
        "hidden": Categorical([[8], [32], [64, 32]]),
        "batch_size": Categorical([256, 1024, 4096]),
    }
)
LOSS = Objective("validation_loss", "minimize")
HALVING = Algorithm("asha", {"startup_trials": 8, "reduction": 3})


def measure() -> list[Row]:
    """Four rows: epochs until random search's score, seconds a trial, both machines' cores."""
    with _home() as folder:
        _write_rows(folder)
        template = _study(folder, Algorithm("random"), Budget(TRIALS))
        pairs = [_race(template, seed) for seed in range(SEEDS)]
        ours, reached = median(pair[0] for pair in pairs), sum(pair[0] <= N / 3 for pair in pairs)
        one, two, bare = _trial_seconds(template)
        return [
            Row(
                f"epochs until random search's score of {N}",
                ours,
                N,
                "epochs",
                "<= 0.33x",
                "lower",
                f"asha with TPE, median of {SEEDS} seeds; {reached} of them within a third",
            ),
            Row("a trial of a study", one, bare, "s", "<= 1.5x", "lower", "a process each, against a loop in one"),
            Row("two trials at once", two, one, "s a trial", "<= 0.6x", "lower", f"efficiency {one / two / 2:.0%}"),
        ]


@contextmanager
def _home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name, mock.patch.dict(os.environ, {"SEAWAY_HOME": f"{name}/home"}):
        yield Path(name)


def _write_rows(folder: Path) -> None:
    """Days 1 to 12 are learned from, 13 to 18 looked at."""
    flights = read_tables(months=[1], rows=16_000)["flights"]
    departure = flights["scheduled_departure"]
    texts = {name: flights[name].cast(pa.string()) for name in CATEGORICAL}
    numbers = {"distance": flights["distance"], "hour": pc.hour(departure), "weekday": pc.day_of_week(departure)}
    rows = pa.table({**texts, **numbers, "late": flights["late"], "day": pc.day(departure)}).drop_null()
    for name, first, last in (("train", 1, 12), ("validation", 13, 18)):
        chosen = pc.and_(pc.greater_equal(rows["day"], first), pc.less_equal(rows["day"], last))
        pq.write_table(rows.filter(chosen), folder / f"{name}.parquet")


def _study(folder: Path, algorithm: Algorithm, budget: Budget) -> TuneSpec:
    params = {"numeric": NUMERIC, "categorical": CATEGORICAL, "embedding": 4, "epochs": EPOCHS, "patience": EPOCHS}
    training = TrainSpec(
        folder / "train.parquet", folder / "validation.parquet", folder / "o", folder / "c", params=params
    )
    return TuneSpec(training, SPACE, (LOSS,), algorithm, budget, folder / "study", parallel=2)


def _race(template: TuneSpec, seed: int) -> tuple[int, float]:
    """Epochs that asha needs for the score of random search, N + 1 where N do not do; and that score."""
    score = OptunaTuner().tune(dataclasses.replace(template, seed=seed)).best.values[LOSS.metric]
    budget = Budget(trials=N, epochs=N)
    ours = OptunaTuner().tune(dataclasses.replace(template, seed=seed, algorithm=HALVING, budget=budget))
    return _epochs_until(ours, score), score


def _epochs_until(result: TuneResult, score: float) -> int:
    """Of all trials up to the first whose score is as good, those beside it included."""
    spent = 0
    for trial in result.trials:
        spent += trial.epochs
        if trial.state is State.COMPLETE and trial.values[LOSS.metric] <= score:
            return spent
    return N + 1


def _trial_seconds(template: TuneSpec) -> tuple[float, float, float]:
    """Seconds a trial: one after the other, two at once, and in a bare loop of this process over the same params."""
    seconds = {}
    for parallel in (1, 2):
        spec = dataclasses.replace(template, parallel=parallel, seed=99)
        started = time.perf_counter()
        result = OptunaTuner().tune(spec)
        seconds[parallel] = (time.perf_counter() - started) / len(result.trials)
    return seconds[1], seconds[2], _bare(template, result)


def _bare(template: TuneSpec, result: TuneResult) -> float:
    """The same trainings up to their figures, without the export of a model."""
    torch.set_num_threads(1)
    started = time.perf_counter()
    with mock.patch.object(tabular, "write_model"):
        for trial in result.trials:
            folder = template.training.output / str(trial.number)
            params = SPACE.merged(template.training.params, trial.params)
            spec = dataclasses.replace(template.training, output=folder, checkpoints=folder / "c", params=params)
            folder.mkdir(parents=True)
            tabular.main(spec, f"{trial.number:064d}")
    return (time.perf_counter() - started) / len(result.trials)


if __name__ == "__main__":
    main(measure)
