"""Where Seaway keeps its state on this machine: `$SEAWAY_HOME`, by default `./.seaway`."""

import os
from pathlib import Path


def home() -> Path:
    """The state folder, made when missing."""
    path = Path(os.environ.get("SEAWAY_HOME", ".seaway")).absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def run_id() -> str:
    """The pipeline run that this process is a step of; `manual` outside a run."""
    return os.environ.get("SEAWAY_RUN_ID", "manual")
