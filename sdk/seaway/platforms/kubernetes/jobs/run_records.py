"""How the steps of a run on Kubeflow Pipelines went, by their pods: the backend itself keeps no step's reason.

Argo says on each pod which node of the workflow it is: `churn-x1.root.churn-data.ingest-tables.executor(0)`, the
number where a step may be tried again, or `....ingest-tables-driver` for Kubeflow's own pod before a step's. A step
that was taken from the cache has no pod but that.
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

from seaway.errors import MetricsUnavailable
from seaway.platforms.kubernetes.client.api_errors import UNREACHABLE, ApiCall
from seaway.platforms.kubernetes.client.connection import connect
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.ownership import ATTEMPT, NODE, RUN_LABEL, node
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import POD_LOGS, PODS, Manifest
from seaway.platforms.kubernetes.jobs.pod_problems import problems
from seaway.platforms.kubernetes.jobs.pod_usage import lived_s, usage_of
from seaway.platforms.kubernetes.jobs.started_pods import started_pods
from seaway.reporting.run_steps import FAILED, StepEnd, reason_of, tail
from seaway.reporting.usage import Spell, Usage

ITEM = re.compile(r"\(\d+:[^()]*\)")  # of a loop
EXECUTOR, DRIVER = "executor", "-driver"
STEP_CONTAINER = "main"
STATES = {"Succeeded": "succeeded", "Failed": FAILED, "Running": "running", "Pending": "waiting"}
SILENCE_S = 10.0
log = logging.getLogger(__name__)


class PodRecords:
    """Reads the pods of a run, and the logs of those that failed."""

    permissions = (
        Permission(PODS, ("list",), "report: how the steps of the run went"),
        Permission(POD_LOGS, ("get",), "report: why a step failed"),
    )

    def steps(self, run: str) -> list[StepEnd]:
        """See `RunRecords.steps`. Raises: Forbidden, ServerGone."""
        objects = Objects(connect())
        tried = attempts(objects.list(PODS, {"labelSelector": f"{RUN_LABEL}={run}"}).items)
        started = started_pods(objects, run)
        usage = _usage(list(chain(*tried.values(), *started.values())))
        return [
            replace(end, usage=usage.get(_name(last)), others=_spells([*earlier, *started.get(step, ())], usage))
            for step, (*earlier, last) in tried.items()
            if (end := _step_end(objects, last))
        ]


def _usage(pods: list[Manifest]) -> dict[str, Usage]:
    """A report is written whether or not a Prometheus tells."""
    try:
        return usage_of(pods)
    except MetricsUnavailable as error:
        log.warning("What the steps used is not known: %s", error)
        return {}


def _spells(pods: Sequence[Manifest], usage: Mapping[str, Usage]) -> list[Spell]:
    """Of those that were given a node."""
    return [(usage.get(_name(pod)), lived_s(pod)) for pod in pods if pod.get("status", {}).get("startTime")]


def attempts(pods: Iterable[Manifest]) -> dict[str, list[Manifest]]:
    """The pods of each node of the workflow, in the order in which they began; the nodes in that of their last one."""
    found: dict[str, list[Manifest]] = {}
    for pod in sorted((pod for pod in pods if node(pod)), key=_began):
        found.setdefault(node(pod), []).append(pod)
    return dict(sorted(found.items(), key=lambda one: _began(one[1][-1])))


def title(step: str) -> str:
    """The step that a node belongs to, by its name without attempts."""
    *groups, own = ITEM.sub("", ATTEMPT.sub("", step)).split(".")
    return own.removesuffix(DRIVER) if own.endswith(DRIVER) else [step, *groups][-1]


def _step_end(objects: Objects, pod: Manifest) -> StepEnd | None:
    """Nothing for Kubeflow's own pod, unless the step does not start for it."""
    step, state = node(pod), STATES.get(pod.get("status", {}).get("phase", ""), "waiting")
    ours = step.endswith(f".{EXECUTOR}")
    if not ours and state != FAILED:
        return None
    if state != FAILED:
        return StepEnd(title(step), state, seconds=_seconds(pod))
    text = _log(objects, pod["metadata"]["name"])
    why = next(iter(problems(pod)), "") if _killed(pod) else ""
    reason = why or reason_of(text, _ended(pod).get("exitCode", 1))
    unstarted = "" if ours else "Kubeflow's own pod before it, its driver, failed. "
    return StepEnd(title(step), FAILED, f"{unstarted}{reason}", _seconds(pod), log=tail(text))


def _killed(pod: Manifest) -> bool:
    """Whether the cluster ended it, so that its log cannot say why."""
    return bool(pod["status"].get("reason")) or _ended(pod).get("reason") == "OOMKilled"


def _log(objects: Objects, pod: str) -> str:
    """What the step has said; empty where its pod or its log is gone."""
    call = ApiCall("get", PODS, objects.namespace, pod)
    try:
        with objects.stream(call, {"container": STEP_CONTAINER}, SILENCE_S, "log") as response:
            return response.read().decode("utf-8", "replace")
    except UNREACHABLE:
        return ""


def _name(pod: Manifest) -> str:
    return str(pod["metadata"]["name"])


def _began(pod: Manifest) -> tuple[str, list[int]]:
    """Seconds are all that the API server tells; of two attempts in one second the later comes last."""
    metadata = pod["metadata"]
    return metadata["creationTimestamp"], [int(number) for number in ATTEMPT.findall(metadata["annotations"][NODE])]


def _ended(pod: Manifest) -> dict[str, Any]:
    """How the step's container ended; empty while it has not."""
    for status in pod.get("status", {}).get("containerStatuses") or ():
        if status["name"] == STEP_CONTAINER:
            return dict(status.get("state", {}).get("terminated") or {})
    return {}


def _seconds(pod: Manifest) -> float | None:
    ended = _ended(pod)
    times = [ended.get(name) for name in ("startedAt", "finishedAt")]
    if not all(times):
        return None
    began, done = (datetime.fromisoformat(str(time)) for time in times)
    return (done - began).total_seconds()
