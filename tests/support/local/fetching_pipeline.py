"""Two files fetched anew in each run, and counted: what is fetched may be the same or not."""

from kfp import dsl
from seaway.kfp import component


@component
def fetch(source: str, table: dsl.Output[dsl.Dataset]):
    """Copy a file."""
    import shutil
    from pathlib import Path

    from seaway.errors import DataUnreadable

    if not Path(source).exists():
        raise DataUnreadable(f"{source} does not exist.")
    shutil.copyfile(source, table.path)


@component
def count(table: dsl.Input[dsl.Dataset]) -> int:
    """Count rows."""
    from pathlib import Path

    return len(Path(table.path).read_text().splitlines())


@component
def finish(status: dsl.PipelineTaskFinalStatus):
    """Tell how the run ended."""
    print(status.state)  # noqa: T201


@dsl.pipeline(name="fetching")
def fetching(first: str, second: str):
    """Fetch and count two files."""
    with dsl.ExitHandler(finish().set_caching_options(False)):
        for source in (first, second):
            fetched = fetch(source=source).set_caching_options(False)
            count(table=fetched.outputs["table"])
