"""The page of drift: each check of a model in this folder's runs, and how its figures went."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from seaway.dev.pages import page
from seaway.kfp.fuse.step import origin
from seaway.kfp.local.records import records
from seaway.reporting import charts
from seaway.reporting.page import Figure, Figures

CHECK, METRICS = "check", "metrics"  # outputs of `monitor_drift`
LEAST = 2  # points of a line


@dataclass(frozen=True)
class Check:
    """One check: the run and step that made it, what it found in a line, and its figures."""

    run: str
    step: int
    title: str
    begun: float
    summary: str
    figures: Mapping[str, float] = field(default_factory=dict)


def drift_page(request: Request) -> Response:
    """All checks, the latest first, and a chart a figure over time."""
    found = list(checks(records()))
    return page(request, "drift.html", title="Drift", checks=found, charts=_charts(found[::-1]))


def checks(found: Sequence[Mapping[str, Any]]) -> Iterator[Check]:
    """Those of runs, in the order of the runs."""
    for record in found:
        for step in record["steps"]:
            outputs = {origin(step["name"], name).rpartition("--")[2]: value for name, value in step["outputs"].items()}
            if CHECK in outputs and METRICS in outputs:
                yield _check(record, step, outputs)


def _check(record: Mapping[str, Any], step: Mapping[str, Any], outputs: Mapping[str, Any]) -> Check:
    figures = {name: value for name, value in outputs[METRICS]["metadata"].items() if isinstance(value, int | float)}
    begun = step.get("begun") or record.get("begun") or 0.0
    told = str(outputs[CHECK]["metadata"].get("summary", ""))
    return Check(record["run"], step["number"], step["title"], begun, told, figures)


def _charts(oldest_first: Sequence[Check]) -> Figures | None:
    """A line a figure over the checks that have it."""
    names = dict.fromkeys(name for check in oldest_first for name in check.figures)
    series = {name: [check.figures[name] for check in oldest_first if name in check.figures] for name in names}
    drawn = [_figure(name, values) for name, values in series.items() if len(values) >= LEAST]
    return Figures(drawn) if drawn else None


def _figure(name: str, values: Sequence[float]) -> Figure:
    line = charts.Series("", list(range(1, len(values) + 1)), values, f"{values[-1]:.3g}")
    alt = f"{name} went from {values[0]:.3g} to {values[-1]:.3g} in {len(values)} checks."
    return Figure(charts.lines([line], "check", name, alt), name)
