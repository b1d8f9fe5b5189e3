"""Waiting for the pods of an endpoint: until as many answer as are wanted, or it is plain that they never will."""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from kubernetes.utils import parse_quantity

from seaway.errors import EndpointFailed, PackageRefused, PodsStuck, SeawayError
from seaway.platforms.kubernetes.client.informer import Change, NotListed, Selector
from seaway.platforms.kubernetes.client.resources import DEPLOYMENTS, Manifest
from seaway.platforms.kubernetes.jobs.pod_problems import container_statuses
from seaway.platforms.kubernetes.jobs.wait import JobWait
from seaway.platforms.kubernetes.serving.server_pod import FETCHER, VERSION, WORKLOAD

CRASHES = 2  # restarts of a container, half a minute, after which nobody waits for another
QUOTA = re.compile(r"exceeded quota: .*?requested: (?P<requested>\S+), used: \S+, limited: (?P<limited>\S+)")
OWNER = ("spec", "template", "metadata", "labels", WORKLOAD)  # what a Deployment's pods are for, whoever made it
REFUSED = f"{PackageRefused.__name__}: "  # how the fetching program begins its last words


@dataclass
class Readiness(JobWait):
    """One wait for `wanted` pods by version."""

    wanted: Mapping[str, int] = field(default_factory=dict)

    def __enter__(self) -> "Readiness":
        super().__enter__()
        if self.kind.resource != DEPLOYMENTS:  # whose operator makes them
            self._subscribe(Selector(DEPLOYMENTS, key=OWNER), self.name)
        return self

    def reached(self, workload: Manifest) -> None:
        """Return once the pods answer.

        Raises:
            PackageRefused: a package does not verify; the message is the pod's.
            EndpointFailed: a container ends again and again; the message ends with its log.
            ObjectDeleted, OperatorMissing, PodsStuck, TimedOut, Forbidden, KindMissing, ServerGone: see `JobWait`.
        """
        self.wait_for(workload, self._answering)

    def _answering(self) -> bool | None:
        """True or None, as `wait_for` wants it."""
        pods = [pod for name, pod in self.pods.items() if name not in self.deleted]
        for pod in pods:
            self._require_hope(pod)
        ready = Counter(pod["metadata"]["labels"].get(VERSION) for pod in pods if is_ready(pod))
        return all(ready[version] >= count for version, count in self.wanted.items()) or None

    def _require_hope(self, pod: Manifest) -> None:
        if said := refusal(pod):
            raise PackageRefused(said)
        for container in container_statuses(pod):
            waiting = container.get("state", {}).get("waiting", {})
            if waiting.get("reason") == "CrashLoopBackOff" and container.get("restartCount", 0) >= CRASHES:
                raise EndpointFailed(f"{self.call} does not come up.\n{self.diagnosis()}")

    def _listen(self, pod: Manifest) -> None:
        """What a pod says until it answers; one that has answered before this wait is left alone."""
        if not is_ready(pod):
            super()._listen(pod)

    def _take_pod(self, change: Change) -> None:
        super()._take_pod(change)
        if not change.present:
            self.deleted.add(change.object["metadata"]["name"])

    def _take(self, message: Change | NotListed | SeawayError) -> None:
        if isinstance(message, Change) and message.resource == DEPLOYMENTS != self.kind.resource:
            self._require_makeable(message.object)
        else:
            super()._take(message)

    def _take_job(self, change: Change) -> None:
        super()._take_job(change)
        self._require_makeable(self.job)

    def _require_makeable(self, workload: Manifest) -> None:
        """Raises: PodsStuck: the workload's controller will never be let make its pods."""
        for message in failures(workload):
            self._say(logging.WARNING, message)
            if never_fits(message):
                raise PodsStuck(
                    f"The pods of {self.call} are larger than the namespace's quota: {message}. `kubectl describe "
                    f"resourcequota -n {self.call.namespace}` shows it; ask for less by hosting, or have it raised."
                )
            if "violates PodSecurity" in message:
                raise PodsStuck(
                    f"The pods of {self.call} are refused by Pod Security: {message}. `kubectl get namespace "
                    f"{self.call.namespace} --show-labels` shows the level that it enforces."
                )


def refusal(pod: Manifest) -> str:
    """Why the pod's package was refused; empty where it was not."""
    for container in container_statuses(pod):
        if container["name"] != FETCHER:
            continue
        for state in (container.get("state", {}), container.get("lastState", {})):
            message = state.get("terminated", {}).get("message", "")
            if REFUSED in message:
                return str(message.rpartition(REFUSED)[2].strip())
    return ""


def is_ready(pod: Manifest) -> bool:
    """Whether the pod answers."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def never_fits(message: str) -> bool:
    """Whether a quota refuses what is larger than all that it allows: nobody's end makes room for that."""
    found = QUOTA.search(message)
    return found is not None and any(
        amount > _amounts(found["limited"]).get(name, amount) for name, amount in _amounts(found["requested"]).items()
    )


def _amounts(text: str) -> dict[str, Decimal]:
    pairs = (part.partition("=") for part in text.split(","))
    return {name: parse_quantity(amount) for name, _, amount in pairs}


def failures(workload: Manifest) -> Iterator[str]:
    """Why a Deployment cannot make its pods, in its controller's words: quota, Pod Security."""
    for entry in workload.get("status", {}).get("conditions") or ():
        if entry["type"] == "ReplicaFailure" and entry["status"] == "True":
            yield entry.get("message", "")
