"""What the pods of a job say while it runs, as sentences."""

from collections.abc import Iterator, Mapping
from typing import Any

from seaway.platforms.kubernetes.client.resources import Manifest

IMAGE_REASONS = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
KILLED = 128 + 9  # by SIGKILL
CONFIG_REASONS = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}


def problems(pod: Manifest) -> Iterator[str]:
    """One sentence for each thing that keeps the pod from running, or that ended a container of it."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    for entry in status.get("conditions") or ():
        if entry["type"] == "PodScheduled" and entry["status"] == "False":
            yield f"Pod {name} is not scheduled: {entry.get('message') or entry.get('reason')}"
    if status.get("reason"):
        yield f"Pod {name} was ended by the cluster ({status['reason']}): {status.get('message', '')}"
    for container in container_statuses(pod):
        yield from _container_troubles(pod, container)


def container_statuses(pod: Manifest) -> list[dict[str, Any]]:
    """What the kubelet says of each container, init containers first."""
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def image_missing(pod: Manifest) -> str | None:
    """The sentence on the image that keeps the pod from starting, where one does."""
    for container in container_statuses(pod):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in IMAGE_REASONS:
            return _image(pod, container)
    return None


def _container_troubles(pod: Manifest, container: Mapping[str, Any]) -> Iterator[str]:
    state, last = container.get("state", {}), container.get("lastState", {})
    waiting = state.get("waiting", {})
    where = f"container {container['name']} of pod {pod['metadata']['name']}"
    for ended in (last.get("terminated"), state.get("terminated")):
        if ended and (ended.get("exitCode") or ended.get("reason") == "OOMKilled"):
            yield f"{where[0].upper()}{where[1:]} {_ending(pod, container, ended)}"
    if waiting.get("reason") in IMAGE_REASONS:
        yield _image(pod, container)
    if waiting.get("reason") in CONFIG_REASONS:
        yield f"{where[0].upper()}{where[1:]} cannot be created: {waiting.get('message', waiting['reason'])}"
    if waiting.get("reason") == "CrashLoopBackOff":
        yield f"{where[0].upper()}{where[1:]} ends again and again (CrashLoopBackOff, {_restarts(container)})"


def _image(pod: Manifest, container: Mapping[str, Any]) -> str:
    reason = container["state"]["waiting"]["reason"]
    return f"Pod {pod['metadata']['name']} waits for its image {container['image']}, which cannot be had ({reason})"


def _ending(pod: Manifest, container: Mapping[str, Any], ended: Mapping[str, Any]) -> str:
    if ended.get("reason") == "OOMKilled":
        return f"was killed for want of memory (OOMKilled; {_memory_limit(pod, container)})"
    number = f"signal {ended['signal']}" if ended.get("signal") else f"exit code {ended.get('exitCode')}"
    told = f"failed with {number} ({ended.get('reason', 'Error')}, {_restarts(container)})"
    if ended.get("exitCode") == KILLED:  # the kernel's word for it comes too late now and then
        return f"{told}: killed, perhaps for want of memory; {_memory_limit(pod, container)}"
    return told


def _restarts(container: Mapping[str, Any]) -> str:
    count = container.get("restartCount", 0)
    return "1 restart" if count == 1 else f"{count} restarts"


def _memory_limit(pod: Manifest, container: Mapping[str, Any]) -> str:
    for spec in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())):
        if spec["name"] == container["name"]:
            limit = spec.get("resources", {}).get("limits", {}).get("memory")
            return f"its limit is {limit}" if limit else "it has no limit of its own, so the node ran out"
    return "its limit is unknown"
