"""The words by which Kubeflow Pipelines says how far something is, in one table: its API's, its driver's, kfp's own.

The API tells of runs and tasks (`V2beta1RuntimeState`); the final status that an exit task gets is the state of the
driver's execution (ML Metadata's `Execution.State`); a local run has kfp's own two words. They differ: what the API
calls SUCCEEDED the driver calls COMPLETE.
"""

from enum import StrEnum

from seaway.errors import InvalidSpec


class Progress(StrEnum):
    """What a word means."""

    GOING = "going"
    GOOD = "good"
    BAD = "bad"


TABLE = {
    # of the API
    "RUNTIME_STATE_UNSPECIFIED": Progress.GOING,
    "PENDING": Progress.GOING,
    "RUNNING": Progress.GOING,
    "PAUSED": Progress.GOING,
    "CANCELING": Progress.GOING,
    "SUCCEEDED": Progress.GOOD,
    "SKIPPED": Progress.GOOD,
    "FAILED": Progress.BAD,
    "CANCELED": Progress.BAD,
    # of the driver, beside RUNNING, FAILED and CANCELED
    "UNKNOWN": Progress.GOING,
    "NEW": Progress.GOING,
    "COMPLETE": Progress.GOOD,
    "CACHED": Progress.GOOD,
    # of kfp's documents of the final status, beside SUCCEEDED and FAILED
    "CANCELLED": Progress.BAD,
}


def progress(word: str) -> Progress:
    """What the word means. Raises: InvalidSpec: it is none that Kubeflow Pipelines is known to say."""
    try:
        return TABLE[word.upper()]
    except KeyError:
        raise InvalidSpec(
            f"Kubeflow Pipelines says {word!r} of a run; known are {', '.join(TABLE)}. Whether that is good is not "
            "guessed: report it with the version of Kubeflow Pipelines."
        ) from None


def ended_well(word: str) -> bool:
    """Whether a final status says that what was before the exit task succeeded. Raises: InvalidSpec: unknown word."""
    return progress(word) is Progress.GOOD
