"""A compiled pipeline as Kubeflow's dashboard shows it: a view of tasks and artifacts, and one behind each group in it.

The dashboard opens at the root. A task that is a group of tasks (a nested pipeline, an exit handler's, a condition's, a
loop's body) is one node there; behind it is a view of its own. Every artifact that a task has is a node, too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, Literal

Kind = Literal["step", "group", "artifact"]
EXIT = "ALL_UPSTREAM_TASKS_COMPLETED"
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Node:
    """A box: `kind` and what is written in it; `last` where it ends its view whatever happened before."""

    kind: Kind
    title: str
    last: bool = False


@dataclass(frozen=True)
class View:
    """One screen: the titles of the groups that were opened to get here, and nodes with what each follows, by id.

    `place` leads the places of its tasks in a run, as in `exit-handler-1/`.
    """

    path: tuple[str, ...]
    nodes: Mapping[str, Node]
    needs: Mapping[str, frozenset[str]]
    place: str = ""

    @property
    def tasks(self) -> list[str]:
        """Ids of steps and groups, each after what it follows, those that end the view last."""
        order = TopologicalSorter({name: sorted(self.needs[name]) for name in sorted(self.nodes)}).static_order()
        tasks = [name for name in order if self.nodes[name].kind != "artifact"]
        return sorted(tasks, key=lambda name: self.nodes[name].last)


def views(compiled: Document) -> list[View]:
    """Every view of a compiled pipeline, the root's first, a group's after the one that it is in.

    What is there twice, such as the same nested pipeline, is opened once.
    """
    found: list[View] = []
    for view in all_views(compiled):
        if not any((view.nodes, view.needs) == (other.nodes, other.needs) for other in found):
            found.append(view)
    return found


def all_views(compiled: Document) -> list[View]:
    """As `views`, but each use of a nested pipeline has a view, since in a run each goes its own way."""
    return list(_open(compiled["components"], compiled["root"], (), ""))


def _open(components: Document, component: Document, path: tuple[str, ...], place: str) -> Iterator[View]:
    """The view of a group, and those of the groups in it."""
    view = _view(components, component["dag"]["tasks"], path, place)
    yield view
    for name in view.tasks:
        if view.nodes[name].kind == "group":
            inside = components[component["dag"]["tasks"][name]["componentRef"]["name"]]
            yield from _open(components, inside, (*path, view.nodes[name].title), f"{place}{name}/")


def _view(components: Document, tasks: Document, path: tuple[str, ...], place: str) -> View:
    nodes: dict[str, Node] = {}
    needs: dict[str, set[str]] = {}
    for name, task in tasks.items():
        component = components[task["componentRef"]["name"]]
        kind: Kind = "group" if "dag" in component else "step"
        last = task.get("triggerPolicy", {}).get("strategy") == EXIT
        nodes[name] = Node(kind, task["taskInfo"]["name"], last)
        sources = task.get("inputs", {}).get("artifacts", {}).values()
        taken = {_artifact(source["taskOutputArtifact"]) for source in sources if "taskOutputArtifact" in source}
        carried = {artifact.split("/")[0] for artifact in taken}
        needs[name] = taken | (set(task.get("dependentTasks", ())) - carried)
        for artifact in component.get("outputDefinitions", {}).get("artifacts", {}):
            nodes[f"{name}/{artifact}"], needs[f"{name}/{artifact}"] = Node("artifact", artifact), {name}
    return View(path, nodes, {name: frozenset(ups) for name, ups in needs.items()}, place)


def _artifact(source: Document) -> str:
    return f"{source['producerTask']}/{source['outputArtifactKey']}"
