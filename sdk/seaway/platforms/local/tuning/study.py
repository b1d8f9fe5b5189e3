"""A study in Optuna's terms: trials, samplers, pruners, and the journal file that it is kept in.

The journal is Optuna's own (`optuna.storages.journal`): a line a change, flushed to disk. Its SQLite storage needs
seconds to make its tables and five commits a trial, which is longer than a small network trains.
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIISampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState, create_trial

from seaway.errors import InvalidSpec
from seaway.tuning import Categorical, State, Trial, TuneSpec, earlier_trials
from seaway.tuning.distributions import as_drawn, as_read, distribution

PLAN, OUTCOME, EARLIER = "plan", "outcome", "earlier"  # a trial's attributes; the last marks those of a warm start
LARGEST = 1e300  # stands for an infinite miss of a constraint, which has to be a number
STATES = {
    TrialState.COMPLETE: State.COMPLETE,
    TrialState.PRUNED: State.PRUNED,
    TrialState.FAIL: State.FAILED,
    TrialState.RUNNING: State.RUNNING,
}
TOLD = {state: told for told, state in STATES.items()}


@dataclass(frozen=True)
class Plan:
    """What a trial is, beside its params.

    One that was cut off, or paused, goes on as another trial of Optuna's: `folder` is the number of the first of them,
    where the checkpoints are, and `past` the epochs in these that it need not train again. `whole` lets it train to its
    end, whatever it is behind.
    """

    rows: float = 1.0
    parent: int | None = None
    stop_at: int | None = None
    folder: int | None = None
    past: int = 0
    whole: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a trial, beside its state; `at` is when it ended, in seconds of the study's time.

    Epochs and seconds are its own, without those of the paused trial that it went on from.
    """

    values: Mapping[str, float]
    epochs: int
    seconds: float
    at: float
    reason: str = ""
    history: Sequence[Mapping[str, float]] = field(default_factory=tuple)


def open_study(spec: TuneSpec, file: Path) -> optuna.Study:
    """The study in a journal, made where it is missing; only one process may have it open."""
    _repair(file)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    storage = JournalStorage(JournalFileBackend(str(file), JournalFileOpenLock(str(file))))
    logging.getLogger("optuna.storages").setLevel(logging.WARNING)
    study = optuna.create_study(
        study_name="seaway",
        storage=storage,
        directions=[one.goal for one in spec.objectives],
        pruner=pruner(spec),
        load_if_exists=True,
    )
    if not study.get_trials(deepcopy=False):
        for trial in _earlier(spec):
            study.add_trial(trial)
    study.sampler = sampler(spec, study.get_trials(deepcopy=False))
    return study


def _repair(file: Path) -> None:
    """Drop what a killed writer left: half a line, and the journal's lock."""
    Path(f"{file}.lock").unlink(missing_ok=True)
    if file.exists():
        written = file.read_bytes()
        file.write_bytes(written[: written.rfind(b"\n") + 1])


def drawn(spec: TuneSpec, trial: optuna.Trial) -> dict[str, Any]:
    """The trial's point: each parameter that is there, given those before it."""
    point: dict[str, Any] = {}
    for name, one in spec.space.parameters.items():
        if spec.space.active(point, name):
            value = trial._suggest(name, distribution(one))
            point[name] = one.read(value) if isinstance(one, Categorical) else value
    return point


def ended(spec: TuneSpec, study: optuna.Study) -> list[Trial]:
    """The study's own trials that have come to an end, by number; none that was cut off by a kill or goes on."""
    attempts: dict[int, list[FrozenTrial]] = {}
    for frozen in study.get_trials(deepcopy=False):
        if EARLIER not in frozen.user_attrs and (OUTCOME in frozen.user_attrs or not frozen.state.is_finished()):
            attempts.setdefault(first_number(frozen), []).append(frozen)
    return [_trial(spec, attempts[one]) for one in sorted(attempts) if attempts[one][-1].state.is_finished()]


def first_number(trial: optuna.Trial | FrozenTrial) -> int:
    """The number of its first attempt, by which the study knows it."""
    first = plan(trial).folder
    return trial.number if first is None else first


def trained_epochs(study: optuna.Study) -> int:
    """Epochs of all trials that have ended or are paused."""
    return sum(one.user_attrs.get(OUTCOME, {}).get("epochs", 0) for one in study.get_trials(deepcopy=False))


def last_second(study: optuna.Study) -> float:
    """The study's time so far, without that of trials which were cut off."""
    outcomes = [one.user_attrs.get(OUTCOME, {"at": 0.0}) for one in study.get_trials(deepcopy=False)]
    return max((float(outcome["at"]) for outcome in outcomes), default=0.0)


def plan(trial: optuna.Trial | FrozenTrial) -> Plan:
    """The trial's plan; one that was killed before it was written down is an ordinary one."""
    return Plan(**trial.user_attrs.get(PLAN, {}))


def retry_interrupted(study: optuna.Study, first: Plan) -> int:
    """Tell Optuna of the trials that a kill cut off, queue their points again, and say how many are queued."""
    for cut_off in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        again = plan(cut_off) if PLAN in cut_off.user_attrs else first
        study.tell(cut_off.number, state=TrialState.FAIL)
        planned = asdict(replace(again, folder=first_number(cut_off)))
        study.enqueue_trial(cut_off.params, user_attrs={PLAN: planned})
    return len(study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))


def _trial(spec: TuneSpec, attempts: Sequence[FrozenTrial]) -> Trial:
    """A trial of the study; it stands as its last attempt does, and has cost what all of them have."""
    last, outcomes = attempts[-1], [Outcome(**one.user_attrs[OUTCOME]) for one in attempts]
    outcome, planned = outcomes[-1], plan(last)
    return Trial(
        number=first_number(last),
        state=STATES[last.state],
        params=as_read(spec.space, last.params),
        values=outcome.values,
        epochs=sum(one.epochs for one in outcomes),
        seconds=sum(one.seconds for one in outcomes),
        reason=outcome.reason,
        history=tuple(outcome.history),
        rows=planned.rows,
        parent=planned.parent,
    )


def _earlier(spec: TuneSpec) -> list[FrozenTrial]:
    """The trials of the study to start from that are points of this space and have this study's figures."""
    if spec.warm_start is None:
        return []
    found = [_frozen(spec, trial) for trial in earlier_trials(spec.warm_start) if _usable(spec, trial)]
    if not found:
        raise InvalidSpec(
            f"No trial in {spec.warm_start} is a point of this space and has this study's figures; "
            "start from a study over the same parameters, or from none."
        )
    return found


def _usable(spec: TuneSpec, trial: Trial) -> bool:
    try:
        spec.space.check(trial.params)
    except InvalidSpec:
        return False
    return trial.state is State.COMPLETE and all(one.metric in trial.values for one in spec.objectives)


def _frozen(spec: TuneSpec, trial: Trial) -> FrozenTrial:
    return create_trial(
        state=TrialState.COMPLETE,
        params=as_drawn(spec.space, trial.params),
        distributions={name: distribution(spec.space.parameters[name]) for name in trial.params},
        values=[trial.values[one.metric] for one in spec.objectives],
        user_attrs={EARLIER: True, OUTCOME: {"at": 0.0, "values": dict(trial.values)}},
    )


def pruner(spec: TuneSpec) -> BasePruner:
    """What compares trials between epochs, where it is Optuna: its successive halving cannot pause."""
    name, settings = spec.algorithm.name, spec.algorithm.settings
    if name == "hyperband":
        return HyperbandPruner(settings["min_epochs"], spec.epochs, settings["reduction"])
    if name == "median":
        return MedianPruner(settings["compared_trials"], n_warmup_steps=settings["min_epochs"] - 1)
    return NopPruner()


def sampler(spec: TuneSpec, known: Sequence[FrozenTrial]) -> BaseSampler:
    """What chooses points.

    Its random numbers follow the seed and the number of trials before it, so that a study which goes on after a kill
    draws other points than at its start.
    """
    settings = spec.algorithm.settings
    seed = spec.seed + len(known)
    bounds = _misses(spec) if spec.constraints else None
    name = settings.get("sampler", spec.algorithm.name)
    if name == "tpe":
        return TPESampler(
            n_startup_trials=settings["startup_trials"],
            multivariate=True,  # with groups, one estimator for all parameters that are there together
            group=True,
            seed=seed,
            constant_liar=spec.parallel > 1,
            constraints_func=bounds,
        )
    if name == "bayes":
        return GPSampler(seed=seed, n_startup_trials=settings["startup_trials"], constraints_func=bounds)
    if name == "nsga2":
        return NSGAIISampler(population_size=settings["population"], seed=seed, constraints_func=bounds)
    if name == "cmaes":
        earlier = [one for one in known if EARLIER in one.user_attrs]
        return CmaEsSampler(seed=seed, source_trials=earlier or None)
    if name == "sobol":
        return QMCSampler(qmc_type="sobol", scramble=True, seed=spec.seed)
    return RandomSampler(seed=seed)


def _misses(spec: TuneSpec) -> Any:
    """For each constraint by how much a trial misses it, 0 or less where it does not."""

    def misses(frozen: FrozenTrial) -> list[float]:
        values = frozen.user_attrs[OUTCOME]["values"]
        return [min(one.excess(values.get(one.metric, float("nan"))), LARGEST) for one in spec.constraints]

    return misses
