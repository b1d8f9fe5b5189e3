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


def run_id() -> str:
    """The pipeline run that this process is a step of; `manual` outside a run."""
    return os.environ.get("SEAWAY_RUN_ID", "manual")
