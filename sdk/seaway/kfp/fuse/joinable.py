"""Which tasks of a compiled pipeline can share a pod with others, and with whom."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from seaway.kfp.fuse.groups import Node
from seaway.kfp.fuse.placeholders import INPUT
from seaway.kfp.fuse.resources import plain
from seaway.kfp.fuse.share import ANNOTATION
from seaway.kfp.step_sources import IMPORTS_SEAWAY

Json = Mapping[str, Any]
OTHER_PLACEHOLDER = "{{$"
INSTALLS = "pip install"
GIVEN_BY_THE_DRIVER = {"TASK_FINAL_STATUS", "TASK_CONFIG"}


def nodes(dag: Json, spec: Json, platform: Json) -> Iterator[Node]:
    """The tasks of a DAG, as groups are made of them."""
    images, told = seaway_images(spec), _told_of(dag, platform)
    for name, task in dag["tasks"].items():
        component = spec["components"][task["componentRef"]["name"]]
        label = component.get("executorLabel", "")
        container = executors(spec).get(label, {}).get("container")
        settings, pod = pod_settings(platform, label)
        why = _task_hindrance(task) or _component_hindrance(component) or _container_hindrance(container, images)
        yield Node(
            name,
            frozenset(task.get("dependentTasks", ())),
            why or ("something else speaks of it by its name" if name in told else ""),
            json.dumps([container and (container["image"], container.get("env")), settings], sort_keys=True),
            json.dumps([task.get("retryPolicy"), caches(task)], sort_keys=True),
            pod,
        )


def executors(spec: Json) -> dict[str, Any]:
    """By label."""
    found: dict[str, Any] = spec.get("deploymentSpec", {}).get("executors", {})
    return found


def caches(task: Json) -> bool:
    """Whether a task's result may be reused."""
    return bool(task.get("cachingOptions", {}).get("enableCache"))


def seaway_images(spec: Json) -> set[str]:
    """Images in which a step imports Seaway: these have what runs several steps."""
    containers = [one["container"] for one in executors(spec).values() if "container" in one]
    return {one["image"] for one in containers if any(map(IMPORTS_SEAWAY.search, one.get("command", ())))}


def pod_settings(platform: Json, label: str) -> tuple[dict[str, Any], str]:
    """What each platform is told of an executor, without the name of its pod; and that name."""
    told = {
        name: deepcopy(one.get("deploymentSpec", {}).get("executors", {}).get(label, {}))
        for name, one in platform.get("platforms", {}).items()
    }
    pod = ""
    for settings in told.values():
        metadata = settings.pop("podMetadata", {})
        pod = metadata.get("annotations", {}).pop(ANNOTATION, pod)
        if kept := {key: value for key, value in metadata.items() if value}:
            settings["podMetadata"] = kept
    return told, pod


def _task_hindrance(task: Json) -> str:
    if {"triggerPolicy", "parameterIterator", "artifactIterator", "iteratorPolicy"} & set(task):
        return "it runs by a condition of its own, or several times"
    if task.get("cachingOptions", {}).get("cacheKey"):
        return "it has a cache key of its own"
    sources = task.get("inputs", {}).get("parameters", {}).values()
    if any("taskFinalStatus" in source for source in sources):
        return "it is told how another step ended"
    if any("parameterExpressionSelector" in source and "taskOutputParameter" in source for source in sources):
        return "it takes a part of another step's output"
    if any(_speaks_of_the_run(source) for source in sources):
        return "one constant of it speaks of another parameter and of the run"
    return ""


def _speaks_of_the_run(source: Json) -> bool:
    text = json.dumps(source.get("runtimeValue", {}).get("constant"))
    rest = INPUT.sub("", text)
    return rest != text and OTHER_PLACEHOLDER in rest


def _component_hindrance(component: Json) -> str:
    parameters = component.get("inputDefinitions", {}).get("parameters", {}).values()
    if any(one.get("parameterType") in GIVEN_BY_THE_DRIVER for one in parameters):
        return "Kubeflow's driver tells it of its own pod, or of the run's end"
    if {"taskConfigPassthroughs", "singlePlatformSpecs"} & set(component):
        return "it speaks of its own pod"
    return ""


def _container_hindrance(container: Json | None, images: set[str]) -> str:
    if container is None:
        return "it is no container"
    if container["image"] not in images:
        return "no step that imports Seaway has its image, so what runs several steps may be missing there"
    if not container.get("command") or container.get("lifecycle"):
        return "its image says what runs, or it has a life cycle of its own"
    if any(INSTALLS in word for word in (*container["command"], *container.get("args", ()))):
        return "it installs packages, which the others would see"
    if not plain(container.get("resources", {})):
        return "it asks for an accelerator, or for what is known in a run only"
    return ""


def _told_of(dag: Json, platform: Json) -> set[str]:
    """Tasks that must keep their names or their own ends: a mount names them, or a task runs however they end."""
    named = set(_producers(platform))
    for task in dag["tasks"].values():
        if task.get("triggerPolicy", {}).get("strategy"):
            named |= set(task.get("dependentTasks", ()))
    return named


def _producers(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        yield from (value for key, value in content.items() if key == "producerTask" and isinstance(value, str))
        content = list(content.values())
    if isinstance(content, list):
        for item in content:
            yield from _producers(item)
