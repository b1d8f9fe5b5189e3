"""What another orchestrator starts of a pipeline: its steps, groups opened, each loop in one piece, in their order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from seaway.kfp.local.graph import order, runs_always, upstream


@dataclass(frozen=True)
class Unit:
    """A step, or a loop with its steps.

    Attributes:
        name: Of letters, digits and `-`, of its own in the pipeline.
        place: Among all of the pipeline, as `seaway step` takes it.
        title: As a dashboard shows it.
        after: Names of the units that it comes after.
        always: Whether it runs whatever happened to those: an exit task, or part of one.
        loop: Whether it is a loop.
    """

    name: str
    place: str
    title: str
    after: tuple[str, ...]
    always: bool
    loop: bool


def units(spec: Any) -> tuple[Unit, ...]:
    """The units of a compiled pipeline, each after those that it comes after."""
    return tuple(_units(spec, spec.root.dag, "", (), False))


def _units(spec: Any, dag: Any, prefix: str, outside: tuple[str, ...], always: bool) -> Iterator[Unit]:
    """Of one group: what is in it comes after what the group comes after."""
    inside: dict[str, tuple[str, ...]] = {}  # task -> the names of its units
    for name in order(dag.tasks):
        task = dag.tasks[name]
        component = spec.components[task.component_ref.name]
        before = [unit for task_before in upstream(task) for unit in inside[task_before]]
        after, runs = tuple(dict.fromkeys([*outside, *before])), always or runs_always(task)
        place, loop = f"{prefix}{name}", bool(task.WhichOneof("iterator"))
        if component.dag.tasks and not loop:
            found = tuple(_units(spec, component.dag, f"{place}/", after, runs))
        else:
            found = (Unit(_name(place), place, task.task_info.name or name, after, runs, loop),)
        inside[name] = tuple(unit.name for unit in found) or after
        yield from found


def _name(place: str) -> str:
    """Places differ where names do: a task's name has single dashes only, so `--` can stand for `/`."""
    return re.sub(r"[^A-Za-z0-9-]", "-", place.replace("/", "--"))
