"""Ratios measured side by side: `make bench` prints them all, `python -m benchmarks.join` one part."""

import math
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

from rich.console import Console
from rich.table import Table

PARTS = (
    *("cli", "join", "training", "training_contents", "tuning", "serving", "predict_batch", "judge", "judge_goals"),
    *("judge_peers", "judge_tasks", "drift", "drift_size", "project", "pipeline", "launch", "backends", "dev"),
    *("labels", "online_features", "step_starts", "edge"),
)


@dataclass(frozen=True)
class Row:
    """One comparison: our figure beside the other way's, of the same run.

    `goal` is a bound on the ratio ours / theirs, such as ">= 10x"; it is shown, never asserted.
    """

    name: str
    ours: float
    theirs: float
    unit: str
    goal: str
    better: Literal["higher", "lower"]
    note: str = ""

    @property
    def ratio(self) -> float:
        """ours / theirs; NaN where theirs is 0."""
        return self.ours / self.theirs if self.theirs else math.nan


def told(figure: float, unit: str = "") -> str:
    """A figure of four digits; nothing where there is none."""
    return "" if math.isnan(figure) else f"{figure:,.4g}{unit}"


def machine() -> str:
    """Cores, processor architecture and the versions that the figures depend on."""
    packages = ("torch", "duckdb", "feast", "torchserve", "kfp", "numpy", "scipy")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {versions}"


def show(rows: Sequence[Row]) -> None:
    """Print the rows as a table."""
    table = Table(title=machine())
    for heading in ("what", "ours", "other", "unit", "ratio", "goal", "better", "note"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        figures = (told(row.ours), told(row.theirs), row.unit, told(row.ratio, "x"))
        table.add_row(row.name, *figures, row.goal, row.better, row.note)
    Console(width=160).print(table)


def main(measure: Callable[[], Sequence[Row]]) -> None:
    """Run one part on its own."""
    show(measure())
