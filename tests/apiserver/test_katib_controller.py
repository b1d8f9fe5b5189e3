"""Studies whose Katib is PLAYED: the test writes what Katib 0.19 writes, in a real API server without a Katib.

It is for what the real Katib 0.14 of `test_katib.py` does not have: medianstop, grid and hyperband, trials that end
early, and endings that no study of ours can bring about at will. The statuses follow 0.19's documented API; that a
real Katib writes them so is what `test_katib.py` shows, for those that 0.14 has.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from controllers import in_background
from kubernetes import client, dynamic
from seaway.errors import TuningFailed
from seaway.platforms.kubernetes.tuning.experiment import RESOURCE as EXPERIMENTS
from seaway.platforms.kubernetes.tuning.experiment import TRIALS
from seaway.platforms.kubernetes.tuning.katib import KatibTuner
from seaway.tuning import State, TuneResult
from tuning_step import study

pytestmark = pytest.mark.timeout(300)
GROUP, VERSION, NAMESPACE = "kubeflow.org", "v1beta1", "default"
SPACE = {"learning_rate": {"type": "float", "low": 0.125, "high": 0.5, "step": 0.125}}
POINTS = ("0.125", "0.25", "0.375", "0.5")
MAX_REACHED = "Experiment has succeeded because max trial count has reached"
GOAL_REACHED = "Experiment has succeeded because Objective goal has reached"
FAILED = "Experiment has failed because max failed count has reached"


@pytest.fixture(scope="module")
def api(serve: Callable[..., None], cluster: dynamic.DynamicClient) -> client.CustomObjectsApi:
    serve(EXPERIMENTS, TRIALS)
    return client.CustomObjectsApi(cluster.client)


@pytest.fixture(autouse=True)
def environment(api: client.CustomObjectsApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {
        "SEAWAY_RUN_ID": f"run-{secrets.token_hex(4)}",
        "SEAWAY_NAMESPACE": NAMESPACE,
        "SEAWAY_STORAGE": (tmp_path / "storage").as_uri(),
        "SEAWAY_TRAINER_IMAGE": "nobody.example/trainer:none",
    }
    for name, value in named.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def training(tmp_path: Path) -> dict[str, Any]:
    rows = pd.DataFrame({"wind": np.linspace(0, 1, 8, dtype=np.float32), "late": np.int8([0, 1] * 4)})
    for name in ("train", "validation"):
        rows.to_parquet(tmp_path / f"{name}.parquet")
    return {
        "train": str(tmp_path / "train.parquet"),
        "validation": str(tmp_path / "validation.parquet"),
        "output": str(tmp_path / "model"),
        "checkpoints": str(tmp_path / "checkpoints"),
        "params": {"numeric": ["wind"], "label": "late", "epochs": 4},
    }


@dataclass(frozen=True)
class Played:
    """A trial as Katib leaves it: the condition that holds, what that says, and the figure of the objective."""

    condition: str
    latest: str
    message: str = ""


@dataclass(frozen=True)
class Part:
    """What Katib does with the next Experiment: its trials, and its end; no condition where it goes on."""

    trials: Sequence[Played]
    condition: str = ""
    reason: str = ""
    message: str = ""

    def play(self, objects: client.CustomObjectsApi, known: set[str], over: threading.Event) -> None:
        experiment = new_experiment(objects, known, over)
        for number, one in enumerate(self.trials):
            write_trial(objects, experiment, number, one)
        write_status(objects, "experiments", experiment["metadata"]["name"], self.status())

    def status(self) -> dict[str, Any]:
        ended = {"type": self.condition, "status": "True", "reason": self.reason, "message": self.message}
        going_on = {"type": "Running", "status": "False" if self.condition else "True"}
        count = {field: [t for t in self.trials if t.condition == kind] for field, kind in COUNTED.items()}
        return {
            "conditions": [{"type": "Created", "status": "True"}, going_on, *([ended] if self.condition else [])],
            "trials": len(self.trials),
            **{field: len(found) for field, found in count.items() if found},
        }


COUNTED = {
    "trialsSucceeded": "Succeeded",
    "trialsFailed": "Failed",
    "trialsEarlyStopped": "EarlyStopped",
    "trialMetricsUnavailable": "MetricsUnavailable",
    "trialsRunning": "Running",
}


def new_experiment(objects: client.CustomObjectsApi, known: set[str], over: threading.Event) -> dict[str, Any]:
    while not over.wait(0.1):
        for found in listed(objects):
            if found["metadata"]["uid"] not in known:
                return found
    raise AssertionError("no Experiment was created")


def write_trial(objects: client.CustomObjectsApi, experiment: dict[str, Any], number: int, one: Played) -> None:
    name = f"{experiment['metadata']['name']}-{number:08x}"
    labels = {"katib.kubeflow.org/experiment": experiment["metadata"]["name"]}
    least = {one["name"]: one["feasibleSpace"]["min"] for one in experiment["spec"]["parameters"]}
    assigned = [{"name": key, "value": value} for key, value in {**least, "learning_rate": POINTS[number]}.items()]
    manifest = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Trial",
        "metadata": {"name": name, "labels": labels},
        "spec": {"parameterAssignments": assigned, "objective": experiment["spec"]["objective"]},
    }
    objects.create_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "trials", manifest)
    figure = {"name": "validation_auc", "min": one.latest, "max": one.latest, "latest": one.latest}
    status = {
        "conditions": [
            {"type": "Created", "status": "True"},
            {"type": one.condition, "status": "True", "message": one.message},
        ],
        "startTime": "2026-01-01T00:00:00Z",
        "observation": {"metrics": [figure]},
    }
    if one.condition != "Running":
        status["completionTime"] = "2026-01-01T00:00:30Z"
    write_status(objects, "trials", name, status)


def write_status(objects: client.CustomObjectsApi, plural: str, name: str, status: dict[str, Any]) -> None:
    place = (GROUP, VERSION, NAMESPACE, plural, name)
    objects.patch_namespaced_custom_object_status(*place, {"status": status})


def katib_controller(objects: client.CustomObjectsApi, part: Part) -> AbstractContextManager[None]:
    """Katib's part in another thread; what goes wrong there is raised here."""
    known = {one["metadata"]["uid"] for one in listed(objects)}
    return in_background(lambda over: part.play(objects, known, over))


def tuned(objects: client.CustomObjectsApi, training: dict[str, Any], part: Part, **settings: Any) -> TuneResult:
    with katib_controller(objects, part):
        return KatibTuner().tune(study(training, SPACE, 4, **settings))


def test_a_trial_that_medianstop_ended_is_pruned_and_never_best(
    api: client.CustomObjectsApi, training: dict[str, Any]
) -> None:
    trials = [Played("Succeeded", "0.6"), Played("EarlyStopped", "0.9", "Trial is early stopped")]
    part = Part(trials, "Succeeded", "ExperimentMaxTrialsReached", MAX_REACHED)
    result = tuned(api, training, part, algorithm="median")
    experiment = listed(api)[-1]
    assert experiment["spec"]["earlyStopping"]["algorithmName"] == "medianstop"
    assert [trial.state for trial in result.trials] == [State.COMPLETE, State.PRUNED]
    assert result.trials[1].reason == "EarlyStopped: Trial is early stopped"
    assert result.best.params == {"learning_rate": 0.125}
    assert result.ending == MAX_REACHED


def listed(objects: client.CustomObjectsApi) -> list[dict[str, Any]]:
    found = objects.list_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "experiments")["items"]
    return sorted(found, key=lambda one: int(one["metadata"]["resourceVersion"]))


def test_a_goal_that_is_reached_ends_the_study_before_its_trials_are_over(
    api: client.CustomObjectsApi, training: dict[str, Any]
) -> None:
    part = Part([Played("Succeeded", "0.8")], "Succeeded", "ExperimentGoalReached", GOAL_REACHED)
    result = tuned(api, training, part, passthrough={"objective": {"goal": 0.75}})
    assert listed(api)[-1]["spec"]["objective"]["goal"] == 0.75
    assert (len(result.trials), result.ending) == (1, GOAL_REACHED)


def test_trials_without_metrics_are_failed_and_the_others_count(
    api: client.CustomObjectsApi, training: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "seaway")
    trials = [Played("MetricsUnavailable", "unavailable", "Metrics are not available"), Played("Succeeded", "0.6")]
    part = Part(trials, "Succeeded", "ExperimentMaxTrialsReached", MAX_REACHED)
    result = tuned(api, training, part, algorithm="grid", max_failed=2)
    assert [trial.state for trial in result.trials] == [State.FAILED, State.COMPLETE]
    assert result.best.number == 1
    assert "1 without metrics (unavailable)" in caplog.text


def test_an_experiment_that_fails_is_told_with_the_reasons_of_its_trials(
    api: client.CustomObjectsApi, training: dict[str, Any]
) -> None:
    trials = [Played("Succeeded", "0.6"), Played("Failed", "unavailable", "Trial has failed: exit code 3")]
    part = Part(trials, "Failed", "ExperimentFailed", FAILED)
    with pytest.raises(TuningFailed, match=r"max failed count has reached(.|\n)*Trial 1 failed: .*exit code 3"):
        tuned(api, training, part)


def test_a_study_of_hyperband_shares_out_the_epochs_and_keeps_each_trials_share_from_the_params(
    api: client.CustomObjectsApi, training: dict[str, Any]
) -> None:
    part = Part([Played("Succeeded", "0.6")], "Succeeded", "ExperimentSuggestionEndReached", "no more suggestions")
    result = tuned(api, training, part, algorithm="hyperband", parallel=4)
    names = {one["name"] for one in listed(api)[-1]["spec"]["parameters"]}
    assert names == {"learning_rate", "epochs"}
    assert result.best.params == {"learning_rate": 0.125}


def test_a_budget_in_seconds_ends_the_study_with_what_it_has_found(
    api: client.CustomObjectsApi, training: dict[str, Any]
) -> None:
    part = Part([Played("Succeeded", "0.6"), Played("Running", "unavailable")])
    result = tuned(api, training, part, seconds=10.0)
    assert result.ending == "10 s are over"
    assert [trial.state for trial in result.trials] == [State.COMPLETE, State.PRUNED]
    assert result.trials[1].reason == "it was still at work when the study ended"
    assert not [one for one in listed(api) if "trialsRunning" in one["status"]], "the Experiment was left at work"
