"""The pods of the jobs that the steps of a run started, by the step: their controllers give them no mark of the run.

So the jobs are asked for, of each kind that a backend launches, and their pods by the label that the kind says. A pod
that its controller has deleted, as when a training began anew after a lost peer, is not found any more.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator

from seaway import registry
from seaway.errors import Forbidden, KindMissing, ObjectDeleted
from seaway.platforms.kubernetes.client.naming import RUN, label
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.ownership import STEP_NODE
from seaway.platforms.kubernetes.client.resources import PODS, Manifest
from seaway.platforms.kubernetes.jobs.kind import Kind
from seaway.registry import KUBERNETES

LAUNCHING = ("Trainer", "Tuner", "BatchPredictor")  # ports whose backends name, as `kind`, what they launch
NOT_SERVED = (KindMissing, ObjectDeleted)  # a group, or a kind of a group that is there, that the cluster lacks
log = logging.getLogger(__name__)


def started_pods(objects: Objects, run: str) -> dict[str, list[Manifest]]:
    """By the step's node in the workflow; what this account may not list is told in the log, and left out.

    Raises:
        ServerGone: the API server does not answer.
    """
    found = defaultdict[str, list[Manifest]](list)
    for kind in launched_kinds():
        try:
            for job in _jobs(objects, kind, run):
                found[job["metadata"]["annotations"][STEP_NODE]] += _pods(objects, kind, job)
        except NOT_SERVED:
            continue
        except Forbidden as error:
            log.warning("What the %ss of this run cost is not known: %s", kind.resource.kind, error)
    return dict(found)


def launched_kinds() -> list[Kind]:
    """Those of the backends that a cluster has."""
    adapters = [one.load() for port in LAUNCHING for one in registry.backends(port, KUBERNETES).values()]
    return [adapter.kind for adapter in adapters if hasattr(adapter, "kind")]


def _jobs(objects: Objects, kind: Kind, run: str) -> Iterator[Manifest]:
    """Those that a step of a workflow made."""
    for job in objects.list(kind.resource, {"labelSelector": f"{RUN}={label(run)}"}).items:
        if STEP_NODE in job["metadata"].get("annotations", {}):
            yield job


def _pods(objects: Objects, kind: Kind, job: Manifest) -> list[Manifest]:
    return list(objects.list(PODS, {"labelSelector": kind.pods(job["metadata"]["name"])}).items)
