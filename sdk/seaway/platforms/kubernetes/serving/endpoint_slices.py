"""Waiting until a Service leads to the pods of one version and to no other."""

import logging
import time
from collections.abc import Iterator, Mapping
from queue import Empty, SimpleQueue
from typing import Any

from seaway.errors import EndpointFailed, SeawayError
from seaway.platforms.kubernetes.client.informer import Change, Queue, Selector, subscribed
from seaway.platforms.kubernetes.client.naming import ENDPOINT
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import PODS, Manifest, Resource
from seaway.platforms.kubernetes.serving.server_pod import VERSION

SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
SERVICE_NAME = "kubernetes.io/service-name"  # the slices' label
WITHIN_S = 60.0
LOOK_S = 1.0  # between looks at the pods, should none of the slices change
log = logging.getLogger(__name__)


def await_version(objects: Objects, name: str, service: str, version: str) -> None:
    """Return once all ready addresses of `service` are pods of this version of endpoint `name`, one at least.

    Raises:
        EndpointFailed: they are not in time.
    """
    slices: dict[str, Manifest] = {}
    queue: Queue = SimpleQueue()
    deadline = time.monotonic() + WITHIN_S
    selector = Selector(SLICES, SERVICE_NAME, ("metadata", "labels", SERVICE_NAME))
    with subscribed(objects, selector, service, queue):
        while (found := set(_ready(slices))) - (wanted := _pods(objects, name, version)) or not found:
            if time.monotonic() > deadline:
                raise EndpointFailed(
                    f"Service {service} still leads to {', '.join(sorted(found)) or 'no pod'}, not to those of version "
                    f"{version} ({', '.join(sorted(wanted))}), after {WITHIN_S:.0f} s. `kubectl get endpointslices "
                    f"-n {objects.namespace} -l {SERVICE_NAME}={service}` shows it; is kube-controller-manager well?"
                )
            _take(queue, slices)


def _take(queue: Queue, slices: dict[str, Manifest]) -> None:
    try:
        message = queue.get(timeout=LOOK_S)
    except Empty:
        return
    if isinstance(message, SeawayError):
        raise message
    if isinstance(message, Change):
        uid = message.object["metadata"]["uid"]
        slices.pop(uid, None)
        if message.present:
            slices[uid] = message.object


def _ready(slices: Mapping[str, Manifest]) -> Iterator[str]:
    """Names of the pods that get new connections."""
    for part in slices.values():
        for address in part.get("endpoints") or ():
            conditions: Mapping[str, Any] = address.get("conditions", {})
            if conditions.get("ready", True):
                yield str(address.get("targetRef", {}).get("name", address["addresses"][0]))


def _pods(objects: Objects, name: str, version: str) -> set[str]:
    query = {"labelSelector": f"{ENDPOINT}={name},{VERSION}={version}"}
    return {pod["metadata"]["name"] for pod in objects.list(PODS, query).items}
