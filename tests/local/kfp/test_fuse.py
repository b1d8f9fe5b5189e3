"""A pipeline whose steps share pods gives what it gave before, run on this machine."""

import json
from pathlib import Path
from typing import Any

import pytest
from places import LOCAL_PROGRAMS
from seaway.errors import RunFailed
from seaway.kfp import compile as compiler
from seaway.kfp.fuse.join import fused
from seaway.kfp.fuse.step import origin
from seaway.kfp.local.run_record import Record
from seaway.kfp.local.runner import local_run

SHARING = f"{LOCAL_PROGRAMS / 'shared_pods.py'}:sharing"
TRYING = f"{LOCAL_PROGRAMS / 'shared_pods.py'}:trying"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def compiled(reference: str, folder: Path) -> str:
    """The file of the fused pipeline."""
    file = folder / "fused.yaml"
    file.write_text(fused(compiler.load(reference)).text, encoding="utf-8")
    return str(file)


def made(record: Record) -> dict[str, list[Any]]:
    """All that the steps gave, by step and output; several of a loop's."""
    found = dict[str, list[Any]]()
    for step in record.steps:
        for name, output in step.outputs.items():
            value = output
            if isinstance(output, dict) and "uri" in output:
                place = Path(output["uri"])
                value = (output["type"], output["metadata"], place.read_text() if place.exists() else None)
            found.setdefault(origin(step.name, name), []).append(value)
    return {name: sorted(values, key=str) for name, values in found.items()}


def test_all_outputs_are_what_they_were(tmp_path: Path) -> None:
    before = local_run(SHARING, {})
    after = local_run(compiled(SHARING, tmp_path), {})
    assert made(after) == made(before)
    assert len(after.steps) < len(before.steps)
    assert "Step take, 2 of 3 in this pod" in after.steps[0].log.read_text()


def test_a_pod_is_reused_where_nothing_changed(tmp_path: Path) -> None:
    file = compiled(SHARING, tmp_path)
    local_run(file, {})
    assert {step.state for step in local_run(file, {}).steps} == {"cached"}


def test_a_failed_step_is_named_with_its_reason_and_what_was_made_before_is_kept(tmp_path: Path) -> None:
    file = compiled(SHARING, tmp_path)
    reason = "DataUnreadable: one row is too few.\nIt was step take of these"
    with pytest.raises(RunFailed, match=reason) as failure:
        local_run(file, {"rows": 1})
    assert failure.value.cause == "DataUnreadable"
    [told] = (tmp_path / "home" / "artifacts").glob("*/make-to-join/executor_output.json")
    content = json.loads(told.read_text())
    assert content["parameterValues"]["make--total"] == 1
    [table] = content["artifacts"]["make--table"]["artifacts"]
    assert (Path(table["uri"]).read_text(), table["metadata"]["rows"]) == ("row\n", 1)


def test_a_step_is_tried_again_in_its_pod_and_finds_nothing_of_the_attempt_before(tmp_path: Path) -> None:
    record = local_run(compiled(TRYING, tmp_path), {"marker": str(tmp_path / "tried")})
    shared = record.steps[0]
    assert (shared.name, shared.attempts) == ("both", 1)
    assert (shared.outputs["flaky--Output"], shared.outputs["add--Output"]) == (0, 1)
    assert "the service is busy" in shared.log.read_text()
