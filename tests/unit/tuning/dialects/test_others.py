"""Ray Tune, Keras Tuner, SigOpt and Katib: each thing is read, or named."""

import json
from pathlib import Path
from typing import Any

import kubeflow_katib_api.models as katib
import pytest
import yaml
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.platforms.kubernetes.tuning import experiment_validation, suggestion_validation
from seaway.tuning.dialects import Search, read, write

RAY = """
import ray.tune as rt
from ray import tune
from ray.tune import uniform

base = {"units": tune.qrandint(8, 128, 8)}
tuner = tune.Tuner(train, param_space={
    "rate": tune.loguniform(1e-4, 1e-1),
    "dropout": uniform(0, 0.5),
    "share": rt.quniform(0.1, 0.9, 0.2),
    "layers": tune.randint(1, 5),
    "batch": tune.choice([16, 32]),
    "optimizer": {"momentum": tune.uniform(0.1, 0.9), "name": "sgd"},
    "nested": base,
    "depth": tune.grid_search([2, 4]),
    "noise": tune.randn(0, 1),
    "later": tune.sample_from(lambda spec: spec.config.rate * 2),
    "data": load(),
})
"""
KERAS = """
import keras_tuner as kt

def build(hp):
    net.add(Dense(hp.Int("units", min_value=32, max_value=512, step=32)))
    rate = hp.Float("rate", 1e-4, 1e-2, sampling="log")
    kind = hp.Choice("kind", ["deep", "wide"])
    with hp.conditional_scope("kind", ["deep"]):
        for number in range(hp.Int("layers", 1, 3)):
            hp.Boolean(f"skip_{number}")
    hp.Fixed("seed", 3)
    hp.Float("late", 0.5, 0.9, sampling="reverse_log")
"""
SIGOPT = {
    "name": "x",
    "parameters": [
        {"name": "rate", "type": "double", "bounds": {"min": 1e-4, "max": 0.1}, "transformation": "log"},
        {"name": "layers", "type": "int", "bounds": {"min": 1, "max": 4}, "conditions": {"kind": ["deep"]}},
        {"name": "optimizer", "type": "categorical", "categorical_values": [{"name": "adam"}, "sgd"]},
        {"name": "batch", "type": "int", "grid": [16, 64]},
        {"name": "p", "type": "double", "bounds": {"min": 0, "max": 1}, "prior": {"name": "beta"}},
    ],
    "conditionals": [{"name": "kind", "values": ["deep", "wide"]}],
    "metrics": [
        {"name": "auc", "objective": "maximize"},
        {"name": "latency", "objective": "minimize", "strategy": "constraint", "threshold": 20},
        {"name": "size", "strategy": "store"},
    ],
    "budget": 40,
    "parallel_bandwidth": 2,
}


def found_in(folder: Path, name: str, content: Any) -> Search:
    (folder / name).write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return read(folder / name)


def names(lost: list[str]) -> list[str]:
    return [one.partition(" ")[0].rstrip(":") for one in lost]


def test_ray_tune(tmp_path: Path) -> None:
    found = found_in(tmp_path, "space.py", RAY)
    assert found.arguments()["space"] == {
        "rate": {"type": "float", "low": 1e-4, "high": 0.1, "log": True},
        "dropout": {"type": "float", "low": 0.0, "high": 0.5, "log": False},
        "share": {"type": "float", "low": 0.2, "high": 0.8, "log": False, "step": 0.2},
        "layers": {"type": "int", "low": 1, "high": 4, "log": False, "step": 1},
        "batch": {"type": "categorical", "choices": [16, 32]},
        "optimizer.momentum": {"type": "float", "low": 0.1, "high": 0.9, "log": False},
        "nested.units": {"type": "int", "low": 8, "high": 128, "log": False, "step": 8},
        "depth": {"type": "categorical", "choices": [2, 4]},
    }
    assert found.params == {"optimizer": {"name": "sgd"}}
    assert names(found.lost) == ["depth", "noise", "later", "data"]


def test_keras_tuner_in_python_and_in_json(tmp_path: Path) -> None:
    found = found_in(tmp_path, "model.py", KERAS)
    space = found.arguments()["space"]
    assert space["units"] == {"type": "int", "low": 32, "high": 512, "log": False, "step": 32}
    assert space["rate"]["log"] and space["layers"]["when"] == {"parameter": "kind", "values": ["deep"]}
    assert found.params == {"seed": 3}
    assert names(found.lost) == ["hp.Boolean(f'skip_{number}')", "late"]
    condition = {"class_name": "Parent", "config": {"name": "kind", "values": ["deep"]}}
    config = {
        "space": [
            {"class_name": "Choice", "config": {"name": "kind", "values": ["deep", "wide"], "conditions": []}},
            {"class_name": "Int", "config": {"name": "layers", "min_value": 1, "max_value": 3, "step": 1,
                                             "sampling": "linear", "conditions": [condition]}},
        ],
        "values": {"kind": "deep"},
    }  # fmt: skip
    for name, content in (("hp.json", config), ("oracle.json", {"hyperparameters": config, "max_trials": 9})):
        told = found_in(tmp_path, name, json.dumps(content))
        assert told.arguments()["space"]["layers"] == space["layers"]
    assert told.trials == 9


def test_sigopt(tmp_path: Path) -> None:
    found = found_in(tmp_path, "experiment.yml", SIGOPT)
    told = found.arguments()
    assert told["space"]["rate"]["log"] and told["space"]["batch"]["choices"] == [16, 64]
    assert told["space"]["layers"]["when"] == {"parameter": "kind", "values": ["deep"]}
    assert told["objectives"] == [{"metric": "auc", "goal": "maximize"}]
    assert told["constraints"] == [{"metric": "latency", "at_most": 20}]
    assert (told["trials"], told["parallel"]) == (40, 2)
    assert names(found.lost) == ["p", "the"]


def template(space: dict[str, Any]) -> dict[str, Any]:
    """What a user puts below spec: a Job of the parameters."""
    words = [f"--{name}=${{trialParameters.{name}}}" for name in space]
    container = {"name": "training", "image": "trainer:1", "command": ["train", *words]}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {
        "primaryContainerName": "training",
        "trialParameters": [{"name": name, "reference": name} for name in space],
        "trialSpec": {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": pod}},
    }


def test_katib_there_and_back_is_the_same_search(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {
        "space": {
            "rate": {"type": "float", "low": 1e-4, "high": 0.1, "log": True},
            "share": {"type": "float", "low": 0.0, "high": 0.5, "log": False, "step": 0.25},
            "units": {"type": "int", "low": 8, "high": 128, "log": False, "step": 8},
            "optimizer": {"type": "categorical", "choices": ["adam", "sgd"]},
        },
        "objectives": [{"metric": "auc", "goal": "maximize"}],
        "algorithm": "tpe", "trials": 12, "parallel": 3, "max_failed": 2,
    }  # fmt: skip
    written = write("katib", arguments)
    assert names(list(written.lost)) == ["trialTemplate"]
    spec = katib.V1beta1ExperimentSpec.from_dict(written.content["spec"])
    assert spec is not None and spec.max_failed_trial_count == 3
    whole = {**written.content, "spec": {**written.content["spec"], "trialTemplate": template(arguments["space"])}}
    assert [*experiment_validation.rules(whole), *suggestion_validation.rules(whole)] == []
    back = found_in(tmp_path, "experiment.yaml", written.content)
    assert back.arguments() == arguments and back.lost == []


def test_what_katib_has_and_seaway_has_not_is_named(tmp_path: Path) -> None:
    spec = {
        "parameters": [
            {"name": "a", "parameterType": "double",
             "feasibleSpace": {"min": "0.1", "max": "1", "distribution": "normal"}},
            {"name": "b", "parameterType": "discrete", "feasibleSpace": {"list": ["1", "2.5"]}},
        ],
        "objective": {"type": "minimize", "objectiveMetricName": "loss", "goal": 0.1},
        "algorithm": {"algorithmName": "enas", "algorithmSettings": [{"name": "x", "value": "1"}]},
        "trialTemplate": {},
    }  # fmt: skip
    found = found_in(tmp_path, "a.yaml", {"kind": "Experiment", "spec": spec})
    assert found.arguments()["space"]["b"]["choices"] == [1, 2.5]
    assert names(found.lost) == ["a", "objective.goal", "algorithm", "algorithmSettings", "trialTemplate"]


@pytest.mark.parametrize("target", ["katib", "sweeps"])
def test_what_a_target_has_not_is_named(target: str) -> None:
    arguments = {
        "space": {
            "kind": {"type": "categorical", "choices": ["a", "b"]},
            "x": {"type": "int", "low": 0, "high": 1000, "step": 7, "when": {"parameter": "kind", "values": ["a"]}},
        },
        "objectives": [{"metric": "auc"} | {"goal": "maximize"}, {"metric": "size", "goal": "minimize"}],
        "constraints": [{"metric": "size", "at_most": 3}], "algorithm": "asha", "params": {"epochs": 3},
    }  # fmt: skip
    lost = names(list(write(target, arguments).lost))
    assert lost[:3] == ["x", "the", "constraints"] and "the" in lost[3:]


def test_what_is_no_search_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="imports none of"):
        found_in(tmp_path, "a.py", "import os")
    with pytest.raises(InvalidSpec, match="no Python"):
        found_in(tmp_path, "a.py", "import")
    with pytest.raises(InvalidSpec, match=r"No parameter is searched\. What was found .*: x: a normal"):
        found_in(tmp_path, "a.py", "from ray import tune\nd = {'x': tune.randn(0, 1)}")
    with pytest.raises(DataUnreadable):
        read(tmp_path / "gone.yaml")
    with pytest.raises(InvalidSpec, match="none of katib, sweeps"):
        write("optuna", {"space": {}})
    with pytest.raises(InvalidSpec, match="has a `space`"):
        write("katib", {})
