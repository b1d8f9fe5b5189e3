"""What Kubeflow Pipelines cannot run though it compiles: told before it is written or sent, not by a driver's pod."""

from collections import defaultdict
from collections.abc import Iterator

from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.errors import InvalidSpec


def require_runnable(spec: pipeline_spec_pb2.PipelineSpec) -> None:
    """Return where Kubeflow Pipelines takes it.

    Raises:
        InvalidSpec: a step gets one artifact by two inputs; the driver keeps one event for an execution and an
            artifact, so it fails before the step begins (`no execution found`, seen with 2.17.0).
    """
    found = [told for place, dag in _groups(spec) for told in _twice(place, dag)]
    if found:
        raise InvalidSpec(
            f"Kubeflow Pipelines cannot give one artifact to a step twice: {'; '.join(found)}. Let the step have one "
            "input for it, or write it by another step."
        )


def _groups(spec: pipeline_spec_pb2.PipelineSpec) -> Iterator[tuple[str, pipeline_spec_pb2.DagSpec]]:
    yield str(spec.pipeline_info.name), spec.root.dag
    yield from ((name, component.dag) for name, component in sorted(spec.components.items()) if component.dag.tasks)


def _twice(place: str, dag: pipeline_spec_pb2.DagSpec) -> Iterator[str]:
    for name, task in sorted(dag.tasks.items()):
        inputs = defaultdict[bytes, list[str]](list)
        for key, source in task.inputs.artifacts.items():
            inputs[source.SerializeToString(deterministic=True)].append(key)
        for keys in inputs.values():
            if len(keys) > 1:
                yield f"{name} in {place} by {' and '.join(sorted(keys))}"
