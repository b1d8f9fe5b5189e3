"""Every algorithm of the laptop tunes a network on real flights; a killed study goes on; trials end as they should."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from places import LOCAL_PROGRAMS
from seaway.errors import InvalidSpec, TuningFailed
from seaway.platforms.local.tuning.optuna import OptunaTuner
from seaway.platforms.mlflow import MlflowRegistry
from seaway.training import TrainSpec
from seaway.tuning import (
    METHODS,
    Algorithm,
    Budget,
    Categorical,
    Constraint,
    Float,
    Int,
    Objective,
    SearchSpace,
    State,
    TuneResult,
    TuneSpec,
    When,
)
from seaway_examples.flights.source import read_tables

from training_processes import MARK, alive, kill, wait_until  # isort: skip

NUMERIC, CATEGORICAL = ["distance", "hour", "day"], ["carrier", "origin", "dest"]
COLUMNS = {"numeric": NUMERIC, "categorical": CATEGORICAL, "label": "late"}
PARAMS = {**COLUMNS, "hidden": [16], "embedding": 4, "epochs": 3, "patience": 3}
DAYS = 10  # of January 2013 that are learned from; the next four are looked at
LOSS = (Objective("validation_loss", "minimize"),)
SCORE = (Objective("score"),)
SPACE = SearchSpace({"learning_rate": Float(1e-3, 3e-2, log=True), "weight_decay": Float(1e-4, 1e-1, log=True)})
LAPTOP = [name for name, method in METHODS.items() if "optuna" in method.backends]
STEP = """
import logging, pickle, sys
from pathlib import Path
from seaway.platforms.local.tuning.optuna import OptunaTuner
logging.basicConfig(level=logging.INFO, format="%(message)s")
OptunaTuner().tune(pickle.loads(Path(sys.argv[1]).read_bytes()))
"""


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`train.parquet` and `validation.parquet` in the order of time: what one knows before departure, and the label."""
    folder = tmp_path_factory.mktemp("flights")
    flights = read_tables(months=[1], rows=12_000)["flights"]
    departure = flights["scheduled_departure"]
    rows = pa.table(
        {
            **{name: flights[name].cast(pa.string()) for name in CATEGORICAL},
            "distance": flights["distance"],
            "hour": pc.hour(departure),
            "day": pc.day(departure),
            "late": flights["late"],
        }
    ).drop_null()
    for name, days in (("train", range(DAYS + 1)), ("validation", range(DAYS + 1, DAYS + 5))):
        pq.write_table(rows.filter(pc.is_in(rows["day"], pa.array(days, pa.int64()))), folder / f"{name}.parquet")
    return folder


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    monkeypatch.syspath_prepend(str(LOCAL_PROGRAMS))


def network(flights: Path, tmp_path: Path, algorithm: Algorithm, **changed: Any) -> TuneSpec:
    training = TrainSpec(
        flights / "train.parquet", flights / "validation.parquet", tmp_path / "o", tmp_path / "c", params=PARAMS
    )
    if entrypoint := changed.pop("entrypoint", ""):
        training = dataclasses.replace(training, entrypoint=entrypoint)
    fields = {"space": SPACE, "objectives": LOSS, "budget": Budget(4), "parallel": 2, **changed}
    return TuneSpec(training, algorithm=algorithm, output=tmp_path / "study", **fields)


def curve(tmp_path: Path, algorithm: Algorithm = Algorithm("random"), **changed: Any) -> TuneSpec:  # noqa: B008
    params = {"epochs": 3, **changed.pop("params", {})}
    for name in ("train", "validation"):
        (tmp_path / name).write_text(name)
    training = TrainSpec(
        tmp_path / "train", tmp_path / "validation", tmp_path / "o", tmp_path / "c", "curve_trainer", params=params
    )
    fields = {"space": SearchSpace({"x": Float(0, 1)}), "objectives": SCORE, "budget": Budget(4), **changed}
    return TuneSpec(training, algorithm=algorithm, output=tmp_path / "study", **fields)


SETTINGS = {"pbt": {"population": 2}, "tpe": {"startup_trials": 2}, "bayes": {"startup_trials": 2}}


@pytest.mark.parametrize("name", LAPTOP)
def test_each_algorithm_tunes_flights(name: str, flights: Path, tmp_path: Path) -> None:
    space = SPACE
    if name == "grid":
        space = SearchSpace({"learning_rate": Float(0.001, 0.011, step=0.01), "embedding": Int(2, 4, step=2)})
    if name == "asha":
        space = SearchSpace({**SPACE.parameters, "hidden": Categorical([[16], [32, 16]])})
    result = OptunaTuner().tune(network(flights, tmp_path, Algorithm(name, SETTINGS.get(name, {})), space=space))
    assert len(result.trials) == 4
    for trial in result.trials:
        space.check(trial.params)
        assert trial.state in (State.COMPLETE, State.PRUNED)
    complete = [trial for trial in result.trials if trial.state is State.COMPLETE]
    assert result.best.values["validation_loss"] == min(trial.values["validation_loss"] for trial in complete)
    assert {name: result.params[name] for name in result.best.params} == result.best.params
    assert result.params["numeric"] == PARAMS["numeric"]
    study = json.loads((tmp_path / "study" / "study.json").read_text())
    assert study["best"] == result.best.number
    assert pq.read_table(tmp_path / "study" / "trials.parquet").num_rows == 4
    assert "Parameters and what they led to" in (tmp_path / "study" / "tuning.html").read_text()


def test_a_population_goes_on_from_the_checkpoint_of_its_best(flights: Path, tmp_path: Path) -> None:
    settings = {"population": 2, "interval": 1, "quantile": 0.5}
    result = OptunaTuner().tune(network(flights, tmp_path, Algorithm("pbt", settings), budget=Budget(6)))
    first, second = result.trials[:2], result.trials[2:4]
    best = min(first, key=lambda trial: trial.values["validation_loss"])
    assert [trial.parent for trial in second] == [best.number, best.number]
    for child in second:
        inherited = len(best.history)  # one, or more where it had begun another when it was ended
        assert child.history[:inherited] == best.history
        assert child.epochs == len(child.history) - inherited >= 1
    changed = next(trial for trial in second if trial.number - 2 != best.number)
    for name, value in changed.params.items():
        assert value == pytest.approx(best.params[name] * 0.8) or value == pytest.approx(best.params[name] * 1.2)


def test_trials_that_lag_behind_are_ended_with_all_that_they_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = uuid.uuid4().hex
    space = SearchSpace({"x": Float(0.25, 1.0, step=0.25), "mark": Categorical([mark])})
    spec = curve(tmp_path, HALVING, space=space, budget=Budget(8), params={"epochs": 4, "how": "child", "pace": 0.1})
    result = in_a_step(spec, tmp_path, mark).communicate()[0]
    ended = json.loads((tmp_path / "study" / "study.json").read_text())["trials"]
    assert {len(trial["history"]) for trial in ended if trial["state"] == "PRUNED"} <= {1, 2}, result
    assert any(trial["state"] == "PRUNED" for trial in ended)
    wait_until(lambda: not alive(mark))


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_a_trial_that_has_trained_its_last_epoch_is_not_ended_early(name: str, tmp_path: Path) -> None:
    halving = Algorithm(name, {"sampler": "random", "min_epochs": 3})
    result = OptunaTuner().tune(curve(tmp_path, halving))
    assert [trial.state for trial in result.trials] == [State.COMPLETE] * 4


HALVING = Algorithm("asha", {"sampler": "random", "reduction": 2})


def test_a_paused_trial_goes_on_from_its_checkpoint_even_after_a_kill(flights: Path, tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    # one at a time, each epoch looked at before the next: which trial goes on is a matter of the seed alone
    spec = network(flights, tmp_path, HALVING, budget=Budget(8), parallel=1, entrypoint="patient_trainer")
    step = in_a_step(spec, tmp_path, mark)
    told = []
    try:
        assert step.stdout is not None
        for line in step.stdout:
            told.append(line)
            if "goes on after epoch" in line:
                break
        step.kill()
        step.wait()
        wait_until(lambda: not alive(mark))
    finally:
        kill(mark)
    paused = re.fullmatch(r"trial (\d+) goes on after epoch (\d+)\n", told[-1])
    assert paused, told
    result = OptunaTuner().tune(spec)
    assert len(result.trials) == 8
    again = next(trial for trial in result.trials if trial.number == int(paused[1]))
    assert len(again.history) > int(paused[2]), "its going on is lost"
    assert [len(trial.history) for trial in result.trials] == [trial.epochs for trial in result.trials]


def test_a_study_too_small_for_its_rungs_still_has_an_answer_within_its_budget(tmp_path: Path) -> None:
    result = OptunaTuner().tune(curve(tmp_path, Algorithm("asha"), budget=Budget(2)))
    assert sorted(trial.state for trial in result.trials) == [State.COMPLETE, State.PRUNED]
    assert result.best.params["x"] == max(trial.params["x"] for trial in result.trials)
    short = curve(tmp_path, Algorithm("asha"), budget=Budget(100, epochs=2), params={"pace": 0.2})
    assert OptunaTuner().tune(short).count(State.COMPLETE) == 1


def test_the_params_as_given_are_trained_to_their_end(tmp_path: Path) -> None:
    result = OptunaTuner().tune(curve(tmp_path, Algorithm("asha"), budget=Budget(4), params={"x": 0.01}))
    assert (result.trials[0].params, result.trials[0].state) == ({"x": 0.01}, State.COMPLETE)
    assert result.best.params["x"] > 0.01, "one that looked better was not finished"


def in_a_step(spec: TuneSpec, tmp_path: Path, mark: str) -> "subprocess.Popen[str]":
    import pickle

    (tmp_path / "spec.pickle").write_bytes(pickle.dumps(spec))
    environment = {**os.environ, MARK: mark, "PYTHONPATH": str(LOCAL_PROGRAMS)}
    return subprocess.Popen(
        [sys.executable, "-c", STEP, str(tmp_path / "spec.pickle")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_study_killed_in_the_middle_leaves_no_process_and_goes_on(flights: Path, tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    spec = network(flights, tmp_path, Algorithm("random"), budget=Budget(6))
    step = in_a_step(spec, tmp_path, mark)
    told = []
    try:
        assert step.stdout is not None
        for line in step.stdout:
            told.append(line)
            if line.startswith("trial 2"):
                break
        step.kill()
        step.wait()
        wait_until(lambda: not alive(mark))
    finally:
        kill(mark)
    result = OptunaTuner().tune(spec)
    assert len(result.trials) == 6, told
    assert result.count(State.COMPLETE) == 6
    earlier = [line for line in told if line.startswith("trial ")]
    for line, trial in zip(earlier, sorted(result.trials, key=lambda one: one.number)[:2], strict=False):
        assert line.startswith("trial ") and trial.state is State.COMPLETE
    again = OptunaTuner().tune(spec)
    assert again.trials == result.trials


def test_a_trial_that_was_killed_with_its_study_goes_on_from_its_checkpoint(flights: Path, tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    spec = network(flights, tmp_path, Algorithm("random"), budget=Budget(1), parallel=1)
    long = dataclasses.replace(spec.training, params={**PARAMS, "epochs": 12, "patience": 12, "batch_size": 128})
    spec = dataclasses.replace(spec, training=long)
    step = in_a_step(spec, tmp_path, mark)
    try:
        wait_until(lambda: len(list((tmp_path / "home" / "studies").glob("*/0/checkpoints/*/epoch-*"))) > 1)
        step.kill()
        step.communicate()
        wait_until(lambda: not alive(mark))
    finally:
        kill(mark)
    (kept,) = (tmp_path / "home" / "studies").glob("*/0/output/history.jsonl")
    epochs = [json.loads(line) for line in kept.read_text().splitlines()]
    assert 0 < len(epochs) < 12
    result = OptunaTuner().tune(spec)
    (trial,) = result.trials
    assert list(trial.history[: len(epochs)]) == epochs, "the epochs before the kill were trained again"
    assert len(trial.history) == 12


def test_a_step_that_is_terminated_ends_its_trials(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    step = in_a_step(curve(tmp_path, params={"epochs": 100, "pace": 0.2}), tmp_path, mark)
    try:
        wait_until(lambda: any((tmp_path / "home" / "studies").glob("*/0/output/history.jsonl")))
        step.send_signal(signal.SIGTERM)
        step.communicate()
        wait_until(lambda: not alive(mark))
    finally:
        kill(mark)
    assert step.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise", "wrong phase"),
        ("die", "SIGKILL"),
        ("nan", "is nan"),
        ("hang", r"(?s)for 3 s \(SEAWAY_HEARTBEAT_S\) it has neither .*threading\.py.* in wait.* in misbehave"),
    ],
)
def test_a_trial_that_crashed_diverged_or_hangs_is_counted_and_never_best(
    how: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAWAY_HEARTBEAT_S", "3")
    space = SearchSpace({"x": Float(0.5, 1.0, step=0.5), "how": Categorical(["", how])})
    result = OptunaTuner().tune(curve(tmp_path, Algorithm("grid"), space=space))
    failed = [trial for trial in result.trials if trial.state is State.FAILED]
    assert [trial.params["how"] for trial in failed] == [how, how]
    assert all(re.search(reason, trial.reason) for trial in failed)
    assert result.best.params == {"x": 1.0, "how": ""}


def test_too_many_failures_end_the_study_with_the_last_reason_and_it_can_be_tried_again(tmp_path: Path) -> None:
    spec = curve(tmp_path, params={"how": "raise"}, budget=Budget(9, max_failed=2))
    for _ in range(2):
        with pytest.raises(TuningFailed, match=r"(?s)^3 trials failed.*ValueError: the moon is in the wrong phase$"):
            OptunaTuner().tune(spec)


def test_a_budget_in_seconds_ends_running_trials(tmp_path: Path) -> None:
    result = OptunaTuner().tune(curve(tmp_path, params={"pace": 0.2}, budget=Budget(1000, seconds=4)))
    assert result.ending == "4 s are over"
    assert 0 < result.count(State.COMPLETE) < 1000
    assert result.trials[-1].state in (State.PRUNED, State.COMPLETE)


def test_a_budget_in_epochs_ends_the_study(tmp_path: Path) -> None:
    result = OptunaTuner().tune(curve(tmp_path, params={"pace": 0.2}, budget=Budget(1000, epochs=7)))
    assert result.ending == "7 epochs are over"
    assert 7 <= result.epochs <= 9


def test_a_budget_that_is_over_before_any_trial_has_ended_lets_the_furthest_finish(tmp_path: Path) -> None:
    spec = curve(tmp_path, params={"pace": 0.3}, budget=Budget(1000, epochs=1), parallel=2)
    result = OptunaTuner().tune(spec)
    assert [trial.state for trial in result.trials].count(State.COMPLETE) == 1
    assert result.best.epochs == 3


def test_several_objectives_give_a_front_within_the_constraints(tmp_path: Path) -> None:
    spec = curve(
        tmp_path,
        Algorithm("nsga2", {"population": 4}),
        objectives=(Objective("score"), Objective("cost", "minimize")),
        constraints=(Constraint("cost", at_most=0.5),),
        space=SearchSpace({"x": Float(0, 1), "extra": Float(0, 0.2)}),
        budget=Budget(10),
        params={"epochs": 1},
    )
    result = OptunaTuner().tune(spec)
    assert all(trial.values["cost"] <= 0.5 for trial in result.pareto)
    scores = [trial.values["score"] for trial in sorted(result.pareto, key=lambda one: one.values["cost"])]
    assert scores == sorted(scores)
    assert any(trial.values["cost"] > 0.5 for trial in result.trials), "no trial tried the constraint"
    assert "Pareto front" in (tmp_path / "study" / "tuning.html").read_text()


def test_a_study_learns_from_an_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    first = OptunaTuner().tune(curve(tmp_path / "first", budget=Budget(12), params={"epochs": 1, "pace": 0}))
    learning = Algorithm("tpe", {"startup_trials": 10})
    spec = curve(tmp_path, learning, warm_start=tmp_path / "first" / "study", params={"epochs": 1, "pace": 0})
    result = OptunaTuner().tune(dataclasses.replace(spec, seed=7))
    assert len(result.trials) == 4, "the earlier study's trials are not this one's"
    cold = [trial.params["x"] for trial in first.trials]
    warm = [trial.params["x"] for trial in result.trials]
    assert sum(warm) / len(warm) > sum(cold) / len(cold), "four points drawn anew would not be better"


def test_a_study_looks_at_a_part_of_the_rows_and_then_trains_the_best_on_all(flights: Path, tmp_path: Path) -> None:
    result = OptunaTuner().tune(network(flights, tmp_path, Algorithm("random"), rows_fraction=0.25))
    assert [trial.rows for trial in result.trials] == [0.25, 0.25, 0.25, 1.0]
    best = min(result.trials[:3], key=lambda trial: trial.values["validation_loss"])
    assert result.best.rows == 1.0
    assert result.best.params == best.params
    assert "25%" in result.summary
    assert "25% of the training rows" in (tmp_path / "study" / "tuning.html").read_text()


def test_trials_share_the_machine_unless_processes_are_asked_for(flights: Path, tmp_path: Path) -> None:
    spec = network(flights, tmp_path, Algorithm("random"), budget=Budget(1), trial_workers=2)
    wide = OptunaTuner().tune(spec)
    one = OptunaTuner().tune(
        dataclasses.replace(spec, trial_workers=1, training=dataclasses.replace(spec.training, workers=2))
    )
    assert wide.best.values["validation_loss"] == pytest.approx(one.best.values["validation_loss"], abs=1e-3)


def test_the_same_seed_gives_the_same_study(flights: Path, tmp_path: Path) -> None:
    def points(seed: int, home: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / home))
        spec = network(flights, tmp_path, Algorithm("tpe", {"startup_trials": 2}), parallel=1, seed=seed)
        return [(trial.params, trial.values) for trial in OptunaTuner().tune(spec).trials]

    with pytest.MonkeyPatch.context() as patched:
        assert points(1, "a", patched) == points(1, "b", patched)
        assert points(2, "c", patched) != points(1, "b", patched)


def test_a_study_that_nobody_here_can_carry_out_is_refused_before_anything_starts(
    flights: Path, tmp_path: Path
) -> None:
    odd = SearchSpace({"learning_rate": Float(1e-3, 1e-1, log=True, step=1e-3)})
    with pytest.raises(InvalidSpec, match="katib"):
        OptunaTuner().tune(network(flights, tmp_path, Algorithm("tpe"), space=odd))
    assert not (tmp_path / "home" / "studies").exists()


def test_every_trial_is_a_run_nested_in_the_studys(tmp_path: Path) -> None:
    space = SearchSpace({"x": Float(0.5, 1.0, step=0.5), "how": Categorical(["", "raise"])})
    result = OptunaTuner().tune(curve(tmp_path, Algorithm("grid"), space=space))
    tracker = MlflowRegistry()
    run = tracker.log_study("curve", result)
    assert tracker.log_study("curve", result) == run
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path / 'home' / 'mlflow' / 'mlflow.db'}")
    (experiment,) = client.search_experiments(filter_string="name = 'seaway'")
    nested = client.search_runs([experiment.experiment_id], f"tags.mlflow.parentRunId = '{run}'")
    assert sorted(one.info.status for one in nested) == ["FAILED", "FAILED", "FINISHED", "FINISHED"]
    assert client.get_run(run).data.metrics["score"] == result.best.values["score"]
    (best,) = [one for one in nested if one.data.tags["mlflow.runName"] == f"trial {result.best.number}"]
    assert [point.value for point in client.get_metric_history(best.info.run_id, "curve/score")] == [
        entry["score"] for entry in result.best.history
    ]


def test_no_trials_hand_the_params_on(flights: Path, tmp_path: Path) -> None:
    result: TuneResult = OptunaTuner().tune(network(flights, tmp_path, Algorithm("asha"), budget=Budget(0)))
    assert result.params == PARAMS
    assert (tmp_path / "study" / "tuning.html").exists()


def test_a_parameter_under_a_condition_is_tried_only_where_it_holds(tmp_path: Path) -> None:
    space = SearchSpace(
        {"x": Float(0, 1), "kind": Categorical(["plain", "extra"]), "extra": Int(1, 3, when=When("kind", ("extra",)))}
    )
    spec = curve(tmp_path, Algorithm("tpe", {"startup_trials": 3}), space=space, params={"epochs": 1, "pace": 0})
    result = OptunaTuner().tune(dataclasses.replace(spec, budget=Budget(8)))
    assert {trial.params["kind"] for trial in result.trials} == {"plain", "extra"}
    for trial in result.trials:
        assert ("extra" in trial.params) == (trial.params["kind"] == "extra")
