"""What a task of a pipeline is given: constants, outputs of other tasks, and what its pipeline was given itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from seaway.kfp.local import conditions
from seaway.kfp.local.artifacts import Artifact
from seaway.kfp.local.placeholders import filled
from seaway.kfp.parameters import mistyped, plain_value, type_name, typed

TaskState = Literal["SUCCEEDED", "FAILED", "SKIPPED"]


@dataclass(frozen=True)
class Result:
    """How a task ended, and what it gave."""

    state: TaskState
    outputs: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


class Skipped(Exception):
    """What a task needs comes from one that did not run: its condition was false."""


class Unfit(Exception):
    """A task cannot be given what it takes; the message says which input, and why."""


@dataclass(frozen=True)
class Given:
    """Where the inputs of the tasks of one pipeline come from."""

    inputs: Mapping[str, Any]  # of the pipeline itself, parameters and artifacts
    results: Mapping[str, Result]  # of its tasks so far
    job: Mapping[str, str]  # placeholders of the run

    def to(self, task: Any, component: Any) -> dict[str, Any]:
        """The inputs of a task by their names; one that is absent and may be so is left out.

        Raises:
            Skipped: one comes from a task that did not run.
            Unfit: one has no value, or a value of another type.
        """
        found = {name: self._artifact(spec) for name, spec in task.inputs.artifacts.items()}
        found |= self._parameters(task)
        declared = component.input_definitions
        for name, parameter in declared.parameters.items():
            if found.get(name) is None and parameter.HasField("default_value"):
                found[name] = plain_value(parameter.default_value)
        present = {name: value for name, value in found.items() if value is not None}
        self._require(task, declared, present)
        return {
            name: _typed(name, declared.parameters[name], value) if name in declared.parameters else value
            for name, value in present.items()
        }

    def _parameters(self, task: Any) -> dict[str, Any]:
        """Constants last: they may have others of the task's inputs in their text."""
        parameters = task.inputs.parameters
        constants = [name for name, spec in parameters.items() if spec.HasField("runtime_value")]
        found = {name: self._parameter(name, spec) for name, spec in parameters.items() if name not in constants}
        for name in constants:
            found[name] = filled(plain_value(parameters[name].runtime_value.constant), found, self.job)
        return found

    def _parameter(self, name: str, spec: Any) -> Any:
        if spec.HasField("task_output_parameter"):
            source = spec.task_output_parameter
            return self.output(source.producer_task, source.output_parameter_key)
        if spec.HasField("task_final_status"):
            return self._final_status(spec.task_final_status.producer_task)
        value = self.inputs.get(spec.component_input_parameter)
        if not spec.parameter_expression_selector or value is None:
            return value
        try:
            return conditions.selected(value, spec.parameter_expression_selector)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise Unfit(
                f"its input {name} is {spec.parameter_expression_selector} of {value!r}: no such part"
            ) from error

    def _artifact(self, spec: Any) -> Any:
        if spec.HasField("task_output_artifact"):
            source = spec.task_output_artifact
            return self.output(source.producer_task, source.output_artifact_key)
        return self.inputs.get(spec.component_input_artifact)

    def output(self, task: str, name: str) -> Any:
        """An output of a task that has ended; None where it has not written it."""
        result = self.results[task]
        if result.state != "SUCCEEDED":
            raise Skipped(task)
        return result.outputs.get(name)

    def _final_status(self, task: str) -> dict[str, Any]:
        result = self.results[task]
        failed = result.state == "FAILED"
        return {
            "state": "FAILED" if failed else "SUCCEEDED",
            "pipelineJobResourceName": self.job["{{$.pipeline_job_resource_name}}"],
            "pipelineTaskName": task,
            "error": {"code": 1, "message": result.reason} if failed else {},
        }

    def _require(self, task: Any, declared: Any, present: Mapping[str, Any]) -> None:
        """A loop's component declares the item of an iteration too, which is not there yet."""
        item = {task.parameter_iterator.item_input, task.artifact_iterator.item_input}
        for name, spec in [*declared.parameters.items(), *declared.artifacts.items()]:
            if name not in present and name not in item and not spec.is_optional:
                raise Unfit(f"its input {name} has no value{self._whose(task, name)}")

    def _whose(self, task: Any, name: str) -> str:
        parameter, artifact = task.inputs.parameters.get(name), task.inputs.artifacts.get(name)
        if parameter is not None and parameter.HasField("task_output_parameter"):
            source = parameter.task_output_parameter
            return f": {source.producer_task} has not written its output {source.output_parameter_key}"
        if artifact is not None and artifact.HasField("task_output_artifact"):
            source = artifact.task_output_artifact
            return f": {source.producer_task} has not written its output {source.output_artifact_key}"
        return ""


def _typed(name: str, parameter: Any, value: Any) -> Any:
    """The value as the step declares it, for a message and JSON have one kind of number.

    Raises:
        Unfit: it is of another type, or none of those that the step allows.
    """
    if parameter.parameter_type == 0:
        return value
    label = type_name(parameter)
    if label == "str" and not isinstance(value, str):
        return json.dumps(value)
    value = float(value) if label == "float" and type(value) is int else typed(parameter, value)
    if mistyped(parameter, value):
        raise Unfit(f"its input {name} is {value!r}, which is no {label}")
    allowed = [plain_value(one) for one in getattr(parameter, "literals", ())]
    if allowed and value not in allowed:
        raise Unfit(f"its input {name} is {value!r}, which is none of {', '.join(map(repr, allowed))}")
    return value


def artifacts_in(value: Any) -> list[Artifact]:
    """The artifacts of an input or output: one, those of a list, or none."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, Artifact)]
