"""Which steps of a graph share a pod. Pure: names and who waits for whom.

Steps are joined by themselves where they follow one another so strictly that nobody waits longer than before: whatever
waits for the first waits for the second too, and whatever the second waits for the first has waited for too. Steps that
their author has given one pod's name are joined although some could have run at the same time.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from seaway.errors import InvalidSpec


@dataclass(frozen=True)
class Node:
    """A step as its graph sees it.

    Args:
        after: Whom it waits for.
        alone: Why it cannot share a pod; empty where it can.
        kind: What steps of one pod have in common: image, mounts, environment.
        habit: How it is retried and cached; what is joined by itself has that in common too.
        pod: The name that its author has given the pod; empty where it has none.
    """

    name: str
    after: frozenset[str] = frozenset()
    alone: str = ""
    kind: str = ""
    habit: str = ""
    pod: str = ""


@dataclass(frozen=True)
class Group:
    """Steps that share a pod, in the order in which they run."""

    steps: tuple[str, ...]
    pod: str = ""


def groups(nodes: Iterable[Node]) -> list[Group]:
    """The pods with more than one step, sorted by their first.

    Raises:
        InvalidSpec: steps that are to share a pod cannot.
    """
    graph = _Graph({node.name: node for node in nodes})
    for pod in sorted({node.pod for node in graph.nodes.values() if node.pod}):
        graph.join_named(pod)
    graph.join_consecutive()
    return graph.groups()


@dataclass
class _Graph:
    nodes: Mapping[str, Node]
    pods: dict[str, frozenset[str]] = field(init=False)  # of each step, the steps in its pod

    def __post_init__(self) -> None:
        self.pods = {name: frozenset({name}) for name in self.nodes}

    def join(self, names: Iterable[str]) -> None:
        joined = frozenset().union(*(self.pods[name] for name in names))
        self.pods.update(dict.fromkeys(joined, joined))

    def join_named(self, pod: str) -> None:
        """Join the steps of a pod that has a name."""
        members = [node for node in self.nodes.values() if node.pod == pod]
        if not members[1:]:
            return
        for node in members:
            if node.alone:
                raise InvalidSpec(f"Step {node.name} cannot share pod {pod}: {node.alone}. Give it no pod's name.")
        if len({node.kind for node in members}) > 1:
            names = ", ".join(sorted(node.name for node in members))
            raise InvalidSpec(
                f"Steps {names} cannot share pod {pod}: their images, environments, mounts or pods' settings differ, "
                "and no step is given what it had not. Name pods for steps that are alike."
            )
        self.join(node.name for node in members)
        try:
            TopologicalSorter(self.after()).prepare()
        except CycleError as error:
            raise InvalidSpec(
                f"The steps of pod {pod} cannot run one after another: a step outside, or in another pod, comes between"
                f" ({' -> '.join(min(cluster) for cluster in error.args[1])}). Name other pods."
            ) from error

    def after(self) -> dict[frozenset[str], set[frozenset[str]]]:
        """Which pods each pod waits for."""
        return {
            pod: {self.pods[name] for member in pod for name in self.nodes[member].after} - {pod}
            for pod in self.pods.values()
        }

    def join_consecutive(self) -> None:
        """Join what follows one another, until nothing does."""
        while pair := self._consecutive():
            self.join(pair)

    def _consecutive(self) -> tuple[str, str] | None:
        after = self.after()
        above = _ancestors(after)
        for second, before in after.items():
            for first in before:
                followers = [pod for pod, waits in after.items() if first in waits]
                if (
                    self._alike(first, second)
                    and all(pod == second or second in above[pod] for pod in followers)
                    and all(pod == first or pod in above[first] for pod in before)
                ):
                    return min(first), min(second)
        return None

    def _alike(self, first: frozenset[str], second: frozenset[str]) -> bool:
        members = [self.nodes[name] for name in first | second]
        free = not any(node.alone or node.pod for node in members)
        return free and len({(node.kind, node.habit) for node in members}) == 1

    def groups(self) -> list[Group]:
        order = {name: number for number, name in enumerate(_ordered(self.nodes))}
        pods = {pod for pod in self.pods.values() if len(pod) > 1}
        found = [Group(tuple(sorted(pod, key=order.__getitem__)), self.nodes[min(pod)].pod) for pod in pods]
        return sorted(found, key=lambda group: order[group.steps[0]])


def _ancestors(after: Mapping[frozenset[str], set[frozenset[str]]]) -> dict[frozenset[str], set[frozenset[str]]]:
    above: dict[frozenset[str], set[frozenset[str]]] = {}
    for pod in TopologicalSorter(after).static_order():
        above[pod] = after[pod].union(*(above[earlier] for earlier in after[pod]))
    return above


def _ordered(nodes: Mapping[str, Node]) -> list[str]:
    """The steps in an order in which they may run; of those that may run at the same time, by name."""
    sorter = TopologicalSorter({name: node.after for name, node in nodes.items()})
    sorter.prepare()
    ready, order = list(sorter.get_ready()), list[str]()
    heapq.heapify(ready)
    while ready:
        order.append(heapq.heappop(ready))
        sorter.done(order[-1])
        for name in sorter.get_ready():
            heapq.heappush(ready, name)
    return order
