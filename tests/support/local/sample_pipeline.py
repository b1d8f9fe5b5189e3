"""Small pipelines for the tests of the local run."""

from kfp import dsl
from seaway.kfp import component


@component
def make(rows: int, table: dsl.Output[dsl.Dataset], metrics: dsl.Output[dsl.Metrics], broken: bool = False):
    """Write rows."""
    from pathlib import Path

    from seaway.errors import DataUnreadable

    print("making rows")  # noqa: T201
    if broken:
        raise DataUnreadable("rows.csv lacks the column `plan`; add it.")
    Path(table.path).write_text("row\n" * rows)
    table.metadata["summary"] = f"{rows} rows"
    metrics.log_metric("rows", rows)


@component
def count(table: dsl.Input[dsl.Dataset]) -> int:
    """Count rows."""
    from pathlib import Path

    return len(Path(table.path).read_text().splitlines())


@component
def tidy(status: dsl.PipelineTaskFinalStatus, marker: str):
    """Write how the run ended."""
    from pathlib import Path

    if marker:
        Path(marker).write_text(status.state)


@dsl.pipeline(name="sample")
def sample(rows: int = 3, broken: bool = False, marker: str = "", share: float = 0.5):
    """Make rows and count them."""
    end = tidy(marker=marker).set_caching_options(False)
    with dsl.ExitHandler(end):
        made = make(rows=rows, broken=broken).set_display_name("Make rows").set_cpu_request("1")
        count(table=made.outputs["table"]).set_retry(1, backoff_duration="1s")
