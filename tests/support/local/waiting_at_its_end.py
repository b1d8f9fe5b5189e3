"""A step that never ends, and an exit task that does not either."""

from kfp import dsl
from leaving_pipeline import linger


@dsl.pipeline(name="waiting-at-its-end")
def waiting(pids: str, last: str):
    """Wait twice."""
    with dsl.ExitHandler(linger(pids=last)):
        linger(pids=pids)
