"""The order of a run: the tasks of a compiled pipeline, nested ones, branches and loops, one after another.

A pipeline is carried out as Kubeflow carries it out: what failed starts nothing more, exit tasks of what had started
run all the same, what stands behind a false condition is skipped, and with it what needs its outputs. See
docs/design/local-steps.md.
"""

import json
import logging
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from seaway.kfp.local import conditions
from seaway.kfp.local.graph import order, runs_always, upstream
from seaway.kfp.local.inputs import Given, Result, Skipped, Unfit, artifacts_in
from seaway.kfp.parameters import default

log = logging.getLogger(__name__)

AT_ONCE = min(4, os.cpu_count() or 1)  # iterations of a loop that says nothing of it


@dataclass(frozen=True)
class Call:
    """A task that is due, with what it is given."""

    name: str
    task: Any
    component: Any
    inputs: Mapping[str, Any]
    place: str  # of the task among all of the run, such as `loop-1/iteration-0/train`
    exiting: bool  # whether it, or what it is a part of, runs whatever happened before


Execute = Callable[[Call], Result]  # one step, to its end
Tell = Callable[[Call, str], None]  # a task that could not start, and why


@dataclass
class Scope:
    """A pipeline, branch or iteration that is being run."""

    dag: Any
    inputs: Mapping[str, Any]
    place: str = ""
    parent: "Scope | None" = None
    exiting: bool = False
    failed: str = ""  # why, of the first task that did
    results: dict[str, Result] = field(default_factory=dict)

    def fail(self, reason: str) -> None:
        """No task starts any more here, nor in what this is a part of."""
        self.failed = self.failed or reason
        if self.parent and not (self.exiting and not self.parent.exiting):
            self.parent.fail(reason)

    @property
    def stopped(self) -> bool:
        """Whether no task may start: a failure outside does not count for what runs after failures."""
        outside = self.parent if self.parent and self.parent.exiting >= self.exiting else None
        return bool(self.failed) or bool(outside and outside.stopped)


@dataclass(frozen=True)
class Orchestrator:
    """Runs the tasks of a pipeline by `execute`, which carries out one step."""

    components: Mapping[str, Any]
    job: Mapping[str, str]
    execute: Execute
    tell: Tell
    faults: list[Exception] = field(default_factory=list)  # of ours, at a task

    def run(self, root: Any, inputs: Mapping[str, Any]) -> Result:
        """Run a pipeline, given its parameters, to its end. Raises: the first fault of ours, after the exit tasks."""
        declared = root.input_definitions.parameters
        defaults = {name: default(one) for name, one in declared.items() if one.HasField("default_value")}
        result = self._run(Scope(root.dag, {**defaults, **inputs}))
        if self.faults:
            raise self.faults[0]
        return result

    def _run(self, scope: Scope) -> Result:
        for name in order(scope.dag.tasks):
            scope.results[name] = self._to_its_end(scope, name)
        if scope.failed:
            return Result("FAILED", reason=scope.failed)
        return Result("SUCCEEDED", _outputs(scope, self.job))

    def _to_its_end(self, scope: Scope, name: str) -> Result:
        """A task; one that a signal or a fault of ours ended has failed, so that exit tasks still run."""
        try:
            return self._task(scope, name)
        except KeyboardInterrupt as interrupt:
            return _ended(scope, interrupt)
        except Exception as fault:
            log.debug("at task %s", name, exc_info=True)
            self.faults.append(fault)
            return _ended(scope, fault)

    def _task(self, scope: Scope, name: str) -> Result:
        """A task that failed stops the rest, except for an exit task's failure, which is told at the end."""
        task = scope.dag.tasks[name]
        if not _due(scope, task):
            return Result("SKIPPED")
        component = self.components[task.component_ref.name]
        call = Call(name, task, component, {}, f"{scope.place}{name}", scope.exiting or runs_always(task))
        try:
            given = Given(scope.inputs, scope.results, {**self.job, **told_of(name, call.place)})
            call = replace(call, inputs=given.to(task, component))
            result = self._carry_out(scope, call) if _wanted(call) else Result("SKIPPED")
        except Skipped:
            return Result("SKIPPED")
        except Unfit as unfit:
            result = Result("FAILED", reason=f"{unfit}.")
            self.tell(call, result.reason)
        if result.state == "FAILED":
            scope.fail(result.reason)
        return result

    def _carry_out(self, scope: Scope, call: Call) -> Result:
        if call.task.WhichOneof("iterator"):
            return self._loop(scope, call)
        return self._once(scope, call)

    def _once(self, scope: Scope, call: Call) -> Result:
        if call.component.WhichOneof("implementation") == "dag":
            return self._run(_scope(call.component.dag, scope, call))
        return self.execute(call)

    def _loop(self, scope: Scope, call: Call) -> Result:
        """Each item in an iteration of its own; what they give becomes lists, empty ones where there is no item."""
        loop, (name, items) = _scope(None, scope, call), _items(call)
        calls = [
            replace(call, inputs={**call.inputs, name: item}, place=f"{call.place}/iteration-{index}")
            for index, item in enumerate(items)
        ]
        results = self._iterations(loop, calls, call.task.iterator_policy.parallelism_limit or AT_ONCE)
        if loop.failed:
            return Result("FAILED", reason=loop.failed)
        return Result("SUCCEEDED", _collected(call.component, results))

    def _iterations(self, loop: Scope, calls: list[Call], at_once: int) -> list[Result]:
        def iteration(call: Call) -> Result:
            result = Result("SKIPPED") if loop.stopped else self._once(loop, call)
            if result.state == "FAILED":
                loop.fail(result.reason)
            return result

        if min(at_once, len(calls)) <= 1:
            return [iteration(call) for call in calls]
        with ThreadPoolExecutor(min(at_once, len(calls)), thread_name_prefix="iteration") as pool:
            return list(pool.map(iteration, calls))


def _ended(scope: Scope, by: BaseException) -> Result:
    scope.fail(str(by))
    return Result("FAILED", reason=str(by))


def _due(scope: Scope, task: Any) -> bool:
    """Whether a task starts. An exit task is Argo's hook of what it comes after: of what did not start, none is run."""
    if not runs_always(task):
        return not scope.stopped
    before = {scope.results[name].state for name in upstream(task)}
    return not before or before != {"SKIPPED"}


def _scope(dag: Any, parent: Scope, call: Call) -> Scope:
    return Scope(dag, call.inputs, f"{call.place}/", parent, call.exiting)


def told_of(task: str, place: str) -> dict[str, str]:
    """What kfp's placeholders say of a task."""
    return {"{{$.pipeline_task_name}}": task, "{{$.pipeline_task_uuid}}": place}


def _wanted(call: Call) -> bool:
    """Whether the condition of a task, if it has one, is true.

    Raises:
        Unfit: it compares what cannot be compared.
    """
    text = call.task.trigger_policy.condition
    if not text:
        return True
    try:
        return conditions.condition(text)(call.inputs)
    except KeyError as error:
        raise Unfit(f"its condition {text} asks for {error}, which has no value") from error
    except (TypeError, ValueError) as error:
        raise Unfit(f"its condition {text} cannot be decided: {error}") from error


def _items(call: Call) -> tuple[str, list[Any]]:
    """The name of an iteration's input, and the values that it takes.

    Raises:
        Unfit: what is looped over is no list.
    """
    kind = call.task.WhichOneof("iterator")
    iterator = getattr(call.task, kind)
    source = iterator.items
    if kind == "artifact_iterator":
        items = call.inputs.get(source.input_artifact)
    else:
        items = source.raw or call.inputs.get(source.input_parameter)
    return iterator.item_input, _listed(items)


def _listed(items: Any) -> list[Any]:
    try:
        found = json.loads(items) if isinstance(items, str) else items
    except ValueError:
        found = items
    if not isinstance(found, list):
        raise Unfit(f"it loops over {items!r}, which is no list")
    return found


def _collected(component: Any, results: list[Result]) -> dict[str, list[Any]]:
    """Lists of what the iterations gave: of a loop in a loop lists of lists, but of artifacts one list."""
    made, given = component.output_definitions, [result.outputs for result in results]
    parameters = {name: [outputs[name] for outputs in given if name in outputs] for name in made.parameters}
    artifacts = {name: [one for outputs in given for one in artifacts_in(outputs.get(name))] for name in made.artifacts}
    return {**parameters, **artifacts}


def _outputs(scope: Scope, job: Mapping[str, str]) -> dict[str, Any]:
    """What a pipeline gives: of several branches what the one that ran did; what was skipped is absent."""
    given, found = Given(scope.inputs, scope.results, job), dict[str, Any]()
    outputs = scope.dag.outputs
    for name, parameter in outputs.parameters.items():
        oneof = parameter.value_from_oneof.parameter_selectors
        for source in oneof or [parameter.value_from_parameter]:
            _keep(found, name, given, source.producer_subtask, source.output_parameter_key)
    for name, artifact in outputs.artifacts.items():
        for source in artifact.artifact_selectors:
            _keep(found, name, given, source.producer_subtask, source.output_artifact_key)
    return found


def _keep(found: dict[str, Any], name: str, given: Given, task: str, output: str) -> None:
    try:
        value = given.output(task, output)
    except Skipped:
        return
    if value is not None:
        found[name] = value
