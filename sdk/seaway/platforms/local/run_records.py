"""How the steps of a run on this machine went, by the `run.json` that its runner keeps at every change."""

from pathlib import Path
from typing import Any

from seaway.platforms.home import home
from seaway.reporting.run_steps import FAILED, StepEnd, tail
from seaway.reporting.usage import Usage
from seaway.storage import read_json


class FileRecords:
    """Reads what the runner of this state folder writes."""

    def steps(self, run: str) -> list[StepEnd]:
        """See `RunRecords.steps`; none for a run that no runner keeps. Raises: DataUnreadable."""
        file = home() / "runs" / run / "run.json"
        return [_step_end(step) for step in read_json(file)["steps"]] if file.is_file() else []


def _step_end(step: dict[str, Any]) -> StepEnd:
    return StepEnd(
        step["title"],
        step["state"],
        step["reason"],
        step["seconds"] or None,
        step["figure"],
        _tail(Path(step["log"])) if step["state"] == FAILED else "",
        Usage.read(step.get("usage", {})),  # runs of earlier versions have none
    )


def _tail(log: Path) -> str:
    return tail(log.read_text(encoding="utf-8", errors="replace")) if log.is_file() else ""
