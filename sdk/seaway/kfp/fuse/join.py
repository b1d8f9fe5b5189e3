"""A compiled pipeline whose steps share pods, made of one where each has its own.

What a pod gives is what its steps gave, each output by `joint(step, output)`; who took it from the step takes it from
the pod. See docs/design/fused-steps.md.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.kfp.compile import Compiled, plain
from seaway.kfp.fuse import joinable, resources
from seaway.kfp.fuse.groups import Group, groups
from seaway.kfp.fuse.joinable import executors
from seaway.kfp.fuse.placeholders import INPUT
from seaway.kfp.fuse.step import Step, joint

Json = dict[str, Any]
RUNNER = ["python3", "-m", "seaway.kfp.fuse"]
SIDES = (
    ("parameters", "taskOutputParameter", "outputParameterKey"),
    ("artifacts", "taskOutputArtifact", "outputArtifactKey"),
)
TITLES = " + "


def fused(pipeline: Compiled) -> Compiled:
    """The pipeline with consecutive small steps joined, and those whose author says that they share a pod.

    Raises:
        InvalidSpec: steps that are to share a pod cannot.
    """
    spec, platform = plain(pipeline.spec), plain(pipeline.platform)
    for dag in [*_dags(spec)]:
        for group in groups(joinable.nodes(dag, spec, platform)):
            _Pod(group, dag, spec, platform).put()
    _drop_unused(spec, platform)
    return Compiled(
        json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec()),
        json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec()),
    )


def _dags(spec: Json) -> Iterator[Json]:
    components = [spec["root"], *(component for _, component in sorted(spec["components"].items()))]
    yield from (component["dag"] for component in components if "dag" in component)


class _Pod:
    """One pod: the task, component and executor that take the place of those of its steps."""

    def __init__(self, group: Group, dag: Json, spec: Json, platform: Json) -> None:
        self._group, self._dag, self._spec, self._platform = group, dag, spec, platform
        self._tasks: dict[str, Json] = {name: dag["tasks"][name] for name in group.steps}
        self._name = _free(group.pod or f"{group.steps[0]}-to-{group.steps[-1]}", set(dag["tasks"]) - set(group.steps))
        self._label = _free(f"exec-{self._name}", executors(spec))
        self._retry = self._common_retry()
        self._inputs: Json = {"parameters": {}, "artifacts": {}}
        self._definitions: Json = {"parameters": {}, "artifacts": {}}

    def put(self) -> None:
        """Put the pod in the place of its steps."""
        steps = [self._step(name) for name in self._group.steps]  # first: it collects what comes from outside
        component = _free(f"comp-{self._name}", self._spec["components"])
        self._spec["components"][component] = self._component()
        executors(self._spec)[self._label] = {"container": self._container(steps)}
        self._put_settings()
        task = self._task(component)
        for name in self._group.steps:
            del self._dag["tasks"][name]
        self._dag["tasks"][self._name] = task
        self._rename()

    def _of(self, name: str) -> Json:
        component: Json = self._spec["components"][self._tasks[name]["componentRef"]["name"]]
        return component

    def _executor(self, name: str) -> Json:
        container: Json = executors(self._spec)[self._of(name)["executorLabel"]]["container"]
        return container

    def _common_retry(self) -> Json | None:
        """The policy that all steps have; None where they differ, and each is retried in the pod."""
        policies = [task.get("retryPolicy", {}) for task in self._tasks.values()]
        return policies[0] if all(policy == policies[0] for policy in policies) else None

    def _task(self, component: str) -> Json:
        tasks = self._tasks.values()
        waits = {name for task in tasks for name in task.get("dependentTasks", ())} - set(self._tasks)
        return {
            "taskInfo": {"name": TITLES.join(self._title(name) for name in self._group.steps)},
            "componentRef": {"name": component},
            "dependentTasks": sorted(waits),
            "inputs": self._inputs,
            "cachingOptions": {"enableCache": True} if all(map(joinable.caches, tasks)) else {},
            **({"retryPolicy": self._retry} if self._retry else {}),
        }

    def _title(self, name: str) -> str:
        return str(self._tasks[name].get("taskInfo", {}).get("name", name))

    def _component(self) -> Json:
        outputs: Json = {"parameters": {}, "artifacts": {}}
        for name in self._group.steps:
            for side, found in self._of(name).get("outputDefinitions", {}).items():
                outputs[side] |= {joint(name, key): definition for key, definition in found.items()}
        return {"executorLabel": self._label, "inputDefinitions": self._definitions, "outputDefinitions": outputs}

    def _container(self, steps: list[Step]) -> Json:
        containers = [self._executor(name) for name in self._group.steps]
        asked = resources.most([container.get("resources", {}) for container in containers])
        words = [word for step in steps for word in ("--step", step.encode())]
        return {
            "image": containers[0]["image"],
            "command": RUNNER,
            "args": ["--executor_input", "{{$}}", *words],
            **({"env": containers[0]["env"]} if "env" in containers[0] else {}),
            **({"resources": asked} if asked else {}),
        }

    def _put_settings(self) -> None:
        """What the first step's pod was told; the others' were told the same."""
        first = self._of(self._group.steps[0])["executorLabel"]
        for platform in self._platform.get("platforms", {}).values():
            settings = platform.get("deploymentSpec", {}).get("executors", {})
            if first in settings:
                settings[self._label] = settings[first]

    def _step(self, name: str) -> Step:
        component, container = self._of(name), self._executor(name)
        outputs = component.get("outputDefinitions", {})
        declared = component.get("inputDefinitions", {}).get("parameters", {})
        parameters = {**dict.fromkeys(declared), **self._tasks[name].get("inputs", {}).get("parameters", {})}
        sources = {key: self._parameter(name, key, found) for key, found in parameters.items()}
        artifacts = self._tasks[name].get("inputs", {}).get("artifacts", {})
        return Step(
            name,
            [*container.get("command", ()), *container.get("args", ())],
            sources,
            {key: self._artifact(name, key, found) for key, found in artifacts.items()},
            {key: declared[key]["parameterType"] for key in declared if "output" in sources[key]},
            {key: found["parameterType"] for key, found in outputs.get("parameters", {}).items()},
            sorted(outputs.get("artifacts", {})),
            self._tasks[name].get("retryPolicy", {}) if self._retry is None else {},
        )

    def _within(self, source: Json, reference: str, key: str) -> Json | None:
        """The pod's own output that a step takes, if it is one."""
        found = source.get(reference, {})
        if found.get("producerTask") in self._tasks:
            return {"output": joint(found["producerTask"], found[key])}
        return None

    def _parameter(self, name: str, key: str, source: Json | None) -> Json:
        """Where a step's parameter comes from in the pod; what comes from outside becomes the pod's."""
        if source and (within := self._within(source, *SIDES[0][1:])):
            return within
        constant = (source or {}).get("runtimeValue", {}).get("constant")
        if INPUT.search(json.dumps(constant)):
            return {"constant": constant}
        if source:
            self._inputs["parameters"][joint(name, key)] = source
        if definition := self._of(name).get("inputDefinitions", {}).get("parameters", {}).get(key):
            self._definitions["parameters"][joint(name, key)] = definition
        return {"input": joint(name, key)}

    def _artifact(self, name: str, key: str, source: Json) -> Json:
        """The same for an artifact, which a pod takes once, by the first step's name for it."""
        if within := self._within(source, *SIDES[1][1:]):
            return within
        taken: Json = self._inputs["artifacts"]
        for there, known in taken.items():
            if known == source:
                return {"input": there}
        taken[joint(name, key)] = source
        self._definitions["artifacts"][joint(name, key)] = self._of(name)["inputDefinitions"]["artifacts"][key]
        return {"input": joint(name, key)}

    def _rename(self) -> None:
        """Let all that spoke of the steps speak of the pod."""
        for task in self._dag["tasks"].values():
            waits = {self._name if name in self._tasks else name for name in task.get("dependentTasks", ())}
            task["dependentTasks"] = sorted(waits)
        for reference, producer, key in _references(self._dag):
            if reference[producer] in self._tasks:
                reference[key] = joint(reference[producer], reference[key])
                reference[producer] = self._name


def _references(dag: Json) -> Iterator[tuple[Json, str, str]]:
    """Each place of a DAG that takes a task's output, with the keys of the task's and the output's name in it."""
    for side, kind, key in SIDES:
        for task in dag["tasks"].values():
            sources = task.get("inputs", {}).get(side, {}).values()
            yield from ((source[kind], "producerTask", key) for source in sources if kind in source)
        for output in dag.get("outputs", {}).get(side, {}).values():
            one_of = output.get("valueFromOneof", {}).get("parameterSelectors", [])
            found = [output.get("valueFromParameter"), *one_of, *output.get("artifactSelectors", [])]
            yield from ((selector, "producerSubtask", key) for selector in found if selector)


def _free(name: str, taken: Mapping[str, Any] | set[str]) -> str:
    """The name, numbered as kfp does where it is taken."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found


def _drop_unused(spec: Json, platform: Json) -> None:
    """Drop the components and executors that no task speaks of any more."""
    used = {task["componentRef"]["name"] for dag in _dags(spec) for task in dag["tasks"].values()}
    _keep(spec["components"], used)
    labels = {component.get("executorLabel") for component in spec["components"].values()}
    _keep(executors(spec), labels)
    for one in platform.get("platforms", {}).values():
        _keep(one.get("deploymentSpec", {}).get("executors", {}), labels)


def _keep(content: Json, names: set[Any]) -> None:
    for name in set(content) - names:
        del content[name]
