"""Where Seaway keeps its state on this machine: `$SEAWAY_HOME`, by default `./.seaway`."""

import os
from pathlib import Path

from seaway.errors import InvalidSpec


def home() -> Path:
    """The state folder, made when missing.

    Raises:
        InvalidSpec: it cannot be made.
    """
    path = Path(os.environ.get("SEAWAY_HOME", ".seaway")).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidSpec(
            f"The state folder {path} cannot be made ({error.strerror}); set SEAWAY_HOME to one that can be written."
        ) from error
    return path


def references() -> str:
    """URI of the folder that keeps training rows for as long as their models are watched: `$SEAWAY_REFERENCES`."""
    return os.environ.get("SEAWAY_REFERENCES") or str(home() / "references")


def figures_folder() -> Path:
    """Where the checks' figures lie as text files for Prometheus."""
    return home() / "metrics"


def run_id() -> str:
    """The pipeline run that this process is a step of; `manual` outside a run."""
    return os.environ.get("SEAWAY_RUN_ID", "manual")
