"""A pipeline with everything that an export has to keep: artifacts, a branch, a loop, retries, an exit task."""

from kfp import dsl
from seaway.kfp import component


@component
def make(rows: int, table: dsl.Output[dsl.Dataset]) -> int:
    """Write rows, and how often this was done."""
    from pathlib import Path

    Path(table.path).write_text("row\n" * rows)
    table.metadata["rows"] = rows
    return rows


@component
def flaky(table: dsl.Input[dsl.Dataset], folder: str, broken: bool) -> str:
    """Succeed at the second attempt, or never."""
    from pathlib import Path

    seen = Path(folder, "flaky")
    first = not seen.exists()
    seen.touch()
    if first or broken:
        raise ValueError("the moon is in the wrong phase")
    return f"{table.metadata['rows']:g} rows, {len(Path(table.path).read_text().splitlines())} lines"


@component
def note(folder: str, name: str, text: str):
    """Leave a file."""
    from pathlib import Path

    Path(folder, name).write_text(text)


@component
def tidy(status: dsl.PipelineTaskFinalStatus, folder: str):
    """Write how the run ended."""
    from pathlib import Path

    Path(folder, "end").write_text(status.state)


@dsl.pipeline(name="exported")
def exported(folder: str, rows: int = 3, broken: bool = False):
    """Make rows, look at them, and tidy up."""
    end = tidy(folder=folder).set_caching_options(False)
    with dsl.ExitHandler(end):
        made = make(rows=rows).set_caching_options(False)
        told = flaky(table=made.outputs["table"], folder=folder, broken=broken).set_retry(1, "0s")
        told.set_caching_options(False)
        with dsl.If(made.outputs["Output"] > 2, name="many"):
            note(folder=folder, name="many", text=told.output).set_caching_options(False)
        with dsl.Else(name="few"):
            note(folder=folder, name="few", text=told.output).set_caching_options(False)
        with dsl.ParallelFor(["a", "b"], parallelism=1) as item:
            note(folder=folder, name=item, text=told.output).set_caching_options(False)
