"""The report of a run that ends anyhow, written by its exit task from real step processes."""

from pathlib import Path

import pytest
from kfp import dsl
from seaway.errors import RunFailed
from seaway.kfp import component
from seaway.kfp.local.run_record import Record
from seaway.kfp.local.runner import local_run
from seaway_components.reporting import write_report


@component
def prepare() -> str:
    """Leave something for the report."""
    from seaway.platforms.runs import evidence
    from seaway.reporting import Page, Text, keep

    sections = Page("Data").section("Harbour", Text("Seven ships.")).kept()
    keep(evidence(), "data", {"summary": "7 ships", "tiles": [], "sections": sections})
    return "ready"


@component
def die(how: str, after: str) -> None:
    """End in the given way."""
    import os
    import signal

    from seaway.errors import TrainingFailed

    print("casting off")  # noqa: T201
    if how == "raises":
        raise TrainingFailed("rank 1 ran aground.")
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "exits":
        os._exit(3)


@dsl.pipeline(name="voyage")
def voyage(how: str) -> None:
    """A step that fails, in a pipeline in the pipeline."""
    die(how=how, after=prepare().set_caching_options(False).output).set_display_name("Sail on")


@dsl.pipeline(name="reported")
def reported(how: str = "") -> None:
    """All of it behind an exit task that tells of it."""
    with dsl.ExitHandler(write_report().set_caching_options(False), name="Voyage"):
        voyage(how=how)


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    from seaway.kfp import compile as compiler

    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    file = tmp_path / "reported.yaml"
    file.write_text(compiler.compiled(reported).text, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("how", "reason"),
    [("raises", "TrainingFailed: rank 1 ran aground."), ("killed", "SIGKILL"), ("exits", "exit code 3")],
)
def test_a_step_that_dies_anyhow_is_the_first_thing_that_the_report_says(compiled: str, how: str, reason: str) -> None:
    with pytest.raises(RunFailed) as failure:
        local_run(compiled, {"how": how})
    page = (failure.value.folder / "report.html").read_text()
    places = [page.index(text) for text in ("Sail on failed", reason, "<main>", "The end of its log", "Seven ships.")]
    assert places == sorted(places)
    assert page.rindex("casting off") > page.index("The end of its log")


def test_a_run_that_ends_well_has_its_report_too(compiled: str) -> None:
    record: Record = local_run(compiled, {})
    page = (record.folder / "report.html").read_text()
    assert "succeeded, 7 ships" in record.steps[-1].figure
    assert "failed" not in page.split("<main>")[1]
