"""Searches in YAML and JSON: Sweeps of Weights & Biases, Katib's Experiments, SigOpt, Keras Tuner's own JSON."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from seaway.errors import InvalidSpec
from seaway.tuning.algorithm import KATIB, METHODS
from seaway.tuning.dialects.draft import UNBOUNDED, Search

Fields = Mapping[str, Any]
SWEEP_METHODS = {"grid": "grid", "random": "random", "bayes": "bayes"}
SWEEP_KNOWN = {"parameters", "method", "metric", "run_cap", "early_terminate", "name", "description"}


def sweeps(document: Fields) -> Search:
    """A Sweep of Weights & Biases: `method`, `metric`, `parameters`."""
    search = Search()
    for name, fields in _nested(document["parameters"]):
        _sweep_parameter(search, name, fields)
    metric = document.get("metric") or {}
    if metric:
        search.objective(metric["name"], metric.get("goal", "minimize"))
    if "target" in metric:
        search.lose(f"metric.target: a search does not end at {metric['target']}")
    method = document.get("method", "")
    if method not in SWEEP_METHODS:
        search.lose(f"method {method}: there is no search of that name here")
    search.algorithm = SWEEP_METHODS.get(method, "")
    search.trials = document.get("run_cap")
    if stop := document.get("early_terminate"):
        _sweep_stop(search, stop)
    for name in document.keys() - SWEEP_KNOWN:
        search.lose(f"{name}: what starts the runs of a sweep is the entrypoint of a training here")
    return search


def _nested(parameters: Fields, above: str = "") -> Iterator[tuple[str, Fields]]:
    for name, fields in parameters.items():
        if "parameters" in fields:
            yield from _nested(fields["parameters"], f"{above}{name}.")
        else:
            yield f"{above}{name}", fields


def _sweep_parameter(search: Search, name: str, fields: Fields) -> None:
    if "value" in fields:
        search.constant(name, fields["value"])
        return
    if "values" in fields:
        if "probabilities" in fields:
            search.lose(f"{name}: the probabilities of its values; here each is as likely as the others")
        search.choice(name, fields["values"])
        return
    whole = all(isinstance(fields.get(end), int) for end in ("min", "max"))
    kind = fields.get("distribution", "int_uniform" if whole else "uniform")
    if kind not in SWEEP_NUMBERS or not {"min", "max"} <= fields.keys():
        search.lose(f"{name}: a {kind} {UNBOUNDED}")
        return
    SWEEP_NUMBERS[kind](search, name, fields["min"], fields["max"], fields.get("q", 1))


def _exponents(search: Search, name: str, low: float, high: float, _: float) -> None:
    search.number(name, math.exp(low), math.exp(high), log=True)


SWEEP_NUMBERS: dict[str, Callable[[Search, str, float, float, float], None]] = {
    "uniform": lambda search, name, low, high, _: search.number(name, low, high),
    "int_uniform": lambda search, name, low, high, _: search.number(name, low, high, whole=True),
    "q_uniform": lambda search, name, low, high, q: search.rounded(name, low, high, q, whole=_whole(low, high, q)),
    "log_uniform": _exponents,
    "log_uniform_values": lambda search, name, low, high, _: search.number(name, low, high, log=True),
    "q_log_uniform": lambda search, name, low, high, q: search.rounded(
        name, math.exp(low), math.exp(high), q, whole=_whole(q), log=True
    ),
    "q_log_uniform_values": lambda search, name, low, high, q: search.rounded(
        name, low, high, q, whole=_whole(q), log=True
    ),
}


def _whole(*numbers: float) -> bool:
    return all(isinstance(number, int) for number in numbers)


def _sweep_stop(search: Search, stop: Fields) -> None:
    """W&B's hyperband ends trials of a random or Bayesian search; here it is an algorithm with a sampler."""
    if stop.get("type") != "hyperband" or search.algorithm == "grid":
        search.lose(f"early_terminate {stop.get('type')} with method {search.algorithm}: trials are not ended early")
        return
    sampler = "random" if search.algorithm == "random" else "tpe"
    search.algorithm = "hyperband"
    search.settings = {"sampler": sampler, "reduction": stop.get("eta", 3), "min_epochs": stop.get("min_iter", 1)}
    if sampler == "tpe":
        search.lose("method bayes with early_terminate: hyperband here chooses points by tpe")
    if odd := stop.keys() - {"type", "eta", "min_iter"}:
        search.lose(f"early_terminate.{', early_terminate.'.join(sorted(odd))}: hyperband here has no such setting")


def katib(document: Fields) -> Search:
    """An Experiment of Katib."""
    search, spec = Search(), document["spec"]
    for one in spec.get("parameters") or ():
        _katib_parameter(search, one)
    if "nasConfig" in spec:
        search.lose("nasConfig: give it by `passthrough`, for the backend katib")
    objective = spec.get("objective") or {}
    if objective:
        search.objective(objective["objectiveMetricName"], objective["type"])
    if "goal" in objective:
        search.lose(f"objective.goal: a search does not end at {objective['goal']}")
    _katib_algorithm(search, spec)
    search.trials, search.parallel = spec.get("maxTrialCount"), spec.get("parallelTrialCount")
    if "maxFailedTrialCount" in spec:
        search.max_failed = max(0, spec["maxFailedTrialCount"] - 1)  # Katib ends at so many, Seaway at one more
    if "trialTemplate" in spec:
        search.lose("trialTemplate: what a trial runs is the entrypoint of a training here")
    return search


def _katib_parameter(search: Search, one: Fields) -> None:
    name, kind, space = one["name"], one["parameterType"], one.get("feasibleSpace") or {}
    distribution = space.get("distribution", "uniform")
    if distribution in ("normal", "logNormal"):
        search.lose(f"{name}: {distribution}, a bell between its bounds; here it is drawn evenly")
    log = distribution in ("logUniform", "logNormal")
    if kind == "categorical":
        search.choice(name, space["list"])
    elif kind == "discrete":
        search.choice(name, [_number(text) for text in space["list"]])
    elif kind in ("int", "double"):
        step = float(space["step"]) if space.get("step") not in (None, "") else None
        search.number(name, float(space["min"]), float(space["max"]), kind == "int", log, step)
    else:
        search.lose(f"{name}: a parameter of type {kind}")


def _number(text: Any) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() and "." not in str(text) else number


def _katib_algorithm(search: Search, spec: Fields) -> None:
    asked = (spec.get("algorithm") or {}).get("algorithmName", "")
    known = {method.backends[KATIB]: name for name, method in METHODS.items() if KATIB in method.backends}
    stopping = (spec.get("earlyStopping") or {}).get("algorithmName")
    search.algorithm = known.get(asked, "tpe" if asked == "multivariate-tpe" else "")
    if asked and not search.algorithm:
        search.lose(f"algorithm {asked}: there is no search of that name here")
    if (spec.get("algorithm") or {}).get("algorithmSettings"):
        search.lose("algorithmSettings: settings have other names here")
    if stopping == "medianstop":
        search.settings = {"sampler": "random" if search.algorithm == "random" else "tpe"}
        if search.algorithm not in ("random", "tpe"):
            search.lose(f"algorithm {asked} with medianstop: median here chooses points by tpe")
        search.algorithm = "median"
    elif stopping:
        search.lose(f"earlyStopping {stopping}: trials are not ended early")


def sigopt(document: Fields) -> Search:
    """An experiment of SigOpt: a list of `parameters`, a list of `metrics`."""
    search = Search()
    names = {one["name"] for one in document.get("conditionals") or ()}
    for one in document.get("conditionals") or ():
        search.choice(one["name"], one["values"])
    for one in document["parameters"]:
        _sigopt_parameter(search, one, names)
    for one in document.get("metrics") or ([document["metric"]] if "metric" in document else []):
        _sigopt_metric(search, one)
    search.trials = document.get("budget", document.get("observation_budget"))
    search.parallel = document.get("parallel_bandwidth")
    if document.get("type") in ("grid", "random"):
        search.algorithm = document["type"]
    else:
        search.lose("the optimizer of SigOpt's service: it was closed; `tpe` or `bayes` is the nearest here")
    for name in ("linear_constraints", "num_solutions", "tasks"):
        if document.get(name):
            search.lose(f"{name}: a space here is a range for each parameter")
    return search


def _sigopt_parameter(search: Search, one: Fields, conditionals: set[str]) -> None:
    name, when = one["name"], None
    conditions = list((one.get("conditions") or {}).items())
    if conditions:
        parameter, values = conditions[0]
        when = {"parameter": parameter, "values": values if isinstance(values, list) else [values]}
    if len(conditions) > 1 or (when and when["parameter"] not in conditionals):
        search.lose(f"{name}: its conditions beyond the first one")
    if one.get("prior"):
        search.lose(f"{name}: its prior; here it is drawn evenly")
    if one.get("grid"):
        search.choice(name, one["grid"], when)
    elif one["type"] == "categorical":
        values = one["categorical_values"]
        search.choice(name, [value["name"] if isinstance(value, Mapping) else value for value in values], when)
    else:
        bounds = one["bounds"]
        log = one.get("transformation") == "log"
        search.number(name, bounds["min"], bounds["max"], one["type"] == "int", log, when=when)


def _sigopt_metric(search: Search, one: Any) -> None:
    fields = one if isinstance(one, Mapping) else {"name": one}
    strategy, goal = fields.get("strategy", "optimize"), fields.get("objective", "maximize")
    if strategy == "optimize":
        search.objective(fields["name"], goal)
    if "threshold" in fields:
        bound = "at_least" if goal == "maximize" else "at_most"
        search.constraints.append({"metric": fields["name"], bound: fields["threshold"]})


def keras_tuner(document: Fields) -> Search:
    """`HyperParameters.get_config()` of Keras Tuner, or the `oracle.json` and `trial.json` that hold one."""
    search = Search()
    for one in (document.get("hyperparameters") or document)["space"]:
        fields = one["config"]
        when = _keras_condition(search, fields)
        keras_parameter(search, one["class_name"], fields, when)
    objective = document.get("objective")
    if isinstance(objective, Mapping):
        search.objective(objective["name"], objective["direction"])
    search.trials = document.get("max_trials")
    return search


def _keras_condition(search: Search, fields: Fields) -> dict[str, Any] | None:
    conditions = [one["config"] for one in fields.get("conditions") or () if one["class_name"] == "Parent"]
    if len(conditions) > 1:
        search.lose(f"{fields['name']}: its conditions but for the innermost one")
    return {"parameter": conditions[-1]["name"], "values": conditions[-1]["values"]} if conditions else None


def keras_parameter(search: Search, kind: str, fields: Fields, when: Fields | None) -> None:
    """A parameter of Keras Tuner by its class and arguments."""
    name = fields["name"]
    if kind == "Fixed":
        search.constant(name, fields["value"])
    elif kind == "Boolean":
        search.choice(name, [False, True], when)
    elif kind == "Choice":
        search.choice(name, fields["values"], when)
    elif kind in ("Int", "Float"):
        _keras_number(search, name, kind == "Int", fields, when)
    else:
        raise InvalidSpec(f"{name} is a {kind}, which Keras Tuner does not have.")


def _keras_number(search: Search, name: str, whole: bool, fields: Fields, when: Fields | None) -> None:
    sampling, step = str(fields.get("sampling") or "linear").lower(), fields.get("step")
    if sampling == "reverse_log":
        search.lose(f"{name}: sampling reverse_log; here it is drawn evenly")
    if sampling != "linear" and step not in (None, 1):
        search.lose(f"{name}: step {step}, which multiplies on a logarithmic scale; here all between is drawn")
        step = None
    search.number(name, fields["min_value"], fields["max_value"], whole, sampling == "log", step, when)
