"""Tuning specs, what a study gives back, and the Tuner port."""

from seaway.tuning.algorithm import METHODS, Algorithm
from seaway.tuning.budget import Budget
from seaway.tuning.feasibility import refuse
from seaway.tuning.objective import Constraint, Objective
from seaway.tuning.port import Tuner
from seaway.tuning.result import TuneResult, earlier_trials
from seaway.tuning.space import Categorical, Float, Int, SearchSpace, When
from seaway.tuning.spec import TuneSpec
from seaway.tuning.trial import State, Trial

__all__ = [
    "METHODS",
    "Algorithm",
    "Budget",
    "Categorical",
    "Constraint",
    "Float",
    "Int",
    "Objective",
    "SearchSpace",
    "State",
    "Trial",
    "TuneResult",
    "TuneSpec",
    "Tuner",
    "When",
    "earlier_trials",
    "refuse",
]
