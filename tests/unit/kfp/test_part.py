"""A part of a run: what it takes from others, and what it says of itself."""

from pathlib import Path

import exported_pipeline
import pytest
from seaway.errors import InvalidSpec
from seaway.kfp.compile import compiled
from seaway.kfp.local import cleanup
from seaway.kfp.local.artifacts import Artifact
from seaway.kfp.local.inputs import Result
from seaway.kfp.local.orchestrator import Call, Orchestrator
from seaway.kfp.local.part import Part
from seaway.kfp.local.run_record import Record

SPEC = compiled(exported_pipeline.exported).spec
GROUP = "exit-handler-1"
TABLE = Artifact("table", "/rows", {"schemaTitle": "system.Dataset"}, {"rows": 3.0})
GIVEN = {"make": {"Output": 3, "table": TABLE}, "flaky": {"Output": "told"}}


def carry_out(folder: Path, place: str, fails: bool = False) -> tuple[Part, list[Call], Result]:
    """One part of a run whose steps give what `GIVEN` says; what was called, and how the run looks from here."""
    part, calls = Part("run", place, folder), list[Call]()
    part.labels(SPEC)

    def step(call: Call) -> Result:
        calls.append(call)
        return Result("FAILED", reason="moon") if fails else Result("SUCCEEDED", GIVEN.get(call.name, {}))

    orchestrator = Orchestrator(SPEC.components, {"{{$.pipeline_job_resource_name}}": "x"}, part.executing(step),
                                part.refusing(lambda call, reason: None))  # fmt: skip
    return part, calls, orchestrator.run(SPEC.root, {"folder": "/out"})


def test_artifacts_and_values_come_from_other_processes_as_they_were_given(tmp_path: Path) -> None:
    carry_out(tmp_path, f"{GROUP}/make")
    _, [call], _ = carry_out(tmp_path, f"{GROUP}/flaky")
    assert call.inputs == {"table": TABLE, "folder": "/out", "broken": False}


def test_one_branch_runs_the_other_is_skipped_and_a_loop_runs_whole(tmp_path: Path) -> None:
    for name in ("make", "flaky"):
        carry_out(tmp_path, f"{GROUP}/{name}")
    many, [call], _ = carry_out(tmp_path, f"{GROUP}/condition-branches-2/condition-3/note")
    assert call.inputs["text"] == "told"
    few, calls, run = carry_out(tmp_path, f"{GROUP}/condition-branches-2/condition-4/note-2")
    assert (calls, few.skipped, few.ended(run), many.skipped) == ([], True, "SUCCEEDED", False)
    _, calls, _ = carry_out(tmp_path, f"{GROUP}/for-loop-6")
    assert sorted(call.inputs["name"] for call in calls) == ["a", "b"]


def test_after_a_failure_only_exit_tasks_begin_and_are_told_of_it(tmp_path: Path) -> None:
    carry_out(tmp_path, f"{GROUP}/make", fails=True)
    part, calls, run = carry_out(tmp_path, f"{GROUP}/flaky")
    assert (calls, part.ended(run)) == ([], "FAILED")
    _, [call], _ = carry_out(tmp_path, "tidy")
    assert call.inputs["status"]["state"] == "FAILED"


def test_what_was_ended_by_force_has_failed_for_an_exit_task_and_has_not_run_for_others(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def killed(call: Call) -> Result:
        raise Killed

    part = Part("run", f"{GROUP}/make", tmp_path)
    with pytest.raises(Killed):
        Orchestrator(SPEC.components, {}, part.executing(killed), lambda *_: None).run(SPEC.root, {"folder": "/out"})
    assert carry_out(tmp_path, f"{GROUP}/flaky")[0].skipped
    _, [call], _ = carry_out(tmp_path, "tidy")
    assert call.inputs["status"]["state"] == "FAILED"


def test_a_step_that_is_done_again_counts_as_it_is_now(tmp_path: Path) -> None:
    carry_out(tmp_path, f"{GROUP}/make", fails=True)
    part, _, run = carry_out(tmp_path, f"{GROUP}/make")
    assert part.ended(run) == "SUCCEEDED"
    assert len(carry_out(tmp_path, f"{GROUP}/flaky")[1]) == 1


@pytest.mark.parametrize("place", ["moon", f"{GROUP}/moon", f"{GROUP}/make/moon"])
def test_a_place_that_is_not_there_is_told_with_those_that_are(place: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=f"{place}.*there is no moon"):
        Part("run", place, tmp_path).labels(SPEC)


def test_a_run_goes_on_while_a_part_of_it_does(tmp_path: Path) -> None:
    import os

    folder = tmp_path / "parts" / "make"
    folder.mkdir(parents=True)
    record = Record("run", "exported", folder, {}, 1, lambda step: None, process=os.getpid())
    record.write()
    assert cleanup._going(tmp_path)
    record.close("succeeded")
    assert not cleanup._going(tmp_path)
