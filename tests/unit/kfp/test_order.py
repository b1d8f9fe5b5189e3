"""In which order a run takes its tasks, and which exit tasks it runs: those whose task has started, at once."""

from typing import Any

import pytest
from kfp import dsl
from kfp.dsl import PipelineTask
from seaway.kfp.compile import compiled
from seaway.kfp.local.graph import order
from seaway.kfp.local.inputs import Result
from seaway.kfp.local.orchestrator import Call, Orchestrator

JOB = {"{{$.pipeline_job_resource_name}}": "run"}


@dsl.component(base_image="image", install_kfp_package=False)
def work(word: str = "") -> None:
    pass


@dsl.component(base_image="image", install_kfp_package=False)
def told(status: dsl.PipelineTaskFinalStatus) -> None:
    pass


def reported(part: PipelineTask) -> PipelineTask:
    told().after(part).ignore_upstream_failure()
    return part


@dsl.pipeline(name="part")
def part(word: str) -> None:
    work(word=word)


@dsl.pipeline(name="parts")
def parts() -> None:
    first = reported(part(word="a"))
    second = reported(part(word="b").after(first))
    reported(part(word="c").after(second))
    work(word="d").after(first)


def ran(failing: str) -> list[str]:
    """Words of the steps that started, and how what exit tasks are told of had ended; that word's step fails."""
    seen, spec = list[str](), compiled(parts).spec

    def execute(call: Call) -> Result:
        status = call.inputs.get("status")
        seen.append(f"{status['pipelineTaskName']} {status['state']}" if status else str(call.inputs["word"]))
        return Result("FAILED" if call.inputs.get("word") == failing else "SUCCEEDED", reason="broken")

    Orchestrator(spec.components, JOB, execute, lambda call, reason: None).run(spec.root, {})
    return seen


@pytest.mark.parametrize(("failing", "seen"), [
    ("", ["a", "part SUCCEEDED", "b", "part-2 SUCCEEDED", "d", "c", "part-3 SUCCEEDED"]),
    ("a", ["a", "part FAILED"]),
    ("b", ["a", "part SUCCEEDED", "b", "part-2 FAILED"]),
    ("c", ["a", "part SUCCEEDED", "b", "part-2 SUCCEEDED", "d", "c", "part-3 FAILED"]),
])  # fmt: skip
def test_each_part_that_started_is_told_of_once_and_before_what_follows_it(failing: str, seen: list[str]) -> None:
    found = ran(failing)
    assert [one for one in found if one != "d"] == [one for one in seen if one != "d"]
    assert ("d" in found) == ("d" in seen)


def test_the_order_is_that_of_the_file_but_for_exit_tasks() -> None:
    tasks: dict[str, Any] = dict(compiled(parts).spec.root.dag.tasks)
    names = order(tasks)
    assert [name for name in names if not name.startswith("told")] == ["part", "part-2", "work", "part-3"]
    for name, task in tasks.items():
        if name.startswith("told"):
            assert names.index(name) == names.index(task.dependent_tasks[0]) + 1


def test_exit_tasks_run_after_a_fault_of_our_own_which_is_told_then() -> None:
    """Such as of a state folder that cannot be read: whatever happened, what was begun is ended."""
    seen, spec = list[str](), compiled(parts).spec

    def execute(call: Call) -> Result:
        if "status" not in call.inputs:
            raise UnicodeEncodeError("utf-8", "x", 0, 1, "no such letter")
        seen.append(call.inputs["status"]["error"]["message"])
        return Result("SUCCEEDED")

    with pytest.raises(UnicodeEncodeError):
        Orchestrator(spec.components, JOB, execute, lambda call, reason: None).run(spec.root, {})
    assert len(seen) == 1
    assert "no such letter" in seen[0]
