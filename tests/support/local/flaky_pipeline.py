"""A step that fails at its first attempt."""

from kfp import dsl
from seaway.kfp import component


@component
def flaky(marker: str):
    """Fail once."""
    from pathlib import Path

    if not Path(marker).exists():
        Path(marker).touch()
        raise ConnectionError("the registry did not answer")


@dsl.pipeline(name="flaky")
def flaky_pipeline(marker: str):
    """Fail once."""
    flaky(marker=marker).set_retry(2, backoff_duration="0s")
