"""Which pods of a run are its steps, and which of a step's attempts counts."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.platforms.kubernetes.client.ownership import NODE
from seaway.platforms.kubernetes.jobs.run_records import attempts, title


def pod(node: str, second: int) -> dict[str, Any]:
    return {
        "metadata": {
            "name": node,
            "creationTimestamp": f"2026-11-29T10:00:{second:02}Z",
            "annotations": {NODE: node} if node else {},
        }
    }


@pytest.mark.parametrize(
    ("node", "step"),
    [
        ("flights-x1.root.ingest-tables.executor", "ingest-tables"),
        ("flights-x1.root.exit-handler-1.flights-model.train-pytorch.executor(2)", "train-pytorch"),
        ("flights-x1.root.for-loop-1.iteration(3:c.d)(0).count.executor(0)", "count"),
        ("flights-x1.root.exit-handler-1.onExit.write-report.executor(0)", "write-report"),
        ("flights-x1.root.flights-data.ingest-tables-driver", "ingest-tables"),
    ],
)
def test_a_node_names_its_step(node: str, step: str) -> None:
    assert title(node) == step


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=1, unique=True), st.randoms())
def test_of_each_step_the_last_attempt_counts_however_many_begin_in_one_second(
    tried: list[tuple[str, int]], order: random.Random
) -> None:
    pods = [pod(f"wf.root.{step}.executor({number})", number // 4) for step, number in tried]
    order.shuffle(pods)
    found = [[one["metadata"]["name"] for one in every] for every in attempts(pods).values()]
    numbers = {step: sorted(number for name, number in tried if name == step) for step, _ in tried}
    ordered = [[f"wf.root.{step}.executor({number})" for number in every] for step, every in numbers.items()]
    assert sorted(found) == sorted(ordered)


def test_iterations_are_steps_of_their_own_and_pods_of_a_training_are_none() -> None:
    pods = [pod(f"wf.root.loop(0:{item})(0).count.executor(0)", 1) for item in "ab"] + [pod("", 2)]
    assert len(attempts(pods)) == 2
