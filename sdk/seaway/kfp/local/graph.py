"""In which order the tasks of a pipeline can run, and what a task comes after."""

from collections import deque
from collections.abc import Container, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from seaway.errors import InvalidSpec


def order(tasks: Mapping[str, Any]) -> list[str]:
    """The names of the tasks, each after those that it needs, and otherwise in the order of the file's author.

    What runs always comes as soon as what it is to follow has ended, as Argo's hooks do.

    Raises:
        InvalidSpec: they wait for each other, or for one that is not there.
    """
    needs = {name: sorted(set(upstream(tasks[name]))) for name in _as_written(tasks)}
    if unknown := sorted({one for before in needs.values() for one in before} - set(tasks)):
        raise InvalidSpec(f"Tasks wait for {', '.join(unknown)}, which the pipeline does not have.")
    try:
        return list(_in_turn(TopologicalSorter(needs), {name for name, task in tasks.items() if runs_always(task)}))
    except CycleError as error:
        raise InvalidSpec(f"Tasks wait for each other: {' -> '.join(error.args[1])}.") from error


def _in_turn(sorter: TopologicalSorter[str], first: Container[str]) -> Iterator[str]:
    sorter.prepare()
    ready = deque(sorter.get_ready())
    while ready:
        yield (name := ready.popleft())
        sorter.done(name)
        for follower in sorter.get_ready():
            (ready.appendleft if follower in first else ready.append)(follower)


def runs_always(task: Any) -> bool:
    """Whether a task runs whatever happened before it: an exit task, or one that ignores failures."""
    return bool(task.trigger_policy.strategy == task.TriggerPolicy.ALL_UPSTREAM_TASKS_COMPLETED)


def _as_written(tasks: Mapping[str, Any]) -> list[str]:
    """Exit tasks last, the rest by name: a message keeps no order."""
    return sorted(tasks, key=lambda name: (runs_always(tasks[name]), name))


def upstream(task: Any) -> Iterator[str]:
    """The names of the tasks that a task comes after."""
    yield from task.dependent_tasks
    for parameter in task.inputs.parameters.values():
        if parameter.HasField("task_output_parameter"):
            yield parameter.task_output_parameter.producer_task
        if parameter.HasField("task_final_status"):
            yield parameter.task_final_status.producer_task
    for artifact in task.inputs.artifacts.values():
        if artifact.HasField("task_output_artifact"):
            yield artifact.task_output_artifact.producer_task
