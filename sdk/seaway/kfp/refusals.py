"""What Kubeflow Pipelines cannot run though it compiles: told before it is written or sent, not by a driver's pod."""

from collections import defaultdict
from collections.abc import Iterator

from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.errors import InvalidSpec


def require_runnable(spec: pipeline_spec_pb2.PipelineSpec) -> None:
    """Return where Kubeflow Pipelines takes it.

    Raises:
        InvalidSpec: a step gets one artifact by two inputs; the driver keeps one event for an execution and an
            artifact, so it fails before the step begins (`no execution found`, seen with 2.17.0). Or a task that runs
            whatever happened would not run: the backend makes it the hook of the tasks that it comes after, one for
            each, and of no loop, and it is none of the tasks that others can wait for (`argocompiler`, 2.17.0).
    """
    if found := [told for place, dag in _groups(spec) for told in _twice(place, dag)]:
        raise InvalidSpec(
            f"Kubeflow Pipelines cannot give one artifact to a step twice: {'; '.join(found)}. Let the step have one "
            "input for it, or write it by another step."
        )
    if found := [f"{told} in {place}" for place, dag in _groups(spec) for told in _lost_hooks(dag)]:
        raise InvalidSpec(
            f"Kubeflow Pipelines would not run an exit task, or one that ignores failures, as this says: "
            f"{'; '.join(found)}. Let each be the only one after its task, and have a pipeline or an exit handler "
            "around a loop that one comes after."
        )


def _groups(spec: pipeline_spec_pb2.PipelineSpec) -> Iterator[tuple[str, pipeline_spec_pb2.DagSpec]]:
    yield str(spec.pipeline_info.name), spec.root.dag
    yield from ((name, component.dag) for name, component in sorted(spec.components.items()) if component.dag.tasks)


def _lost_hooks(dag: pipeline_spec_pb2.DagSpec) -> Iterator[str]:
    always = {name for name, task in dag.tasks.items() if _runs_always(task)}
    hooks = defaultdict[str, list[str]](list)
    for name, task in sorted(dag.tasks.items()):
        for before in sorted(task.dependent_tasks):
            if before in always:
                yield f"{name} waits for {before}, which nothing can wait for,"
            elif name in always:
                hooks[before].append(name)
    for before, names in hooks.items():
        if len(names) > 1:
            yield f"only the last of {' and '.join(names)} runs after {before}"
        if dag.tasks[before].WhichOneof("iterator"):
            yield f"{names[0]} never runs after {before}, a loop,"


def _runs_always(task: pipeline_spec_pb2.PipelineTaskSpec) -> bool:
    return bool(task.trigger_policy.strategy == task.TriggerPolicy.ALL_UPSTREAM_TASKS_COMPLETED)


def _twice(place: str, dag: pipeline_spec_pb2.DagSpec) -> Iterator[str]:
    for name, task in sorted(dag.tasks.items()):
        inputs = defaultdict[bytes, list[str]](list)
        for key, source in task.inputs.artifacts.items():
            inputs[source.SerializeToString(deterministic=True)].append(key)
        for keys in inputs.values():
            if len(keys) > 1:
                yield f"{name} in {place} by {' and '.join(sorted(keys))}"
