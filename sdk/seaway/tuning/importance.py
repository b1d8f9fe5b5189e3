"""How much each parameter matters: PED-ANOVA (Watanabe, Bansal and Hutter 2023, IJCAI), as Optuna has it."""

import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seaway.tuning.objective import Objective
from seaway.tuning.space import SearchSpace
from seaway.tuning.trial import State, Trial

FEWEST = 6  # trials; of fewer nothing can be said
BEST_PART = 0.25  # of the trials, held against all of them: a tenth, Optuna's default, is one of ten


@dataclass(frozen=True)
class Importance:
    """Shares that sum to 1 by parameter, of `trials` trials as they stood at `epoch`; 0 for the end of each."""

    shares: Mapping[str, float]
    trials: int
    epoch: int


def importance(space: SearchSpace, objective: Objective, trials: Sequence[Trial]) -> Importance | None:
    """How much each parameter matters for being among the best; None where there are too few trials, or no Optuna.

    Where trials were ended early, they are held against each other at the last epoch that most of them reached.
    """
    epoch = _common_epoch(objective, trials)
    points = [(one, value) for one in trials if (value := _value(objective, one, epoch)) is not None]
    always = [name for name in space.parameters if all(name in one.params for one, _ in points)]
    if len(points) < FEWEST or not always or importlib.util.find_spec("optuna") is None:
        return None
    return Importance(_shares(space, objective, points, always), len(points), epoch)


def _common_epoch(objective: Objective, trials: Sequence[Trial]) -> int:
    """The last epoch that nine of ten trials have a value of; 0 where none was ended early."""
    if all(one.state is not State.PRUNED for one in trials):
        return 0
    reached = sorted(
        sum(objective.metric in entry for entry in one.history) for one in trials if one.state is not State.FAILED
    )
    return reached[len(reached) // 10]


def _value(objective: Objective, trial: Trial, epoch: int) -> float | None:
    if epoch == 0:
        return trial.values.get(objective.metric) if trial.state is State.COMPLETE else None
    if len(trial.history) < epoch or trial.state is State.FAILED:
        return None
    return trial.history[epoch - 1].get(objective.metric)


def _shares(
    space: SearchSpace, objective: Objective, points: Sequence[tuple[Trial, float]], names: Sequence[str]
) -> dict[str, float]:
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    from seaway.tuning.distributions import as_drawn, distribution

    study = optuna.create_study(direction=objective.goal)
    for trial, value in points:
        drawn = as_drawn(space, {name: trial.params[name] for name in names})
        distributions = {name: distribution(space.parameters[name]) for name in names}
        study.add_trial(optuna.trial.create_trial(params=drawn, distributions=distributions, value=value))
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    evaluator = PedAnovaImportanceEvaluator(target_quantile=BEST_PART)
    return dict(get_param_importances(study, evaluator=evaluator))
