"""Sweeps of Weights & Biases: what their own engine draws is in the space that is read, and the other way round."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from seaway.errors import InvalidSpec
from seaway.tuning import SearchSpace
from seaway.tuning.dialects import read, write
from sweeps import SweepConfig, next_run
from sweeps.params import HyperParameter

DRAWS = 200
A = {"min": 0, "max": 9}
NONE = ["[]", "a: 1", "parameters: 3", "parameters: {a: {min: x, max: 2}}", "parameters: {}"]
SWEEP: dict[str, Any] = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "run_cap": 30,
    "parameters": {
        "optimizer": {"values": ["adam", "sgd"]},
        "layers": {"min": 1, "max": 5},
        "dropout": {"min": 0.0, "max": 0.6},
        "decay": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-2},
        "units": {"distribution": "q_uniform", "min": 9, "max": 130, "q": 8},
        "share": {"distribution": "q_uniform", "min": 0.1, "max": 0.95, "q": 0.1},
        "batch": {"distribution": "q_log_uniform_values", "min": 16, "max": 250, "q": 16},
        "epochs": {"value": 3},
    },
}


def saved(folder: Path, content: Any, name: str = "sweep.yaml") -> Path:
    (folder / name).write_text(yaml.safe_dump(content))
    return folder / name


def drawn(sweep: dict[str, Any]) -> list[dict[str, Any]]:
    """Runs of W&B's engine, the published one, which has no limit of runs yet."""
    config = SweepConfig({name: value for name, value in sweep.items() if name != "run_cap"})
    runs = [next_run(config, []) for _ in range(DRAWS)]
    return [{name: one["value"] for name, one in run.config.items()} for run in runs if run]


def values(point: dict[str, Any], space: SearchSpace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps({name: point[name] for name in space.parameters}, default=float))
    return found


def test_what_their_engine_draws_is_a_point_here(tmp_path: Path) -> None:
    found = read(saved(tmp_path, SWEEP))
    space = SearchSpace.parse(found.arguments()["space"])
    points = drawn(SWEEP)
    for point in points:
        space.check(values(point, space))
        assert point["epochs"] == found.params["epochs"]
    for name in ("units", "share", "batch"):  # and each of the space is one that it draws
        every = np.atleast_1d(HyperParameter(name, SWEEP["parameters"][name]).ppf(np.linspace(0, 1, 9999)))
        assert {round(float(one), 6) for one in every} == set(map(float, space.parameters[name].values() or ()))
    assert found.lost == []
    assert (found.trials, found.algorithm, found.objectives) == (30, "random", [{"metric": "loss", "goal": "minimize"}])


def test_exponents_are_powers_of_e(tmp_path: Path) -> None:
    fields = {"distribution": "log_uniform", "min": -9.2, "max": -2.3}
    space = SearchSpace.parse(read(saved(tmp_path, {**SWEEP, "parameters": {"rate": fields}})).arguments()["space"])
    draws = [float(HyperParameter("rate", fields).sample()) for _ in range(DRAWS)]
    assert all(map(space.parameters["rate"].holds, draws)) and min(draws) < 1e-3 and max(draws) > 1e-2


def test_what_is_written_is_a_sweep_whose_runs_are_points_here(tmp_path: Path) -> None:
    arguments = read(saved(tmp_path, SWEEP)).arguments()
    space = SearchSpace.parse(arguments["space"])
    written = write("sweeps", arguments)
    for point in drawn(written.content):
        space.check(values(point, space))
    assert written.lost == ("batch: its logarithmic scale; its values are drawn evenly",)
    assert read(saved(tmp_path, written.content)).arguments()["objectives"] == arguments["objectives"]


def test_nested_parameters_are_dotted_and_back(tmp_path: Path) -> None:
    nested = {"optimizer": {"parameters": {"rate": {"min": 0.1, "max": 0.2}, "name": {"value": "sgd"}}}}
    found = read(saved(tmp_path, {**SWEEP, "parameters": nested}))
    assert list(found.space) == ["optimizer.rate"] and found.params == {"optimizer": {"name": "sgd"}}
    back = write("sweeps", found.arguments()).content["parameters"]["optimizer"]["parameters"]
    assert back["name"] == {"value": "sgd"} and back["rate"]["min"] == 0.1


@pytest.mark.parametrize(
    ("more", "lost"),
    [
        ({"parameters": {"a": A, "x": {"distribution": "normal", "mu": 0, "sigma": 1}}}, "x: a normal has no"),
        ({"parameters": {"a": {"values": [1, 2], "probabilities": [0.1, 0.9]}}}, "a: the probabilities of its values"),
        ({"parameters": {"a": A, "b": {"distribution": "inv_log_uniform_values", "min": 1, "max": 9}}}, "b: a inv_log"),
        ({"program": "train.py"}, "program: what starts the runs"),
        ({"method": "bayes", "early_terminate": {"type": "hyperband", "s": 2}}, "early_terminate.s"),
        ({"method": "grid", "early_terminate": {"type": "hyperband"}}, "early_terminate hyperband with method grid"),
        ({"metric": {"name": "loss", "target": 0.1}}, "metric.target"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_named(tmp_path: Path, more: dict[str, Any], lost: str) -> None:
    assert any(one.startswith(lost) for one in read(saved(tmp_path, {**SWEEP, **more})).lost)


def test_hyperband_is_an_algorithm_here(tmp_path: Path) -> None:
    stop = {"type": "hyperband", "min_iter": 2, "eta": 4}
    found = read(saved(tmp_path, {**SWEEP, "early_terminate": stop}))
    assert (found.algorithm, found.settings) == ("hyperband", {"sampler": "random", "reduction": 4, "min_epochs": 2})
    written = write("sweeps", found.arguments()).content
    assert (written["method"], written["early_terminate"]) == ("random", stop)


def test_a_dict_in_a_program_is_read_and_not_run(tmp_path: Path) -> None:
    file = tmp_path / "sweep.py"
    file.write_text(
        f"import wandb\nRATE = 2 ** -3\nraise SystemExit\nconfig = {SWEEP | {'run_cap': 7}}\nwandb.sweep(config)"
    )
    assert read(file).trials == 7


@pytest.mark.parametrize(
    "content", ["[]", "a: 1", "parameters: 3", "parameters: {a: {min: x, max: 2}}", "parameters: {}"]
)
def test_what_is_none_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(InvalidSpec, match=r"a\.yaml"):
        read(tmp_path / "a.yaml").arguments()
