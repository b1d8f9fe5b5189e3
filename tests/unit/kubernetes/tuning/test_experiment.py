"""Experiments as Katib gets them, and what a trial's texts mean in its pod."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.jobs.kind import State as JobState
from seaway.platforms.kubernetes.jobs.queueing import queue_of
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.platforms.kubernetes.tuning import experiment, katib
from seaway.platforms.kubernetes.tuning.experiment import KIND, Study
from seaway.training import TrainSpec
from seaway.training.fingerprint import with_params
from seaway.training.pod.job import RemoteTraining
from seaway.tuning import Algorithm, Budget, Categorical, Float, Int, Objective, SearchSpace, State, TuneSpec
from seaway.tuning.pod import __main__ as tuning_pod
from seaway.tuning.pod.trial import RemoteTrial, Scale, bounds, folder, nearest, read

PLACEMENT = Placement(image="docker.io/seaway/trainer:1")
SPACE = SearchSpace(
    {
        "learning_rate": Float(1e-4, 1e-1, log=True),
        "dropout": Float(0, 0.5, step=0.1),
        "layers": Int(1, 9, step=2),
        "width": Int(8, 512, log=True),
        "optimizer.name": Categorical(("adam", "sgd")),
        "hidden": Categorical(([64, 32], ["a"], None)),
    }
)
HASHES = {"train": "1", "validation": "2", "code": "3"}
PARAMS = {"epochs": 9, "optimizer": {"name": "adam"}}


def study(space: SearchSpace = SPACE, algorithm: str = "tpe", distributions: bool = True, **changes: Any) -> Study:
    training = TrainSpec(Path("t"), Path("v"), Path("o"), Path("c"), params=PARAMS)
    budget = changes.pop("budget", Budget(6))
    settings = changes.pop("settings", {})
    spec = TuneSpec(
        training, space, (Objective("validation_auc"),), Algorithm(algorithm, settings), budget, Path("out"), **changes
    )
    fingerprint = with_params(HASHES, training.entrypoint, training.params, training.seed)
    template = RemoteTraining.of(training, fingerprint, "s3://bucket/run", "s3://bucket/checkpoints")
    return Study(spec, template, distributions)


def built(study: Study) -> dict[str, Any]:
    manifest = katib.named(study, PLACEMENT)
    KIND.preflight(manifest)
    return manifest


def feasible(study: Study) -> dict[str, tuple[str, dict[str, Any]]]:
    return {one.name: (one.parameter_type, one.feasible_space.to_dict()) for one in experiment.parameters(study)}


@pytest.mark.parametrize("distributions", [True, False])
@pytest.mark.parametrize("algorithm", ["random", "tpe", "sobol"])
def test_a_space_of_every_kind_passes_preflight(algorithm: str, distributions: bool) -> None:
    built(study(algorithm=algorithm, distributions=distributions))


def test_a_logarithmic_parameter_is_one_to_a_katib_that_has_distributions() -> None:
    kind, space = feasible(study())["learning_rate"]
    assert (kind, space) == ("double", {"min": "0.0001", "max": "0.1", "distribution": "logUniform"})


@pytest.mark.parametrize("one", [study(distributions=False), study(algorithm="sobol")], ids=["0.14", "goptuna"])
def test_where_katib_would_draw_evenly_it_draws_the_logarithm(one: Study) -> None:
    kind, space = feasible(one)["learning_rate"]
    assert kind == "double" and "distribution" not in space
    assert [math.exp(float(space[end])) for end in ("min", "max")] == pytest.approx([1e-4, 1e-1])


def test_bayes_draws_an_even_parameter_evenly_though_katib_draws_all_doubles_logarithmically() -> None:
    parameter = Float(-1.0, 3.0)
    one = study(SearchSpace({"x": parameter, "y": Float(1e-3, 1, log=True)}), "bayes")
    built(one)
    low, high = (float(feasible(one)["x"][1][end]) for end in ("min", "max"))
    middle = math.exp((math.log(low) + math.log(high)) / 2)  # the median of a logarithmic draw
    assert one.trial.point({"x": repr(middle), "y": "0.5"}) == pytest.approx({"x": 1.0, "y": 0.5})


def test_choices_that_would_break_the_template_go_by_their_index() -> None:
    assert feasible(study())["hidden"] == ("categorical", {"list": ["0", "1", "2"]})
    assert feasible(study())["optimizer.name"] == ("categorical", {"list": ["adam", "sgd"]})


numbers = st.floats(-1e3, 1e3).filter(lambda value: value == 0 or abs(value) > 1e-6)


@st.composite
def floats(draw: st.DrawFn) -> Float:
    log = draw(st.booleans())
    low = draw(st.floats(1e-6, 1e3)) if log else draw(numbers)
    width = draw(st.floats(1e-3, 1e3))
    step = None if log or draw(st.booleans()) else width / draw(st.integers(1, 20))
    return Float(low, low + width, log, step)


@st.composite
def ints(draw: st.DrawFn) -> Int:
    log, low, width = draw(st.booleans()), draw(st.integers(1, 100)), draw(st.integers(1, 100))
    return Int(low, low + width, log, 1 if log else draw(st.integers(1, width)))


@given(floats() | ints(), st.sampled_from([Scale.VALUE, Scale.LOGARITHM, Scale.EXPONENTIAL]), st.floats(0, 1))
def test_all_that_katib_draws_between_the_bounds_is_a_value_of_the_parameter(
    parameter: Float | Int, scale: Scale, share: float
) -> None:
    if scale is Scale.LOGARITHM and parameter.low <= 0:
        return
    low, high = map(float, bounds(parameter, scale))
    assert parameter.holds(read(parameter, scale, repr(low + share * (high - low))))


@given(floats() | ints(), st.floats(0, 1))
def test_a_value_survives_the_way_to_katib_and_back(parameter: Float | Int, share: float) -> None:
    value = nearest(parameter, parameter.low + share * (parameter.high - parameter.low))
    assert read(parameter, Scale.VALUE, parameter.write(value)) == pytest.approx(value)


def test_a_trial_trains_its_point_over_the_studys_params_and_keeps_its_own_checkpoints() -> None:
    one = study()
    trial = RemoteTrial.parse(one.trial.text)
    assert trial == one.trial
    texts = {"learning_rate": "0.01", "dropout": "0.30000004", "layers": "3.0", "width": "63.7",
             "optimizer.name": "sgd", "hidden": "1"}  # fmt: skip
    training = trial.training(one.template, trial.point(texts), "study-abc")
    assert training.params == {
        "epochs": 9, "optimizer": {"name": "sgd"}, "learning_rate": 0.01, "dropout": pytest.approx(0.3), "layers": 3,
        "width": 64, "hidden": ["a"],
    }  # fmt: skip
    assert training.output == f"{folder(one.template, 'study-abc')}/model"
    assert training.checkpoints != one.template.checkpoints
    assert {name: training.fingerprint[name] for name in HASHES} == HASHES
    assert training.fingerprint["run"] != one.template.fingerprint["run"]


def test_the_pod_finds_each_text_under_the_number_that_the_template_gave_it() -> None:
    one = study()
    [container] = built(one)["spec"]["trialTemplate"]["trialSpec"]["spec"]["pytorchReplicaSpecs"]["Master"]["template"][
        "spec"
    ]["containers"]
    references = {entry["name"]: entry["reference"] for entry in built(one)["spec"]["trialTemplate"]["trialParameters"]}
    substituted = {
        variable["name"]: references.get(variable["value"].removeprefix("${trialParameters.").removesuffix("}"), "")
        for variable in container["env"]
    }
    trial = RemoteTrial.parse(one.trial.text)
    assert tuning_pod.texts(trial, substituted) == {name: name for name in SPACE.parameters}


def test_a_text_that_stands_for_nothing_is_refused() -> None:
    for texts in ({}, dict.fromkeys(SPACE.parameters, "x")):
        with pytest.raises(InvalidSpec):
            study().trial.point(texts)


def test_every_parameter_has_a_place_in_the_pods_environment_and_none_in_a_shell_line() -> None:
    manifest = built(study())
    template = manifest["spec"]["trialTemplate"]
    replica = template["trialSpec"]["spec"]["pytorchReplicaSpecs"]["Master"]
    [container] = replica["template"]["spec"]["containers"]
    assert container["command"] == ["python", "-m", "seaway.tuning.pod"] and "args" not in container
    values = [variable["value"] for variable in container["env"]]
    assert all(f"${{trialParameters.{one['name']}}}" in values for one in template["trialParameters"])
    assert replica["template"]["metadata"]["labels"]["katib.kubeflow.org/experiment"] == manifest["metadata"]["name"]
    assert replica["restartPolicy"] == "Never", "a second start of a trial would not be measured"


def test_names_leave_room_for_what_katib_appends() -> None:
    assert len(built(study())["metadata"]["name"]) <= 40


def test_budgets_reach_katib_as_it_counts() -> None:
    spec = built(study(budget=Budget(4, max_failed=1), parallel=9))["spec"]
    counts = [spec[name] for name in ("maxTrialCount", "maxFailedTrialCount", "parallelTrialCount")]
    assert counts == [4, 2, 4], "one failed trial is put up with, the second ends the study"


def test_a_grid_ends_with_its_points() -> None:
    space = SearchSpace({"x": Int(1, 2), "y": Categorical(("a", "b", "c"))})
    assert built(study(space, "grid", budget=Budget(100)))["spec"]["maxTrialCount"] == 6


def test_hyperband_shares_out_the_epochs_of_the_training() -> None:
    one = study(SearchSpace({"x": Float(0, 1)}), "hyperband", budget=Budget(20), parallel=9)
    spec = built(one)["spec"]
    settings = {entry["name"]: entry["value"] for entry in spec["algorithm"]["algorithmSettings"]}
    assert settings == {"r_l": "9", "eta": "3", "resource_name": "epochs"}
    assert feasible(one)["epochs"] == ("int", {"min": "1", "max": "9"})
    with pytest.raises(InvalidSpec, match=r"parallelTrialCount: .* not less than 9"):
        built(study(SearchSpace({"x": Float(0, 1)}), "hyperband", budget=Budget(20), parallel=2))


def test_median_stopping_is_a_sampler_with_early_stopping() -> None:
    spec = built(study(algorithm="median", settings={"startup_trials": 4}))["spec"]
    assert spec["algorithm"]["algorithmName"] == "tpe"
    assert spec["earlyStopping"] == {
        "algorithmName": "medianstop",
        "algorithmSettings": [{"name": "min_trials_required", "value": "4"}, {"name": "start_step", "value": "1"}],
    }


def test_what_only_katib_knows_passes_through() -> None:
    graph = {"numLayers": 2, "inputSizes": [32], "outputSizes": [10]}
    operation = {
        "operationType": "convolution",
        "parameters": [{"name": "size", "parameterType": "categorical", "feasibleSpace": {"list": ["3", "5"]}}],
    }
    space = SearchSpace({"architecture": Categorical(("any",)), "nn_config": Categorical(("any",))})
    passthrough = {
        "nasConfig": {"graphConfig": graph, "operations": [operation]},
        "algorithm": {"algorithmName": "enas"},
        "resumePolicy": "LongRunning",
        "objective": {"goal": 0.99},
    }
    one = study(space, "random", passthrough=passthrough)
    manifest = experiment.build(one, PLACEMENT)["spec"]
    assert manifest["nasConfig"] == passthrough["nasConfig"] and "parameters" not in manifest
    assert manifest["objective"]["goal"] == 0.99 and manifest["objective"]["objectiveMetricName"] == "validation_auc"
    assert one.trial.point({"architecture": "[[1]]", "nn_config": "{'a': 1}"})["nn_config"] == "{'a': 1}"
    with pytest.raises(InvalidSpec, match="no nasconfig; there are: algorithm"):
        study(passthrough={"nasconfig": {}})


def test_a_metric_that_katib_cannot_read_is_refused() -> None:
    training = study().spec.training
    spec = TuneSpec(training, SPACE, (Objective("auc/validation"),), Algorithm(), Budget(1), Path("out"))
    with pytest.raises(InvalidSpec, match="no metric 'auc/validation'"):
        Study(spec, study().template)


CONDITIONS = [
    ("Succeeded", "ExperimentMaxTrialsReached", JobState.SUCCEEDED),
    ("Succeeded", "ExperimentGoalReached", JobState.SUCCEEDED),
    ("Succeeded", "ExperimentSuggestionEndReached", JobState.SUCCEEDED),
    ("Failed", "ExperimentFailed", JobState.FAILED),
]


@pytest.mark.parametrize(("kind", "reason", "state"), CONDITIONS, ids=[reason for _, reason, _ in CONDITIONS])
def test_an_experiment_ends_as_its_condition_says(kind: str, reason: str, state: JobState) -> None:
    condition = {"type": kind, "status": "True", "reason": reason, "message": "why"}
    running = {"type": "Running", "status": "False"}
    outcome = KIND.outcome({"status": {"conditions": [running, condition]}})
    assert outcome is not None and (outcome.state, outcome.reason) == (state, reason)


def test_an_experiment_that_runs_or_restarts_has_not_ended() -> None:
    for kind in ("Created", "Running", "Restarting"):
        assert KIND.outcome({"status": {"conditions": [{"type": kind, "status": "True"}]}}) is None


def trial(kind: str = "Succeeded", latest: str = "0.7", **status: Any) -> dict[str, Any]:
    """A Trial as Katib 0.19 writes it."""
    assignments = [{"name": "learning_rate", "value": "0.01"}]
    observation = {"metrics": [{"name": "validation_auc", "min": latest, "max": latest, "latest": latest}]}
    conditions = [
        {"type": "Created", "status": "True"},
        {"type": "Running", "status": "False"},
        {"type": kind, "status": "True", "message": "said"},
    ]
    times = {"startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:30Z"}
    return {
        "metadata": {"name": "study-abc", "creationTimestamp": times["startTime"]},
        "spec": {"parameterAssignments": assignments},
        "status": {"conditions": conditions, "observation": observation, **times, **status},
    }


@pytest.fixture
def ones(tmp_path: Path) -> Study:
    """A study over one parameter that leaves its histories in a folder."""
    one = study(SearchSpace({"learning_rate": Float(1e-3, 1e-1)}))
    template = RemoteTraining.of(one.spec.training, one.template.fingerprint, tmp_path.as_uri(), "file:///nowhere")
    return Study(one.spec, template)


ENDINGS = [
    ("Succeeded", "0.7", State.COMPLETE, ""),
    ("EarlyStopped", "0.6", State.PRUNED, "EarlyStopped: said"),
    ("Failed", "unavailable", State.FAILED, "Failed: said"),
    ("Killed", "unavailable", State.FAILED, "Killed: said"),
    ("MetricsUnavailable", "unavailable", State.FAILED, "MetricsUnavailable: said"),
    ("Succeeded", "unavailable", State.FAILED, "unavailable"),
    ("Running", "unavailable", State.PRUNED, "still at work"),
]


@pytest.mark.parametrize(("kind", "latest", "state", "reason"), ENDINGS, ids=[f"{e[0]}-{e[1]}" for e in ENDINGS])
def test_a_trial_ends_as_its_condition_says(kind: str, latest: str, state: State, reason: str, ones: Study) -> None:
    read = katib.read_trial(ones, 3, trial(kind, latest))
    assert read.state is state and reason in read.reason
    assert read.values == ({} if latest == "unavailable" else {"validation_auc": float(latest)})
    assert (read.number, read.params, read.seconds) == (3, {"learning_rate": 0.01}, 90.0)


def test_a_trial_has_the_history_that_its_pod_has_left(ones: Study, tmp_path: Path) -> None:
    entries = [{"epoch": epoch, "validation_auc": 0.1 * epoch} for epoch in (1, 2)]
    left = tmp_path / "trials" / "study-abc" / "history.jsonl"
    left.parent.mkdir(parents=True)
    left.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    read = katib.read_trial(ones, 0, trial())
    assert read.history == tuple(entries) and read.epochs == 2


def test_progress_says_how_trials_ended_and_which_is_best() -> None:
    status = {
        "trialsSucceeded": 3, "trialsFailed": 1, "trialMetricsUnavailable": 1, "trialsEarlyStopped": 2,
        "currentOptimalTrial": {
            "bestTrialName": "study-abc", "parameterAssignments": [{"name": "x", "value": "2"}],
            "observation": {"metrics": [{"name": "auc", "latest": "0.7"}]},
        },
    }  # fmt: skip
    [line] = experiment.progress({"spec": {"maxTrialCount": 9}, "status": status})
    assert line == (
        "Trials: 3 succeeded, 2 stopped early, 1 failed, 1 without metrics (unavailable), of 9. Best: auc 0.7 by x=2."
    )
    assert list(experiment.progress({"spec": {"maxTrialCount": 9}, "status": {"trialsRunning": 2}})) == []


def test_the_job_of_every_trial_waits_in_the_queue_and_the_experiment_in_none() -> None:
    manifest = experiment.build(study(), replace(PLACEMENT, local_queue="night", queue_priority="low"))
    labels = manifest["spec"]["trialTemplate"]["trialSpec"]["metadata"]["labels"]
    assert labels == {"kueue.x-k8s.io/queue-name": "night", "kueue.x-k8s.io/priority-class": "low"}
    named = {**manifest, "metadata": {"name": "study"}}
    experiment.preflight(named)
    assert queue_of(named) == ""
