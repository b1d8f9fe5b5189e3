"""What Katib's webhook takes and its suggestion service or collector then fails on, so that no trial ever counts.

After `pkg/suggestion` and `pkg/earlystopping` of Katib 0.19. Which service carries out an algorithm is set in the
cluster's katib-config, so a setting that any of Katib's own services takes for it is taken here.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.tuning.experiment_validation import (
    LISTED,
    NUMERIC,
    PARALLEL,
    filter_rules,
    refers_to_trial,
)
from seaway.platforms.kubernetes.validation.problem import Problem

Check = Callable[[str], bool]
HYPERBAND_ETA = 3  # where nothing is said, or nothing that can be
SMALLEST_POPULATION = 5


def _number(kind: type[int] | type[float], holds: Callable[[Any], bool]) -> Check:
    def check(text: str) -> bool:
        try:
            value = kind(text)
        except ValueError:
            return False
        return math.isfinite(value) and holds(value)

    return check


def _one_of(*values: str) -> Check:
    return lambda text: text in values


def _or_none(check: Check) -> Check:
    return lambda text: text == "None" or check(text)


NOT_NEGATIVE = _number(int, lambda value: value >= 0)
POSITIVE = _number(int, lambda value: value > 0)
POSITIVE_NUMBER = _number(float, lambda value: value > 0)
NOT_NEGATIVE_NUMBER = _number(float, lambda value: value >= 0)
SHARE = _number(float, lambda value: 0 < value <= 1)
CLOSED_SHARE = _number(float, lambda value: 0 <= value <= 1)
ANYTHING: Check = bool

TPE = {"n_startup_trials": NOT_NEGATIVE, "n_ei_candidates": NOT_NEGATIVE, "random_state": NOT_NEGATIVE}
SETTINGS: dict[str, dict[str, Check]] = {
    "random": {"random_state": NOT_NEGATIVE},
    "grid": {"random_state": NOT_NEGATIVE},
    "sobol": {},
    "tpe": {
        **TPE,
        "gamma": _number(float, lambda value: 0 < value < 1),
        "prior_weight": POSITIVE_NUMBER,
        "n_EI_candidates": POSITIVE,
    },
    "multivariate-tpe": TPE,
    "cmaes": {
        "random_state": NOT_NEGATIVE,
        "sigma": NOT_NEGATIVE_NUMBER,
        "restart_strategy": _one_of("ipop", "bipop", "none", "None"),
    },
    "bayesianoptimization": {
        "base_estimator": _one_of("GP", "RF", "ET", "GBRT"),
        "n_initial_points": NOT_NEGATIVE,
        "acq_func": _one_of("gp_hedge", "LCB", "EI", "PI", "EIps", "PIps"),
        "acq_optimizer": _one_of("auto", "sampling", "lbfgs"),
        "random_state": NOT_NEGATIVE,
    },
    "hyperband": {"r_l": POSITIVE_NUMBER, "eta": _number(float, math.isfinite), "resource_name": ANYTHING},
    "pbt": {
        "suggestion_trial_dir": ANYTHING,
        "n_population": _number(int, lambda value: value >= SMALLEST_POPULATION),
        "truncation_threshold": CLOSED_SHARE,
        "resample_probability": CLOSED_SHARE,
    },
    "enas": {
        "controller_hidden_size": POSITIVE,
        "controller_temperature": _or_none(POSITIVE_NUMBER),
        "controller_tanh_const": _or_none(POSITIVE_NUMBER),
        "controller_entropy_weight": _or_none(POSITIVE_NUMBER),
        "controller_baseline_decay": SHARE,
        "controller_learning_rate": SHARE,
        "controller_skip_target": SHARE,
        "controller_skip_weight": _or_none(POSITIVE_NUMBER),
        "controller_train_steps": POSITIVE,
        "controller_log_every_steps": POSITIVE,
    },
    "darts": {
        "num_epochs": POSITIVE,
        **dict.fromkeys(("w_lr", "w_lr_min", "alpha_lr", "w_weight_decay", "alpha_weight_decay"), NOT_NEGATIVE_NUMBER),
        **dict.fromkeys(("w_momentum", "w_grad_clip"), NOT_NEGATIVE_NUMBER),
        "batch_size": _or_none(POSITIVE),
        "num_workers": NOT_NEGATIVE,
        **dict.fromkeys(("init_channels", "print_step", "num_nodes", "stem_multiplier"), POSITIVE),
    },
    "medianstop": {"min_trials_required": POSITIVE, "start_step": POSITIVE},
}
REQUIRED = {
    "hyperband": ("r_l", "resource_name"),
    "pbt": ("suggestion_trial_dir", "n_population", "truncation_threshold"),
}
LENIENT = ("hyperband", "pbt", "darts", "cmaes", "sobol")  # services that pass over settings they do not know
NAS = ("enas", "darts")


def rules(manifest: Manifest) -> Iterator[Problem]:
    """All that leaves an Experiment without a trial that counts; the webhook's rules come first."""
    spec = manifest["spec"]
    for field in ("algorithm", "earlyStopping"):
        if spec.get(field):
            yield from setting_rules(f"spec.{field}", spec[field])
    yield from filter_rules((spec.get("metricsCollectorSpec") or {}).get("source") or {})
    parameters = spec.get("parameters") or []
    yield from name_rules(parameters)
    yield from assignment_rules(spec, parameters)
    unreadable = list(space_rules(parameters))
    yield from unreadable or ALGORITHM_RULES.get(spec["algorithm"]["algorithmName"], _no_rules)(spec)


def setting_rules(where: str, algorithm: Manifest) -> Iterator[Problem]:
    """Settings of the algorithm, or of early stopping, by name and value."""
    name, given = algorithm["algorithmName"], settings_of(algorithm)
    known = SETTINGS[name]
    for setting, value in given.items():
        if setting in known and not known[setting](value):
            yield _of(f"{where}.algorithmSettings", f"{setting}={value} is outside what {name} takes")
        elif setting not in known and name not in LENIENT:
            yield _of(f"{where}.algorithmSettings", f"unknown setting {setting} for algorithm {name}")
    for setting in REQUIRED.get(name, ()):
        if setting not in given:
            yield Problem(f"{where}.algorithmSettings", f"Required value: {name} needs {setting}")


def settings_of(algorithm: Manifest) -> dict[str, str]:
    return {entry.get("name", ""): entry.get("value", "") for entry in algorithm.get("algorithmSettings") or ()}


def space_rules(parameters: Sequence[Manifest]) -> Iterator[Problem]:
    for index, parameter in enumerate(parameters):
        yield from parameter_rules(f"spec.parameters[{index}]", parameter)


def parameter_rules(where: str, parameter: Manifest) -> Iterator[Problem]:
    """A service reads numbers from texts, and draws from what is not empty."""
    kind, space = parameter["parameterType"], parameter.get("feasibleSpace") or {}
    if kind == "unknown":
        yield _of(f"{where}.parameterType", "unknown is taken by the webhook and drawn from by nobody")
    if kind in LISTED and not space.get("list"):
        yield Problem(f"{where}.feasibleSpace.list", f"Required value: a {kind} parameter is drawn from a list")
    if kind in NUMERIC:
        yield from _bound_rules(f"{where}.feasibleSpace", kind, space)


def _bound_rules(where: str, kind: str, space: Manifest) -> Iterator[Problem]:
    read = int if kind == "int" else float
    try:
        low, high = read(space["min"]), read(space["max"])
        step = read(space.get("step") or 1)
    except ValueError:
        yield _of(where, f"min, max and step of a parameter of type {kind} must be written as {kind}s")
        return
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        yield _of(where, f"min {low} must be at most max {high}, and both finite")
    if not step > 0:
        yield _of(f"{where}.step", f"{step} must be greater than 0")
    if space.get("distribution", "").startswith("log") and not low > 0:
        yield _of(f"{where}.min", f"{low} has no logarithm")


def name_rules(parameters: Sequence[Manifest]) -> Iterator[Problem]:
    """Each parameter has a name of its own."""
    names = [parameter.get("name", "") for parameter in parameters]
    for index, name in enumerate(names):
        if not name or name in names[:index]:
            yield _of(f"spec.parameters[{index}].name", f"{name!r} is empty or stands for another parameter already")


def assignment_rules(spec: Manifest, parameters: Sequence[Manifest]) -> Iterator[Problem]:
    """A trial is made only where each of its parameters has a place in the template."""
    references = {entry.get("reference") for entry in spec["trialTemplate"].get("trialParameters") or ()}
    names = {parameter.get("name") for parameter in parameters}
    if not parameters:
        return
    for name in sorted(str(name) for name in names - references):
        yield _of("spec.trialTemplate.trialParameters", f"no trialParameter refers to parameter {name}")
    for reference in sorted(str(name) for name in references - names if not refers_to_trial(str(name))):
        yield _of("spec.trialTemplate.trialParameters", f"{reference} is no parameter")


def _no_rules(spec: Manifest) -> Iterator[Problem]:
    yield from ()


def cmaes_rules(spec: Manifest) -> Iterator[Problem]:
    if sum(parameter["parameterType"] in NUMERIC for parameter in spec["parameters"]) < 2:  # noqa: PLR2004
        yield _of("spec.parameters", "cmaes only supports two or more dimensional continuous search space")


def grid_rules(spec: Manifest) -> Iterator[Problem]:
    """A grid is finite, and holds at least the trials that are asked for."""
    axes = []
    for parameter in spec["parameters"]:
        space = parameter["feasibleSpace"]
        if parameter["parameterType"] == "double" and not space.get("step"):
            yield _of("spec.parameters", f"{parameter['name']} has no step, so that a grid over it has no end")
            return
        axes.append(range(points(parameter)))
    combinations = math.prod(len(axis) for axis in axes)
    if spec.get("maxTrialCount", 0) > combinations:
        yield _of("spec.maxTrialCount", f"{spec['maxTrialCount']} is more than the grid's {combinations} combinations")


def points(parameter: Manifest) -> int:
    """Points of a parameter that a grid has."""
    space = parameter["feasibleSpace"]
    if parameter["parameterType"] in LISTED:
        return len(space["list"])
    low, high, step = float(space["min"]), float(space["max"]), float(space.get("step") or 1)
    return math.floor((high - low) / step + 1e-9) + 1


def hyperband_rules(spec: Manifest) -> Iterator[Problem]:
    settings = settings_of(spec["algorithm"])
    if not (POSITIVE_NUMBER(settings.get("r_l", "")) and settings.get("resource_name")):
        return
    eta = int(float(settings.get("eta", HYPERBAND_ETA)))
    eta = eta if eta > 1 else HYPERBAND_ETA
    rungs = int(math.log(float(settings["r_l"])) / math.log(eta))
    needed = math.ceil(eta**rungs)
    if spec.get("parallelTrialCount", PARALLEL) < needed:
        yield _of(
            "spec.parallelTrialCount", f"must be not less than {needed}, the trials of hyperband's widest bracket"
        )
    if settings["resource_name"] not in {parameter["name"] for parameter in spec["parameters"]}:
        yield _of("spec.algorithm.algorithmSettings", "value of resource_name setting must be in parameters")


def bayes_rules(spec: Manifest) -> Iterator[Problem]:
    """Its service draws every double on a logarithmic scale, whatever the distribution says."""
    for parameter in spec["parameters"]:
        if parameter["parameterType"] == "double" and not float(parameter["feasibleSpace"]["min"]) > 0:
            yield _of("spec.parameters", f"{parameter['name']}: bayesianoptimization takes doubles above 0 only")


def pbt_rules(spec: Manifest) -> Iterator[Problem]:
    for parameter in spec["parameters"]:
        if parameter["parameterType"] in NUMERIC and not parameter["feasibleSpace"].get("step"):
            yield _of("spec.parameters", f"{parameter['name']}: pbt draws numbers by a step, give one")


def nas_rules(spec: Manifest) -> Iterator[Problem]:
    """Of enas and darts: a graph and operations."""
    nas = spec.get("nasConfig")
    if nas is None:
        yield Problem("spec.nasConfig", "Required value: an architecture search needs it")
        return
    if spec["algorithm"]["algorithmName"] == "enas":
        for name in ("inputSizes", "outputSizes", "numLayers"):
            if not (nas.get("graphConfig") or {}).get(name):
                yield Problem(f"spec.nasConfig.graphConfig.{name}", "Required value: enas needs it")
    for index, operation in enumerate(nas.get("operations") or ()):
        yield from _operation_rules(f"spec.nasConfig.operations[{index}]", operation)


def _operation_rules(where: str, operation: Manifest) -> Iterator[Problem]:
    for name in ("operationType", "parameters"):
        if not operation.get(name):
            yield Problem(f"{where}.{name}", "Required value: must be specified")
    for parameter in operation.get("parameters") or ():
        kind, space = parameter.get("parameterType"), parameter.get("feasibleSpace") or {}
        if not parameter.get("name") or not kind:
            yield Problem(f"{where}.parameters", "Required value: name and parameterType must be specified")
        elif kind in LISTED and not space.get("list"):
            yield Problem(f"{where}.parameters", f"Required value: {parameter['name']} needs a list")
        elif kind in NUMERIC and not (space.get("min") or space.get("max")):
            yield Problem(f"{where}.parameters", f"Required value: {parameter['name']} needs min and max")
        elif kind == "double" and not POSITIVE_NUMBER(space.get("step") or ""):
            yield _of(f"{where}.parameters", f"{parameter['name']}: step must be greater than 0")


ALGORITHM_RULES: Mapping[str, Callable[[Manifest], Iterator[Problem]]] = {
    "cmaes": cmaes_rules,
    "grid": grid_rules,
    "hyperband": hyperband_rules,
    "bayesianoptimization": bayes_rules,
    "pbt": pbt_rules,
    **dict.fromkeys(NAS, nas_rules),
}


def _of(field: str, says: str) -> Problem:
    return Problem(field, f"Invalid value: {says}")
