"""Why a run on Kubeflow Pipelines failed: its first failed step and the last lines of that step's log.

A run's own `error` is empty there: the reason stands in the log of the step's pod. The API server has it while the pod
is there, or where logs are archived. It names a pod by the id of the workflow's node, the pod itself may carry its
template's name as well.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import kfp_server_api
import urllib3

from seaway.errors import SeawayError
from seaway.kfp import server as servers
from seaway.kfp.server import Server
from seaway.kfp.states import Progress, progress

LINES = 20  # of the log, at most
TEMPLATES = ("system-container-impl", "retry-system-container-impl")  # of the pods that steps run in
EXECUTOR, DRIVER = "executor", "-driver"  # how the nodes inside and before a step's own are called


def reason(run: Any, server: Server) -> str:
    """One paragraph: the step that failed first, and its last lines; empty where the server tells of no failed step."""
    step = failed_step((run.run_details and run.run_details.task_details) or ())
    if step is None:
        return ""
    if step.display_name.endswith(DRIVER):
        name = step.display_name.removesuffix(DRIVER)
        return f"Step {name} was not started: Kubeflow's own pod before it, its driver, failed; see that pod's log."
    nodes = [child.pod_name for child in step.child_tasks or () if child.pod_name]
    lines = next(filter(None, (_log(run.run_id, name, server) for node in nodes for name in pod_names(node))), "")
    if lines:
        return f"Step {step.display_name} failed. Its log ends:\n{lines}"
    return f"Step {step.display_name} failed; the server has no log of it; see its pod, {', '.join(nodes)}."


def failed_step(tasks: Iterable[Any]) -> Any | None:
    """The task that failed first. Groups fail with what is in them, no sooner, and began before it."""
    failed = [task for task in tasks if task.state and progress(str(task.state)) is Progress.BAD]
    steps = [task for task in failed if not task.display_name.startswith(EXECUTOR)]
    return min(steps, key=lambda task: (_seconds(task.end_time), -_seconds(task.start_time)), default=None)


def pod_names(node: str) -> Iterator[str]:
    """What the pod of a workflow's node may be called."""
    yield node
    workflow, _, digits = node.rpartition("-")
    yield from (f"{workflow}-{template}-{digits}" for template in TEMPLATES)


def _seconds(time: datetime | None) -> float:
    return time.timestamp() if time else math.inf


def _log(run: str, pod: str, server: Server) -> str:
    try:
        text = servers.ask(server, f"/apis/v1alpha1/runs/{run}/nodes/{pod}/log", kind="text/plain")
    except (kfp_server_api.ApiException, urllib3.exceptions.HTTPError, SeawayError):
        return ""
    return "\n".join(text.rstrip().splitlines()[-LINES:])
