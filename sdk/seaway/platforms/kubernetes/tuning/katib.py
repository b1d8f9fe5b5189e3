"""Tuning by Katib: the data go to the storage, an Experiment runs the trials, their figures come back.

The environment says where, as for training; see `seaway.platforms.kubernetes.training.trainer`.
"""

import json
import logging
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from seaway.errors import DataUnreadable, JobFailed, NameTaken, TuningFailed
from seaway.platforms.home import run_id
from seaway.platforms.kubernetes.client.connection import connected
from seaway.platforms.kubernetes.client.naming import Step, stamp
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.jobs import queueing
from seaway.platforms.kubernetes.jobs.kind import Kind, Outcome, State, condition
from seaway.platforms.kubernetes.jobs.launch import cancel, launch, launching
from seaway.platforms.kubernetes.jobs.pod_logs import to_log
from seaway.platforms.kubernetes.jobs.wait import JobWait, Patience
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.platforms.kubernetes.training.trainer import placement, remote
from seaway.platforms.kubernetes.tuning import experiment
from seaway.platforms.kubernetes.tuning.experiment import EXPERIMENT, KIND, TRIALS, Study
from seaway.platforms.remote_training import send_data
from seaway.storage import storage_for
from seaway.training.fingerprint import fingerprint
from seaway.tuning import State as TrialState
from seaway.tuning import Trial, TuneResult, TuneSpec, refuse
from seaway.tuning.algorithm import KATIB
from seaway.tuning.pod.trial import folder
from seaway.tuning.report import write_study

STEP = "tuning"
PATIENCE = Patience(operator_s=300.0)  # the suggestion service's image, with its libraries, is pulled first
ENDED = {  # condition of a Katib trial -> how it ended; the first that holds
    "Failed": TrialState.FAILED,
    "MetricsUnavailable": TrialState.FAILED,
    "Killed": TrialState.FAILED,
    "EarlyStopped": TrialState.PRUNED,
    "Succeeded": TrialState.COMPLETE,
}
log = logging.getLogger(__name__)


class KatibTuner:
    """Runs a study as an Experiment, each trial a PyTorchJob."""

    kind = KIND
    permissions = (
        *launching(experiment.RESOURCE),
        Permission(TRIALS, ("list",), "katib: what each trial of an Experiment came to"),
    )

    def tune(self, spec: TuneSpec) -> TuneResult:
        """See `seaway.tuning.Tuner.tune`."""
        refuse(spec, KATIB)
        if not spec.budget.trials:
            return TuneResult(spec, (), "no trials were asked for")
        training = replace(spec.training, workers=spec.trial_workers)
        template, settings = remote(training, fingerprint(training), STEP), placement(training.placement)
        objects = Objects(connected())
        if settings.local_queue:
            queueing.workloads(objects)  # of which the Experiment itself, which waits in none, would not be asked
        study = Study(spec, template)
        study = replace(study, distributions=has_distributions(study, settings, objects))
        manifest = named(study, settings)
        KIND.preflight(manifest)
        send_data(training, template)
        result = _carry_out(study, manifest, objects)
        if result.best:
            write_study(result, spec.output)
        return result


def named(study: Study, settings: Placement) -> dict[str, Any]:
    """The Experiment of this run."""
    return experiment.label_pods(stamp(experiment.build(study, settings), Step(run_id(), STEP), KIND.suffix))


def has_distributions(study: Study, settings: Placement, objects: Objects) -> bool:
    """Whether the cluster's Katib keeps a parameter's distribution; one before 0.18 drops it without a word."""
    manifest = named(study, settings)
    wanted = _distributions(manifest)
    if not any(wanted):
        return True
    try:
        KIND.preflight(manifest)
        kept = _distributions(objects.create(experiment.RESOURCE, manifest, dry_run=True))
    except NameTaken:  # this study is there already, as it was made when this was asked first
        return True
    return kept == wanted


def _distributions(manifest: Manifest) -> list[str]:
    spaces = [parameter["feasibleSpace"] for parameter in manifest["spec"].get("parameters") or ()]
    return [space.get("distribution", "").replace("uniform", "") for space in spaces]


def _carry_out(study: Study, manifest: Manifest, objects: Objects) -> TuneResult:
    name, seconds = manifest["metadata"]["name"], study.spec.budget.seconds
    timeout_s = min(seconds or math.inf, experiment.timeout_s(study))
    kind = KIND if seconds is None else ending_after(seconds)
    try:
        outcome = launch(kind, manifest, timeout_s=timeout_s, patience=PATIENCE, connection=objects.connection)
    except JobFailed as failure:
        ended = read_trials(study, name, objects)
        reasons = [f"Trial {one.number} failed: {one.reason}." for one in ended if one.state is TrialState.FAILED]
        raise TuningFailed("\n".join([str(failure), *reasons])) from failure
    trials = tuple(read_trials(study, name, objects))
    if KIND.outcome(outcome.object) is None:
        _end(objects, manifest)
    return TuneResult(study.spec, trials, outcome.message)


def ending_after(seconds: float) -> Kind:
    """The kind whose jobs have done enough when so many seconds are over."""
    ends = time.monotonic() + seconds

    def outcome(job: Manifest) -> Outcome | None:
        ended = KIND.outcome(job)
        if ended is None and time.monotonic() >= ends:
            return Outcome(State.SUCCEEDED, "TimeIsOver", f"{seconds:g} s are over", job)
        return ended

    return replace(KIND, outcome=outcome)


def _end(objects: Objects, manifest: Manifest) -> None:
    """Delete an Experiment that still runs trials, and wait until they are gone."""
    with JobWait(objects, KIND, manifest["metadata"]["name"], to_log, 0, PATIENCE) as wait:
        cancel(wait, manifest)


def read_trials(study: Study, name: str, objects: Objects) -> Iterator[Trial]:
    """The trials of an Experiment in the order of their start; those that ended badly are told."""
    found = objects.list(TRIALS, {"labelSelector": f"{EXPERIMENT}={name}"}).items
    found.sort(key=lambda trial: (trial["metadata"]["creationTimestamp"], trial["metadata"]["name"]))
    for number, manifest in enumerate(found):
        trial = read_trial(study, number, manifest)
        if trial.state is TrialState.FAILED:
            log.warning("Trial %d (%s) failed: %s", number, manifest["metadata"]["name"], trial.reason)
        yield trial


def read_trial(study: Study, number: int, manifest: Manifest) -> Trial:
    """One trial as Katib keeps it, with the history that its pod has left."""
    status, history = manifest.get("status", {}), _history(study, manifest["metadata"]["name"])
    state, reason = _state(manifest)
    values = _values(study.objective, status)
    if state is TrialState.COMPLETE and not values:
        state, reason = TrialState.FAILED, f"Katib has no value of {study.objective}: unavailable"
    texts = {one["name"]: one.get("value", "") for one in manifest["spec"].get("parameterAssignments") or ()}
    point = study.trial.point(texts)
    return Trial(
        number=number,
        state=state,
        params={parameter: value for parameter, value in point.items() if parameter in study.spec.space.parameters},
        values=values,
        epochs=len(history),
        seconds=_seconds(status),
        reason=reason,
        history=history,
    )


def _state(manifest: Manifest) -> tuple[TrialState, str]:
    for kind, state in ENDED.items():
        if found := condition(manifest, kind):
            return state, "" if state is TrialState.COMPLETE else f"{kind}: {found.get('message', '')}"
    return TrialState.PRUNED, "it was still at work when the study ended"


def _values(metric: str, status: Mapping[str, Any]) -> dict[str, float]:
    """What Katib has of the objective; it writes `unavailable` where its collector found nothing."""
    for observed in status.get("observation", {}).get("metrics") or ():
        if observed["name"] == metric:
            try:
                return {metric: float(observed["latest"])}
            except ValueError:
                return {}
    return {}


def _seconds(status: Mapping[str, Any]) -> float:
    began, ended = status.get("startTime"), status.get("completionTime")
    if not began or not ended:
        return 0.0
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def _history(study: Study, name: str) -> tuple[Mapping[str, float], ...]:
    """The epochs that a trial's pod has told; none where it ended before the first."""
    uri = f"{folder(study.template, name)}/history.jsonl"
    storage = storage_for(uri)
    with TemporaryDirectory(prefix="seaway-") as local:
        file = Path(local) / "history.jsonl"
        try:
            storage.download(uri, file)
        except DataUnreadable:
            return ()
        return tuple(json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
