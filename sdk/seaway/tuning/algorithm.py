"""How a study searches, and the one table of which backend carries out what."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from seaway.errors import InvalidSpec

OPTUNA, KATIB, SLURM, RAY = "optuna", "katib", "slurm", "ray"
JOBS = (SLURM, RAY)  # Optuna chooses here, and each trial is a job


@dataclass(frozen=True)
class Method:
    """An algorithm: what it does, who wrote it down, which backend has it by which name, and its settings' defaults."""

    title: str
    source: str
    backends: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    early_stopping: bool = False
    numeric_only: bool = False
    learns: bool = True
    steers: bool = False  # what goes on is decided between epochs, without ending a trial early

    def __post_init__(self) -> None:
        """A job tells its figures at its end, so jobs have all of Optuna's but what looks at a trial before that."""
        if OPTUNA in self.backends and not (self.early_stopping or self.steers):
            object.__setattr__(self, "backends", {**self.backends, **dict.fromkeys(JOBS, self.backends[OPTUNA])})


HALVING = {"sampler": "tpe", "startup_trials": 10, "min_epochs": 1, "reduction": 3}
METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "grid": Method(
            "every point of the space, in order",
            "",
            {OPTUNA: "enqueued trials", KATIB: "grid"},
            learns=False,
        ),
        "random": Method(
            "points drawn independently",
            "Bergstra and Bengio 2012, JMLR 13",
            {OPTUNA: "RandomSampler", KATIB: "random"},
            learns=False,
        ),
        "tpe": Method(
            "tree-structured Parzen estimators: points that are likelier among the good trials than among the rest",
            "Bergstra et al. 2011, NeurIPS 24",
            {OPTUNA: "TPESampler", KATIB: "tpe"},
            {"startup_trials": 10},
        ),
        "bayes": Method(
            "a Gaussian process with expected improvement",
            "Snoek et al. 2012, NeurIPS 25",
            {OPTUNA: "GPSampler", KATIB: "bayesianoptimization"},
            {"startup_trials": 10},
        ),
        "cmaes": Method(
            "covariance matrix adaptation evolution strategy",
            "Hansen and Ostermeier 2001, Evolutionary Computation 9(2)",
            {OPTUNA: "CmaEsSampler", KATIB: "cmaes"},
            numeric_only=True,
        ),
        "nsga2": Method(
            "an evolution that keeps a front of several objectives",
            "Deb et al. 2002, IEEE Trans. Evolutionary Computation 6(2)",
            {OPTUNA: "NSGAIISampler"},
            {"population": 20},
        ),
        "sobol": Method(
            "a low-discrepancy sequence, scrambled by the seed",
            "Sobol 1967, USSR Comp. Math. 7(4); Owen 1998, J. Complexity 14(4)",
            {OPTUNA: "QMCSampler", KATIB: "sobol"},
            learns=False,
        ),
        "hyperband": Method(
            "successive halving from several first rungs",
            "Li et al. 2018, JMLR 18(185)",
            {OPTUNA: "HyperbandPruner", KATIB: "hyperband"},
            HALVING,
            early_stopping=True,
        ),
        "asha": Method(
            "asynchronous successive halving: of those that reach a rung the best part goes on, the others pause",
            "Li et al. 2020, MLSys 2",
            {OPTUNA: "Seaway's own, on its trials"},
            {**HALVING, "startup_trials": 5},
            early_stopping=True,
        ),
        "median": Method(
            "a trial ends that is worse than the median of the others at the same epoch",
            "Golovin et al. 2017, KDD",
            {OPTUNA: "MedianPruner", KATIB: "medianstop"},
            {"sampler": "tpe", "startup_trials": 10, "compared_trials": 5, "min_epochs": 1},
            early_stopping=True,
        ),
        "pbt": Method(
            "population based training: the worst go on from the checkpoints of the best with perturbed params",
            "Jaderberg et al. 2017, arXiv:1711.09846",
            {OPTUNA: "Seaway's own, on its trials"},
            {"population": 4, "interval": 1, "quantile": 0.25},
            learns=False,
            steers=True,
        ),
    }
)

# What a study may ask for beside its algorithm, and who can give it.
FEATURES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "parameters under a condition": frozenset({OPTUNA, *JOBS}),
        "a float on both a logarithmic scale and steps": frozenset({KATIB}),
        "several objectives": frozenset({OPTUNA, *JOBS}),
        "constraints": frozenset({OPTUNA, *JOBS}),
        "a warm start": frozenset({OPTUNA, *JOBS}),
        "a search on a part of the rows": frozenset({OPTUNA, *JOBS}),
        "a budget in epochs": frozenset({OPTUNA}),
        "neural architecture search": frozenset({KATIB}),
    }
)


@dataclass(frozen=True)
class Algorithm:
    """A search by name, with settings over its defaults.

    Raises:
        InvalidSpec: the name or a setting is unknown, or a setting is out of range.
    """

    name: str = "tpe"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in METHODS:
            raise InvalidSpec(f"Algorithm {self.name!r} is unknown; there are: {', '.join(METHODS)}.")
        defaults = self.method.settings
        if unknown := sorted(set(self.settings) - set(defaults)):
            known = ", ".join(defaults) or "none"
            raise InvalidSpec(f"{self.name} has no setting {', '.join(unknown)}; there are: {known}.")
        settings = {
            name: _setting(name, self.settings.get(name, default), default) for name, default in defaults.items()
        }
        object.__setattr__(self, "settings", settings)

    @property
    def method(self) -> Method:
        """Its line of the table."""
        return METHODS[self.name]


def _setting(name: str, value: Any, default: Any) -> Any:
    """A setting of its default's kind: text of the samplers, or a positive number; 3.0 is 3."""
    if isinstance(default, str):
        if value not in ("tpe", "random"):
            raise InvalidSpec(f"{name}={value!r} is no way to choose points; there are: tpe, random.")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InvalidSpec(f"{name}={value!r} is no number above 0.")
    if isinstance(default, int) and value != int(value):
        raise InvalidSpec(f"{name}={value!r} is no whole number.")
    return type(default)(value)
