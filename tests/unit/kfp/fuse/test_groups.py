"""Which steps share a pod: none waits longer than before unless its author says so, and what differs stays apart."""

from collections.abc import Mapping
from graphlib import TopologicalSorter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.kfp.fuse.groups import Group, Node, groups


def chain(*names: str, **settings: str) -> list[Node]:
    return [
        Node(name, frozenset([earlier] if earlier else []), **settings)
        for earlier, name in zip(["", *names], names, strict=False)
    ]


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    """Up to nine steps, each after some earlier ones, of two kinds, two habits, some alone."""
    nodes = list[Node]()
    for number in range(draw(st.integers(1, 9))):
        after = (
            draw(st.frozensets(st.sampled_from([node.name for node in nodes]), max_size=3)) if nodes else frozenset()
        )
        kind, habit, alone = (
            draw(st.sampled_from(values)) for values in (["k", "k", "K"], ["h", "h", "H"], ["", "", "x"])
        )
        nodes.append(Node(f"s{number}", after, alone, kind, habit))
    return nodes


def above(after: Mapping[str, set[str]]) -> dict[str, set[str]]:
    found = dict[str, set[str]]()
    for name in TopologicalSorter(after).static_order():
        found[name] = set(after[name]).union(*(found[earlier] for earlier in after[name]))
    return found


def pod_of(nodes: list[Node]) -> dict[str, str]:
    return {node.name: node.name for node in nodes} | {
        name: group.steps[0] for group in groups(nodes) for name in group.steps
    }


@given(graphs())
def test_what_could_run_at_the_same_time_still_can(nodes: list[Node]) -> None:
    pods = pod_of(nodes)
    after = {
        pod: {pods[name] for node in nodes if pods[node.name] == pod for name in node.after} - {pod}
        for pod in pods.values()
    }
    before, now = above({node.name: set(node.after) for node in nodes}), above(after)
    for one, other in combinations(pods, 2):
        if one not in before[other] and other not in before[one]:
            assert pods[one] != pods[other]
            assert pods[one] not in now[pods[other]]
            assert pods[other] not in now[pods[one]]


@given(graphs())
def test_what_differs_or_is_alone_stays_apart_and_what_is_joined_runs_in_order(nodes: list[Node]) -> None:
    known = {node.name: node for node in nodes}
    for group in groups(nodes):
        members = [known[name] for name in group.steps]
        assert len({(node.kind, node.habit) for node in members}) == 1
        assert not any(node.alone for node in members)
        assert all(later.name not in earlier.after for earlier, later in combinations(members, 2))


@given(graphs())
def test_the_order_in_which_a_file_names_its_steps_is_no_matter(nodes: list[Node]) -> None:
    assert groups(nodes) == groups(reversed(nodes))


def test_a_chain_is_one_pod_and_a_branch_ends_it() -> None:
    assert groups(chain("a", "b", "c")) == [Group(("a", "b", "c"))]
    branch = Node("d", frozenset({"b"}))
    assert groups([*chain("a", "b", "c"), branch]) == [Group(("a", "b"))]


def test_steps_of_one_pods_name_are_joined_though_they_could_run_at_the_same_time() -> None:
    start, *named = Node("a"), *(Node(name, frozenset({"a"}), pod="both", habit=name) for name in "cb")
    assert groups([start, *named]) == [Group(("b", "c"), "both")]


def test_a_name_that_nobody_shares_keeps_a_step_apart() -> None:
    first, second, third = chain("a", "b", "c")
    assert groups([first, Node("b", second.after, pod="gate"), third]) == []


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        (chain("a", "b", pod="p", alone="it installs packages"), "a cannot share pod p: it installs packages"),
        ([Node("a", pod="p", kind="one"), Node("b", pod="p", kind="other")], "a, b cannot share pod p: their images"),
    ],
)
def test_steps_that_cannot_share_a_pod_are_told(nodes: list[Node], why: str) -> None:
    with pytest.raises(InvalidSpec, match=why):
        groups(nodes)


def test_a_pod_around_another_step_is_refused() -> None:
    first, second, third = chain("a", "b", "c")
    around = [Node("a", first.after, pod="p"), second, Node("c", third.after, pod="p")]
    with pytest.raises(InvalidSpec, match=r"pod p cannot run one after another: .*(a -> b|b -> a)"):
        groups(around)


def test_pods_that_wait_for_one_another_are_refused() -> None:
    crossing = [
        Node("a", pod="p"),
        Node("b", frozenset({"a"}), pod="q"),
        Node("c", pod="q"),
        Node("d", frozenset({"c"}), pod="p"),
    ]
    with pytest.raises(InvalidSpec, match="cannot run one after another"):
        groups(crossing)
