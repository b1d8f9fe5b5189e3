"""Seaway's search for Katib and for Sweeps of Weights & Biases; what they cannot say is named."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from seaway.errors import InvalidSpec
from seaway.tuning.algorithm import KATIB, Algorithm
from seaway.tuning.space import Categorical, Float, Int, Parameter, SearchSpace

COUNTS = (  # ours, Katib's, and by how much Katib's is more: it ends at so many failed ones, Seaway at one more
    ("trials", "maxTrialCount", 0),
    ("parallel", "parallelTrialCount", 0),
    ("max_failed", "maxFailedTrialCount", 1),
)
FEW = 100  # values of a stepped range that are written one by one


@dataclass(frozen=True)
class Written:
    """A file's content, and what of the search is not in it."""

    content: dict[str, Any]
    lost: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """What is written: arguments of `tune_model`.

    Raises:
        InvalidSpec: they are none.
    """

    given: Mapping[str, Any]

    @property
    def space(self) -> SearchSpace:
        return SearchSpace.parse(self.given.get("space") or {})

    @property
    def algorithm(self) -> Algorithm:
        return Algorithm(self.given.get("algorithm") or "tpe", self.given.get("settings") or {})

    @property
    def objectives(self) -> list[Mapping[str, Any]]:
        return list(self.given.get("objectives") or [{"metric": "validation_loss", "goal": "minimize"}])

    def unsaid(self) -> Iterator[str]:
        """What neither target has."""
        for name, parameter in self.space.parameters.items():
            if parameter.when is not None:
                yield f"{name}: its condition; there it is in every trial"
        for other in self.objectives[1:]:
            yield f"the objective {other['metric']}: there is one"
        for name in ("constraints", "rows_fraction", "seconds", "epochs", "warm_start"):
            if self.given.get(name) not in (None, [], 0, 1, 1.0):
                yield f"{name}: there is none"


def write(target: str, given: Mapping[str, Any]) -> Written:
    """A search for a target.

    Raises:
        InvalidSpec: the target is unknown, or the arguments are none of a search.
    """
    if target not in TARGETS:
        raise InvalidSpec(f"{target!r} is none of {', '.join(TARGETS)}.")
    if not isinstance(given, Mapping) or "space" not in given:
        raise InvalidSpec("A search has a `space`, as `tune_model` and `seaway tune import` have it.")
    study, lost = Study(given), list[str]()
    content = TARGETS[target](study, lost)
    return Written(content, (*study.unsaid(), *lost))


def _katib(study: Study, lost: list[str]) -> dict[str, Any]:
    [objective, *_] = study.objectives
    name = study.algorithm.name
    spec: dict[str, Any] = {
        "objective": {"type": objective["goal"], "objectiveMetricName": objective["metric"]},
        "algorithm": {"algorithmName": _katib_algorithm(study, lost)},
        "parameters": [_katib_parameter(*one) for one in study.space.parameters.items()],
    }
    if name == "median":
        spec["earlyStopping"] = {"algorithmName": "medianstop"}
    for ours, theirs, more in COUNTS:
        if study.given.get(ours) is not None:
            spec[theirs] = study.given[ours] + more
    if study.given.get("params"):
        lost.append("params: what is the same in each trial belongs into the trialTemplate")
    lost.append("trialTemplate: what a trial runs there; put yours below spec")
    return {"apiVersion": "kubeflow.org/v1beta1", "kind": "Experiment", "metadata": {"name": "search"}, "spec": spec}


def _katib_algorithm(study: Study, lost: list[str]) -> str:
    method, name = study.algorithm.method, study.algorithm.name
    if name == "median":
        return str(study.algorithm.settings["sampler"])
    if KATIB not in method.backends:
        lost.append(f"the algorithm {name}: Katib has none of that name, tpe stands in its place")
        return "tpe"
    if study.given.get("settings"):
        lost.append("settings: Katib's have other names")
    return method.backends[KATIB]


def _katib_parameter(name: str, parameter: Parameter) -> dict[str, Any]:
    if isinstance(parameter, Categorical):
        return {"name": name, "parameterType": "categorical", "feasibleSpace": {"list": list(parameter.texts)}}
    space = {"min": parameter.write(parameter.low), "max": parameter.write(parameter.high)}
    if parameter.step is not None and parameter.step != 1:
        space["step"] = parameter.write(parameter.step)
    if parameter.log:
        space["distribution"] = "logUniform"
    return {"name": name, "parameterType": "int" if isinstance(parameter, Int) else "double", "feasibleSpace": space}


def _sweep(study: Study, lost: list[str]) -> dict[str, Any]:
    [objective, *_] = study.objectives
    sweep: dict[str, Any] = {
        "method": _sweep_method(study, lost),
        "metric": {"name": objective["metric"], "goal": objective["goal"]},
        "parameters": {},
    }
    if study.given.get("trials"):
        sweep["run_cap"] = study.given["trials"]
    here = [name for name in ("parallel", "max_failed") if study.given.get(name)]
    lost += [f"{name}: so many agents as are started work on a sweep" for name in here]
    if study.algorithm.name == "hyperband":
        settings = study.algorithm.settings
        sweep["early_terminate"] = {
            "type": "hyperband",
            "min_iter": settings["min_epochs"],
            "eta": settings["reduction"],
        }
    for name, value in (study.given.get("params") or {}).items():
        _placed(sweep["parameters"], name, {"value": value})
    for name, parameter in study.space.parameters.items():
        _placed(sweep["parameters"], name, _sweep_parameter(name, parameter, lost))
    return sweep


def _sweep_method(study: Study, lost: list[str]) -> str:
    name, settings = study.algorithm.name, study.algorithm.settings
    if name in ("grid", "random", "bayes"):
        return name
    if name == "hyperband" and settings["sampler"] == "random":
        return "random"
    lost.append(f"the algorithm {name}: a sweep is grid, random or bayes; bayes stands in its place")
    return "bayes"


def _sweep_parameter(name: str, parameter: Parameter, lost: list[str]) -> dict[str, Any]:
    if isinstance(parameter, Categorical):
        return {"values": list(parameter.choices)}
    if isinstance(parameter, Int) and parameter.step == 1 and not parameter.log:
        return {"distribution": "int_uniform", "min": parameter.low, "max": parameter.high}
    if isinstance(parameter, Float) and parameter.step is None:
        kind = "log_uniform_values" if parameter.log else "uniform"
        return {"distribution": kind, "min": parameter.low, "max": parameter.high}
    if isinstance(parameter, Int) and parameter.log and parameter.step == 1:
        return {"distribution": "q_log_uniform_values", "min": parameter.low, "max": parameter.high, "q": 1}
    return _stepped(name, parameter, lost)


def _stepped(name: str, parameter: Float | Int, lost: list[str]) -> dict[str, Any]:
    """A sweep rounds to multiples, which are those of `low` only where it is one itself."""
    if parameter.log:
        lost.append(f"{name}: its logarithmic scale; its values are drawn evenly")
    values = list(parameter.values() or ())
    if len(values) <= FEW:
        return {"values": values}
    lost.append(f"{name}: its {len(values)} steps; there all between is drawn")
    kind = "int_uniform" if isinstance(parameter, Int) else "uniform"
    return {"distribution": kind, "min": parameter.low, "max": parameter.high}


def _placed(parameters: dict[str, Any], name: str, fields: dict[str, Any]) -> None:
    """A dotted name is a nested parameter there."""
    *path, last = name.split(".")
    for key in path:
        held = parameters.setdefault(key, {})
        if "value" in held:  # params that are the same in each trial, beside one that is searched
            held["parameters"] = {inner: {"value": value} for inner, value in held.pop("value").items()}
        parameters = held.setdefault("parameters", {})
    parameters[last] = fields


TARGETS: dict[str, Callable[[Study, list[str]], dict[str, Any]]] = {"katib": _katib, "sweeps": _sweep}
