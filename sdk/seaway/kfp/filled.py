"""What a pipeline puts inside a dict, a list or a text of a step's argument arrives as it is.

Kubeflow Pipelines replaces a placeholder inside a constant by text, in the JSON that the step reads: a number becomes
text, and text with a quote in it breaks the JSON. So a compiled component fills such places itself: their placeholders
get a form that Kubeflow leaves alone, and the lines of `filling.py` behind the component's source put the values in,
which the step is told beside the constant, typed. They also give a list where a loop without items gave no artifact.
"""

import inspect
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.struct_pb2 import Value
from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.errors import InvalidSpec
from seaway.kfp.filling import _seaway_filled
from seaway.kfp.parameters import type_name
from seaway.kfp.prose import FUNCTION, bare_source

PLACEHOLDER = re.compile(r"\{\{\$\.inputs\.parameters\['([^']+)'\]\}\}")
PROGRAM = "ephemeral_component.py"  # what kfp's launcher writes a component's source to
NAME = _seaway_filled.__name__


@dataclass
class _Step:
    """What the steps of one executor have to fill."""

    texts: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)


def with_filling(spec: pipeline_spec_pb2.PipelineSpec) -> pipeline_spec_pb2.PipelineSpec:
    """A compiled pipeline whose steps fill their arguments.

    Raises:
        InvalidSpec: a step that is no Python component is given a dict or a list with a value of the pipeline in it.
    """
    filled = pipeline_spec_pb2.PipelineSpec()
    filled.CopyFrom(spec)
    steps: dict[str, _Step] = defaultdict(_Step)
    for component in (filled.root, *filled.components.values()):
        for name, task in component.dag.tasks.items():
            _mark(name, task, component, filled, steps)
    for component in filled.components.values():
        if lists := _lists(component):
            steps[component.executor_label].lists |= lists
    for label, step in sorted(steps.items()):
        _extend(_container(filled, label), step)
    return filled


def _mark(name: str, task: Any, parent: Any, spec: Any, steps: dict[str, _Step]) -> None:
    """Give the places in a task's constants the form that Kubeflow leaves alone."""
    label = spec.components[task.component_ref.name].executor_label
    for argument, parameter in task.inputs.parameters.items():
        constant = parameter.runtime_value.constant
        if not label or not _has_place(constant):
            continue
        if _source(_container(spec, label)) is not None:
            _replace(constant, {one: _type(given, parent, spec) for one, given in task.inputs.parameters.items()})
            steps[label].texts.add(argument)
        elif constant.WhichOneof("kind") != "string_value":
            raise InvalidSpec(
                f"Step {name} is no Python component, and its {argument} has a value of the pipeline in a dict or a "
                "list, which Kubeflow hands on as text; give it in a parameter of its own."
            )


def _has_place(value: Value) -> bool:
    return any(PLACEHOLDER.search(text) for text in _texts(value))


def _texts(value: Value) -> list[str]:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return [value.string_value]
    if kind == "list_value":
        return [text for item in value.list_value.values for text in _texts(item)]
    if kind == "struct_value":
        return [text for item in value.struct_value.fields.values() for text in _texts(item)]
    return []


def _replace(value: Value, types: Mapping[str, str]) -> None:
    def marked(text: str) -> str:
        return PLACEHOLDER.sub(lambda found: f"{{{{seaway:{types.get(found[1], '')}:{found[1]}}}}}", text)

    kind = value.WhichOneof("kind")
    if kind == "string_value":
        value.string_value = marked(value.string_value)
    elif kind == "list_value":
        for item in value.list_value.values:
            _replace(item, types)
    elif kind == "struct_value":
        for item in value.struct_value.fields.values():
            _replace(item, types)


def _type(given: Any, parent: Any, spec: Any) -> str:
    """The type of what a task is given, where the compiled file says it."""
    if given.parameter_expression_selector:
        return ""
    if given.HasField("component_input_parameter"):
        declared = parent.input_definitions.parameters.get(given.component_input_parameter)
    elif given.HasField("task_output_parameter"):
        source = given.task_output_parameter
        producer = spec.components[parent.dag.tasks[source.producer_task].component_ref.name]
        declared = producer.output_definitions.parameters.get(source.output_parameter_key)
    else:
        declared = None
    return type_name(declared) if declared is not None and declared.parameter_type else ""


def _lists(component: Any) -> set[str]:
    """The inputs of a step that are lists of artifacts, and have to be there."""
    if not component.executor_label:
        return set()
    artifacts = component.input_definitions.artifacts.items()
    return {name for name, one in artifacts if one.is_artifact_list and not one.is_optional}


def _container(spec: Any, label: str) -> Any:
    executor = spec.deployment_spec.fields["executors"].struct_value.fields[label].struct_value
    return executor.fields["container"].struct_value if "container" in executor.fields else None


def _source(container: Any) -> Value | None:
    """The source of a Python component, the last word of its command; None where a container is none."""
    if container is None:
        return None
    command = container.fields["command"].list_value.values if "command" in container.fields else []
    return command[-1] if any(PROGRAM in word.string_value for word in command[:-1]) else None


def _extend(container: Any, step: _Step) -> None:
    """Put the lines that fill behind the source, once."""
    source = _source(container)
    words = [value.string_value for value in container.fields["args"].list_value.values] if container else []
    if source is None or f"def {NAME}(" in source.string_value or FUNCTION not in words[:-1]:
        return
    function = words[words.index(FUNCTION) + 1]
    lines = bare_source(inspect.getsource(_seaway_filled), NAME).rstrip()
    lines = lines.replace("Callable[..., Any]", "object").replace("Collection[str]", "object").replace("Any", "object")
    call = f"{function} = {NAME}({function}, {sorted(step.texts)}, {sorted(step.lists)})"
    source.string_value = f"{source.string_value.rstrip()}\n\n\n{lines}\n\n{call}\n"
