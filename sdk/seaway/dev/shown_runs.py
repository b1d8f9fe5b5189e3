"""The list of runs: what is shown of each, kept as long as its file does not change."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from seaway.kfp.local.records import record_files, report_file
from seaway.kfp.local.run_state import as_it_is
from seaway.storage import read_json

DONE = ("succeeded", "cached")


@dataclass(frozen=True)
class ShownRun:
    """A row of the list."""

    run: str
    pipeline: str
    state: str
    begun: float
    seconds: float
    done: int
    total: int
    reason: str

    @property
    def has_report(self) -> bool:
        return report_file(self.run).exists()


def shown_runs() -> list[ShownRun]:
    """All, latest first."""
    return [_shown(as_it_is(head), done, failed) for head, done, failed in map(_read, record_files())]


def stamp() -> Hashable:
    """Differs when a run begins, goes on, ends or is gone; whoever was killed is seen by its process."""
    heads = [(file, _read(file)[0]) for file in record_files()]
    return tuple((file.parent.name, _stamp(file), as_it_is(head)["state"]) for file, head in heads)


def _read(file: Path) -> tuple[dict[str, Any], int, str]:
    return _head(file, _stamp(file))


def _stamp(file: Path) -> int:
    return file.stat().st_mtime_ns


@lru_cache(maxsize=4096)
def _head(file: Path, _stamp: int) -> tuple[dict[str, Any], int, str]:
    """A record without its steps, how many of these are done, and which one failed."""
    record = read_json(file)
    done = sum(step["state"] in DONE for step in record["steps"])
    failed = next((step["title"] for step in record["steps"] if step["state"] == "failed"), "")
    return {**record, "steps": []}, done, failed


def _shown(head: dict[str, Any], done: int, failed: str) -> ShownRun:
    reason = f"{failed} failed" if failed else head.get("reason", "")
    begun = head.get("begun", 0.0)
    return ShownRun(head["run"], head["pipeline"], head["state"], begun, head["seconds"], done, head["total"], reason)
