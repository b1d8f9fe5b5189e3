"""Whether a study can be carried out, and by which backend: said before anything starts."""

from seaway.errors import InvalidSpec
from seaway.tuning.algorithm import FEATURES
from seaway.tuning.space import Categorical, Float
from seaway.tuning.spec import TuneSpec


def asked(spec: TuneSpec) -> list[str]:
    """The features of `FEATURES` that a study makes use of."""
    parameters = spec.space.parameters.values()
    used = {
        "parameters under a condition": any(one.when is not None for one in parameters),
        "a float on both a logarithmic scale and steps": any(
            isinstance(one, Float) and one.log and one.step is not None for one in parameters
        ),
        "several objectives": len(spec.objectives) > 1,
        "constraints": bool(spec.constraints),
        "a warm start": spec.warm_start is not None,
        "a search on a part of the rows": spec.rows_fraction < 1,
        "a budget in epochs": spec.budget.epochs is not None,
        "neural architecture search": "nasConfig" in spec.passthrough,
    }
    return [feature for feature, is_used in used.items() if is_used]


def carriers(spec: TuneSpec) -> list[str]:
    """The backends that can carry out a study."""
    able = frozenset(spec.algorithm.method.backends)
    return sorted(able.intersection(*(FEATURES[feature] for feature in asked(spec))))


def refuse(spec: TuneSpec, backend: str) -> None:
    """Say before anything starts that a backend cannot carry out a study.

    Raises:
        InvalidSpec: what it cannot express, and the backend that can; or what nobody can.
    """
    _refuse_impossible(spec)
    lacking = [feature for feature in asked(spec) if backend not in FEATURES[feature]]
    if backend not in spec.algorithm.method.backends:
        lacking.insert(0, f"the algorithm {spec.algorithm.name}")
    if lacking:
        others = ", ".join(carriers(spec)) or "none: leave one of them out"
        raise InvalidSpec(f"The backend {backend} has no {', '.join(lacking)}; the backend that has: {others}.")


def _refuse_impossible(spec: TuneSpec) -> None:
    """What no backend can do, because the algorithm has no meaning there."""
    method, name = spec.algorithm.method, spec.algorithm.name
    parameters = spec.space.parameters
    if name == "grid":
        spec.space.size()
    numeric = [one for one, parameter in parameters.items() if not isinstance(parameter, Categorical)]
    if method.numeric_only and (len(numeric) < len(parameters) or len(numeric) < 2):  # noqa: PLR2004
        raise InvalidSpec(f"{name} needs two numeric parameters or more and no categorical one; tpe takes all kinds.")
    if method.early_stopping and len(spec.objectives) > 1:
        raise InvalidSpec(f"{name} compares trials between epochs by one objective; several take tpe or nsga2.")
    if name in ("cmaes", "pbt") and len(spec.objectives) > 1:
        raise InvalidSpec(f"{name} follows one objective; several take tpe or nsga2.")
    if spec.warm_start is not None and not method.learns:
        raise InvalidSpec(f"{name} learns from no trial, so an earlier study changes nothing; leave out warm_start.")
    if name in ("pbt", "hyperband"):
        _ = spec.epochs
    if name == "pbt" and 0 < spec.budget.trials < 2 * spec.algorithm.settings["population"]:
        raise InvalidSpec(
            f"pbt with trials={spec.budget.trials} trains its population of {spec.algorithm.settings['population']} "
            "once and improves nothing; give at least twice as many trials."
        )
    if name == "pbt" and (spec.rows_fraction < 1 or any(one.when is not None for one in parameters.values())):
        raise InvalidSpec("pbt perturbs params of a network under way: no conditions, and the same rows throughout.")
