"""Tuning on this machine: an Optuna study whose trials are processes, ended early where they lag behind."""

import dataclasses
import importlib
import json
import logging
import math
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import optuna

from seaway.errors import DataUnreadable, TuningFailed
from seaway.platforms.home import home
from seaway.platforms.local.tuning import trial_process
from seaway.platforms.local.tuning.study import (
    OUTCOME,
    PLAN,
    TOLD,
    Outcome,
    Plan,
    drawn,
    ended,
    first_number,
    last_second,
    open_study,
    plan,
    retry_interrupted,
    trained_epochs,
)
from seaway.platforms.local.tuning.trial_process import TrialProcess
from seaway.reporting.tuning_section import figure
from seaway.signals import sigterm_raises
from seaway.storage import atomic_path, locked
from seaway.training.heartbeat import VARIABLE, silence_s
from seaway.tuning import State, Trial, TuneResult, TuneSpec, halving, refuse
from seaway.tuning.algorithm import OPTUNA
from seaway.tuning.distributions import as_drawn
from seaway.tuning.fingerprint import fingerprint
from seaway.tuning.report import write_study
from seaway.tuning.spec import whole_epochs
from seaway.tuning.suggest import propose

POLL_S = 0.005  # between looks at the trials' histories; what is to end trains on meanwhile
PAGE = ("optuna.importance", "matplotlib.figure", "jinja2")  # imported for it: seconds, while the trials' server starts
ENDING = "ending"  # the study's attribute that is there once it is finished
log = logging.getLogger(__name__)


class OptunaTuner:
    """Carries out studies in this place's state folder, each below `studies/` under its fingerprint."""

    name = OPTUNA  # the backend's
    trainer = ""  # the backend of Trainer that trains each trial elsewhere; empty trains it in the trial's process

    def tune(self, spec: TuneSpec) -> TuneResult:
        """See `seaway.tuning.Tuner.tune`."""
        refuse(spec, self.name)
        result = self._study(spec) if spec.budget.trials else TuneResult(spec, (), "no trial was asked for")
        write_study(result, spec.output)
        return result

    def _study(self, spec: TuneSpec) -> TuneResult:
        identity = fingerprint(spec)
        trial_process.preload(spec.training.entrypoint)
        Thread(target=lambda: [importlib.import_module(name) for name in PAGE], daemon=True).start()
        folder = home() / "studies" / identity[:16]
        with locked(folder.with_suffix(".lock")):
            folder.mkdir(parents=True, exist_ok=True)
            study = open_study(spec, folder / "journal.log")
            if ENDING in study.user_attrs:
                log.info("Reusing the finished study in %s.", folder)
            else:
                study.set_user_attr(ENDING, _carry_out(Study(spec, study, folder, identity, self.trainer), folder))
            return TuneResult(spec, tuple(ended(spec, study)), study.user_attrs[ENDING])


def _carry_out(study: "Study", folder: Path) -> str:
    """Run it and give its ending; a study that failed is forgotten, so that its cause can be mended."""
    try:
        with sigterm_raises():
            return study.run()
    except TuningFailed:
        shutil.rmtree(folder)
        raise


@dataclass
class Running:
    """A trial under way: what Optuna knows of it, its process, and how many of its epochs have been compared.

    `inherited` are the epochs at the start of its history that others have trained, or itself before it was paused.
    """

    number: int
    trial: optuna.Trial
    params: Mapping[str, Any]
    plan: Plan
    process: TrialProcess
    folder: Path
    inherited: int
    compared: int = 0

    @property
    def epochs(self) -> int:
        """Epochs of its own."""
        return max(0, len(self.process.history()) - self.inherited)

    @property
    def trained(self) -> bool:
        """Whether its last epoch has been compared: an early end would save nothing, and lose its figures."""
        return self.compared == whole_epochs(self.process.spec.params)

    @property
    def so_far(self) -> Trial:
        """As far as it has been compared."""
        history = self.process.history()[: self.compared]
        return Trial(self.number, State.RUNNING, self.params, history=history, rows=self.plan.rows)


@dataclass(frozen=True)
class End:
    """How a trial has ended."""

    state: State
    reason: str = ""
    values: Mapping[str, float] = dataclasses.field(default_factory=dict)


class Study:
    """A study under way, in one thread."""

    def __init__(self, spec: TuneSpec, study: optuna.Study, folder: Path, identity: str, trainer: str = "") -> None:
        self._spec, self._study, self._folder, self._identity = spec, study, folder, identity
        self._trainer = trainer
        self._queued = retry_interrupted(study, Plan(rows=spec.rows_fraction))
        self._ended = ended(spec, study)
        self._silence_s = silence_s()
        self._began = time.monotonic() - last_second(study)
        self._running: list[Running] = []
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._threads = max(1, cores // spec.parallel)
        if self._ended or self._queued:
            log.info("going on with the study in %s: %d trials have ended", folder, len(self._ended))

    def run(self) -> str:
        """Until the budget is spent or nothing is left to try; gives the reason.

        Raises:
            TuningFailed: more trials failed than are put up with.
        """
        try:
            while not (ending := self._advance()):
                trial_process.wait([one.process for one in self._running], POLL_S)
                for one in list(self._running):
                    self._look_at(one)
            self._clear()
            return ending
        finally:
            for one in self._running:
                one.process.end()

    def _advance(self) -> str:
        """Start what there is room for; the ending where nothing is to be waited for any more."""
        spent = self._spent()
        if spent:
            self._cut(spent)
        room = 1 if spent else self._spec.parallel
        while len(self._running) < room and self._start(bool(spent)):
            pass
        return "" if self._running else spent or f"all {len(self._ended)} trials have ended"

    def _spent(self) -> str:
        """Which bound of the budget is reached; the number of trials is none, as running ones may end."""
        budget = self._spec.budget
        if budget.seconds is not None and self._seconds >= budget.seconds:
            return f"{budget.seconds:g} s are over"
        epochs = trained_epochs(self._study) + sum(one.epochs for one in self._running)
        if budget.epochs is not None and epochs >= budget.epochs:
            return f"{budget.epochs} epochs are over"
        return ""

    def _cut(self, reason: str) -> None:
        """End the running trials; where none has ended well or is paused, the one that is furthest is let finish."""
        found = TuneResult(self._spec, tuple(self._ended)).candidates
        going = self._running if found else [one for one in self._running if not one.plan.whole]
        order = sorted(going, key=lambda one: (one.plan.rows, one.epochs), reverse=True)
        paused = self._pauses and halving.furthest(self._spec, self._compared_trials)
        if not found and len(going) == len(self._running) and not paused:
            order = order[1:]
        for one in order:
            self._settle(one, End(State.PRUNED, reason))

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _start(self, spent: bool) -> bool:
        """Start the next trial; whether there was one."""
        if spent and TuneResult(self._spec, tuple(self._ended)).candidates:
            return False
        trial = self._next(spent)
        if trial is None:
            return False
        planned = plan(trial)
        folder = self._folder / str(first_number(trial))
        params = drawn(self._spec, trial)
        parent = None if planned.parent is None else folder / "parent"
        inherited = planned.past if parent is None else self._inherit(planned, parent)
        training = dataclasses.replace(
            self._spec.training,
            train=self._rows(planned.rows),
            output=folder / "output",
            checkpoints=folder / "checkpoints",
            params=self._spec.space.merged(self._spec.training.params, params),
            workers=self._spec.trial_workers,
            start_from=parent,
        )
        process = TrialProcess(
            training, f"{self._identity[:32]}{folder.name:>032}", folder, self._threads, self._trainer
        )
        one = Running(first_number(trial), trial, params, planned, process, folder, inherited, compared=inherited)
        self._running.append(one)
        return True

    def _next(self, spent: bool) -> optuna.Trial | None:
        if self._queued and not spent:
            self._queued -= 1
            return self._study.ask()
        if not spent and self._pauses and (again := halving.promoted(self._spec, self._compared_trials)):
            return self._go_on(again)
        proposal = propose(self._spec, self._ended, len(self._running), spent)
        if proposal is None:
            last = self._last(spent)
            return None if last is None else self._go_on(last, whole=True)
        planned = Plan(proposal.rows, proposal.parent, proposal.stop_at, whole=proposal.whole)
        if proposal.params is not None:
            return self._ask_for(proposal.params, planned)
        trial = self._study.ask()
        trial.set_user_attr(PLAN, asdict(planned))
        return trial

    def _ask_for(self, params: Mapping[str, Any], planned: Plan) -> optuna.Trial:
        self._study.enqueue_trial(as_drawn(self._spec.space, params), user_attrs={PLAN: asdict(planned)})
        return self._study.ask()

    @property
    def _pauses(self) -> bool:
        """Whether a trial that lags behind may go on later."""
        return self._spec.algorithm.name == "asha"

    @property
    def _compared_trials(self) -> list[Trial]:
        """The trials that are held against each other between epochs."""
        found = [*self._ended, *(one.so_far for one in self._running)]
        return [one for one in found if one.rows == self._spec.rows_fraction]

    def _last(self, spent: bool) -> Trial | None:
        """The paused trial that is let finish when no more are started: one that may be best, or is all there is."""
        if not self._pauses or self._running:
            return None
        if not spent:
            return halving.unbeaten(self._spec, self._compared_trials)
        return None if self._sound() else halving.furthest(self._spec, self._compared_trials)

    def _sound(self) -> bool:
        """Whether a trial has ended well on the rows that are searched on."""
        spec = self._spec
        return any(one.counts(spec.objectives, spec.constraints, spec.rows_fraction) for one in self._ended)

    def _go_on(self, paused: Trial, whole: bool = False) -> optuna.Trial:
        """Let a paused trial go on from its checkpoints; one whose entrypoint has left none starts anew."""
        kept = any(file.is_file() for file in self._checkpoints(paused.number).rglob("*"))
        past = len(paused.history) if kept else 0
        self._ended.remove(paused)
        again = self._ask_for(paused.params, Plan(paused.rows, folder=paused.number, past=past, whole=whole))
        log.info("trial %d goes on after epoch %d", paused.number, len(paused.history))  # now that the journal says so
        return again

    def _rows(self, fraction: float) -> Path:
        """The training rows, or a fixed part of them in their order."""
        source = self._spec.training.train
        target = self._folder / "rows.parquet"
        if fraction < 1 and not target.exists():
            _sample(source, target, fraction, self._spec.seed)
        return source if fraction == 1 else target

    def _inherit(self, planned: Plan, target: Path) -> int:
        """Lay down the checkpoint that the trial goes on from; the number of epochs that are in it."""
        parent = next(one for one in self._ended if one.number == planned.parent)
        epoch = int(parent.history[-1]["epoch"])
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for file in self._checkpoints(parent.number).glob(f"*/epoch-{epoch:06d}-*.safetensors"):
            shutil.copy(file, target)
        return epoch

    def _checkpoints(self, number: int) -> Path:
        return self._folder / str(number) / "checkpoints"

    def _look_at(self, one: Running) -> None:
        """Compare its new epochs, and settle it where it has ended or is to end."""
        exitcode = one.process.exitcode  # before the files: what it has written is all there then
        if self._trainer and exitcode is None:
            return  # its trainer knows how long it may take, in a queue too, and brings its files at its end
        end = self._compared(one) or self._finished(one)
        if end is None and exitcode is not None:
            reason = "It ended without an error and wrote no metrics.json." if exitcode == 0 else one.process.reason()
            end = End(State.FAILED, reason)
        if end is None and one.process.seconds > self._spec.training.timeout_s:
            end = End(State.FAILED, f"It did not end within {self._spec.training.timeout_s:g} s.")
        if end is None and (stack := one.process.hung(self._silence_s)):
            told = f"It hangs: for {self._silence_s:g} s ({VARIABLE}) it has neither written nor computed anything."
            end = End(State.FAILED, f"{told} It stood here:\n{stack}")
        if end is not None:
            self._settle(one, end)

    def _compared(self, one: Running) -> End | None:
        """Look at its epochs one by one, as if each had been looked at when it ended."""
        metric = self._spec.objectives[0].metric
        for entry in one.process.history()[one.compared :]:
            one.compared = int(entry["epoch"])
            value = entry.get(metric)
            if value is not None and not math.isfinite(value):
                return End(State.FAILED, f"{metric} of epoch {one.compared} is {value}.")
            if one.plan.stop_at is not None and one.compared >= one.plan.stop_at:
                return self._judged(entry, "history.jsonl")
            if self._spec.algorithm.method.early_stopping and one.plan.rows == self._spec.rows_fraction:
                if value is None:
                    return End(State.FAILED, f"Its history.jsonl has no {metric}, by which trials are compared.")
                one.trial.report(value, one.compared)
                if not (one.trained or one.plan.whole or self._spent()) and self._lags(one):
                    return End(State.PRUNED, f"behind others at epoch {one.compared}", {metric: value})
        return None

    def _lags(self, one: Running) -> bool:
        if not self._pauses:
            return one.trial.should_prune()
        if halving.rung(self._spec, one.compared) != one.compared:
            return False
        return not halving.leads(self._spec, one.so_far, self._compared_trials)

    def _finished(self, one: Running) -> End | None:
        figures = one.process.metrics()
        return None if figures is None else self._judged(figures, "metrics.json")

    def _judged(self, figures: Mapping[str, Any], source: str) -> End:
        """Complete where each figure that the study asks for is there and a number."""
        spec = self._spec
        wanted = [one.metric for one in spec.objectives] + [one.metric for one in spec.constraints]
        if missing := [name for name in wanted if name not in figures]:
            return End(State.FAILED, f"Its {source} has no {', '.join(missing)}; it has: {', '.join(figures)}.")
        values = {name: float(figures[name]) for name in wanted}
        if odd := [f"{name} is {value}" for name, value in values.items() if not math.isfinite(value)]:
            return End(State.FAILED, f"Its {source} says that {', '.join(odd)}.")
        return End(State.COMPLETE, "", values)

    def _settle(self, one: Running, end: End) -> None:
        """End its process and write down what came of it."""
        one.process.end()
        self._running.remove(one)
        history = one.process.history()
        outcome = Outcome(end.values, one.epochs, one.process.seconds, self._seconds, end.reason, history)
        one.trial.set_user_attr(OUTCOME, asdict(outcome))
        values = [end.values[each.metric] for each in self._spec.objectives] if end.state is State.COMPLETE else None
        self._study.tell(one.trial, values, TOLD[end.state])
        self._ended = ended(self._spec, self._study)
        self._tell(next(each for each in self._ended if each.number == one.number))
        if self._spec.algorithm.name != "pbt" and not (self._pauses and end.state is State.PRUNED):
            shutil.rmtree(one.folder)
        self._require_bearable()

    def _tell(self, trial: Trial) -> None:
        figures = [f"{name} {figure(value)}" for name, value in trial.values.items()]
        reason = [trial.reason.strip().splitlines()[-1]] if trial.reason else []
        rows = [] if trial.rows == 1 else [f"{trial.rows:.0%} of the rows"]
        cost = [f"{trial.epochs} epochs", f"{trial.seconds:.1f} s", *rows, json.dumps(dict(trial.params))]
        told = ", ".join([*figures, *reason, *cost])
        log.info("trial %d of %d %s: %s", len(self._ended), self._spec.budget.trials, trial.state.lower(), told)

    def _require_bearable(self) -> None:
        failed = [one for one in self._ended if one.state is State.FAILED]
        if len(failed) > self._spec.budget.max_failed:
            raise TuningFailed(
                f"{len(failed)} trials failed, more than the {self._spec.budget.max_failed} that are put up with "
                f"(max_failed). Trial {failed[-1].number} with {json.dumps(dict(failed[-1].params))}: "
                f"{failed[-1].reason}"
            )

    def _clear(self) -> None:
        """Drop the trials' files; the journal stays."""
        for folder in self._folder.iterdir():
            if folder.is_dir():
                shutil.rmtree(folder)
        (self._folder / "rows.parquet").unlink(missing_ok=True)


def _sample(source: Path, target: Path, fraction: float, seed: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(source)
    except (OSError, pa.ArrowException) as error:
        raise DataUnreadable(f"{source} cannot be read as Parquet: {error}") from error
    kept = max(1, round(fraction * table.num_rows))
    rows = np.sort(np.random.default_rng(seed).choice(table.num_rows, kept, replace=False))
    with atomic_path(target) as draft:
        pq.write_table(table.take(rows), draft)
