"""A pipeline's arguments, and what its steps say of those that reach them: told before anything starts.

A value that a step of Seaway would refuse after an hour is known before the first step, where it comes from the
pipeline's parameters, from a default or from the pipeline itself, through whatever groups. What another step makes is
not known, nor whether a branch or a loop is taken; these are left to the step.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.errors import InvalidSpec
from seaway.kfp import parameters
from seaway.kfp.step_sources import seaway_sources

FUNCTION = re.compile(r"^def (\w+)\(", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """What a component says of some of its parameters, all of which have to be known."""

    names: tuple[str, ...]
    refuse: Callable[..., object]


def _gate(gate: str) -> None:
    from seaway.approvals import Question

    Question("", gate, "")


def _endpoint(name: str) -> None:
    from seaway.serving.port import require_endpoint_name

    require_endpoint_name(name)


def _notice(when: str) -> None:
    from seaway.notices.notice import wanted

    wanted(when, succeeded=True)


def _rollout(weights: list[int], requests: list[int]) -> None:
    from seaway.rollout.plan import steps_of

    steps_of(weights, requests)


CHECKS = {  # by function; what they need is imported where a pipeline has them, for it takes a while
    "await_approval": Check(("gate",), _gate),
    "deploy_endpoint": Check(("name",), _endpoint),
    "notify": Check(("when",), _notice),
    "roll_out": Check(("weights", "requests"), _rollout),
}


def bind(spec: pipeline_spec_pb2.PipelineSpec, given: Mapping[str, object]) -> dict[str, object]:
    """The given values as the pipeline declares them.

    Raises:
        InvalidSpec: see `parameters.bind`; or a step would refuse one, which the message names with the step.
    """
    values = parameters.bind(spec, given)
    functions = _functions(spec)
    for title, label, known in _steps(spec, spec.root, values):
        check = CHECKS.get(functions.get(label, ""))
        if check and known.keys() >= set(check.names):
            _require(title, check, known)
    return values


def _require(title: str, check: Check, known: Mapping[str, Any]) -> None:
    try:
        check.refuse(*(known[name] for name in check.names))
    except InvalidSpec as refusal:
        raise InvalidSpec(f"Step {title!r} would refuse its {' and '.join(check.names)}: {refusal}") from refusal


def _steps(
    spec: pipeline_spec_pb2.PipelineSpec, component: Any, given: Mapping[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Title, executor and known arguments of each step that surely runs unless one before it fails."""
    known = {**_defaults(component), **given}
    for task in component.dag.tasks.values():
        if task.trigger_policy.condition or task.WhichOneof("iterator"):
            continue
        inner = spec.components[task.component_ref.name]
        sources = task.inputs.parameters
        passed = {name: value for name in sources if (value := _value(sources[name], known)) is not None}
        if inner.dag.tasks:
            yield from _steps(spec, inner, passed)
        else:
            unsaid = {name: value for name, value in _defaults(inner).items() if name not in sources}
            yield task.task_info.name, inner.executor_label, {**unsaid, **passed}


def _defaults(component: Any) -> dict[str, Any]:
    declared = component.input_definitions.parameters
    values = {name: parameters.default(declared[name]) for name in declared}
    return {name: value for name, value in values.items() if value is not None}


def _value(source: Any, known: Mapping[str, Any]) -> Any:
    """What a task is given, None where it is not known yet."""
    if source.WhichOneof("kind") == "component_input_parameter":
        return known.get(source.component_input_parameter)
    value = parameters.plain_value(source.runtime_value.constant)
    return None if "{{$" in str(value) else value


def _functions(spec: pipeline_spec_pb2.PipelineSpec) -> dict[str, str]:
    """Name of the function of each executor whose source imports Seaway."""
    found = {label: FUNCTION.search(text) for label, text in seaway_sources(spec)}
    return {label: function[1] for label, function in found.items() if function}
