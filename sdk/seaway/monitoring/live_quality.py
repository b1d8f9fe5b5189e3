"""Quality in production: once labels have arrived, whether a model predicts as well as when it was tested.

A figure is worse where its whole 95 % interval lies beyond the tested figure and a margin, so that few labels raise no
alarm. The tested figures are those of the held-out rows in the model's lineage, else those of its validation.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.features.project import EVENT_TIME, LABEL_TIME

if TYPE_CHECKING:
    import pandas as pd

    from seaway.tasks import Estimate, Metric, Task
    from seaway.tasks.estimate import Floats


@dataclass(frozen=True)
class QualitySpec:
    """How much worse a figure may be, and how many labels say anything.

    Attributes:
        time, known: Columns of when a row was predicted and when its label became known; rows without them are labelled
            where they have a label.
        margin: Least loss that matters, as a share of the tested figure.
        labels: Fewer give no figures; of a binary label, fewer of either class.
    """

    time: str = EVENT_TIME
    known: str = LABEL_TIME
    margin: float = 0.05
    labels: int = 50

    def __post_init__(self) -> None:
        if self.margin < 0 or self.labels < 1:
            raise InvalidSpec(f"margin {self.margin} and labels {self.labels} must be at least 0 and 1.")


@dataclass(frozen=True)
class Figure:
    """One figure with its interval, and what it was when the model was tested; None where the lineage has none."""

    value: float
    low: float
    high: float
    tested: float | None
    worse: bool


@dataclass(frozen=True)
class QualityReport:
    """Figures by name, none where there are too few labels; `delay_s` is the median seconds from row to label."""

    figures: Mapping[str, Figure]
    rows: int
    labelled: int
    delay_s: float | None

    @property
    def worse(self) -> list[str]:
        """Names of the figures that are worse."""
        return [name for name, figure in self.figures.items() if figure.worse]

    @property
    def summary(self) -> str:
        """One line."""
        if not self.figures:
            return f"{self.labelled} of {self.rows} rows have labels, too few"
        told = ", ".join(f"{name} {figure.value:.3f}" for name, figure in self.figures.items())
        return f"{told}, {'worse than tested' if self.worse else 'as tested'}"

    def to_json(self) -> dict[str, Any]:
        """As in `quality.json`."""
        return {**asdict(self), "worse": self.worse, "summary": self.summary}


def quality(
    rows: "pd.DataFrame",
    answers: "Floats",
    task: "Task",
    tested: Mapping[str, float],
    spec: QualitySpec,
    now: "pd.Timestamp",
) -> QualityReport:
    """Figures of the rows whose labels were known at `now`.

    Args:
        rows: With the task's label, null while it is not known, and the columns that `spec` names.
        answers: Of each row, in the task's form.
        task: What is predicted.
        tested: Figures of the model's lineage.
        spec: What counts as worse.
        now: A time in UTC.

    Raises:
        DataUnreadable: a column is missing, or a label is none of the task.
    """
    label = task.target.label
    if label not in rows:
        raise DataUnreadable(f"Quality needs the column {label}; there are {', '.join(rows.columns)}.")
    mask = rows[label].notna().to_numpy()
    if spec.known in rows:
        mask &= (rows[spec.known] <= now).to_numpy()
    known = rows[mask]
    figures = _figures(known[label], answers[mask], task, tested, spec) if len(known) else {}
    return QualityReport(figures, len(rows), len(known), _delay(known, spec))


def _figures(
    known: "pd.Series[Any]", answers: "Floats", task: "Task", tested: Mapping[str, float], spec: QualitySpec
) -> dict[str, Figure]:
    labels = task.labels(known.to_numpy(), "The labelled rows")
    if task.support(labels) < spec.labels or task.measurable(labels):
        return {}
    found = task.measured(answers, labels).figures()
    watched = [metric for metric in task.metrics if metric.name in task.watched_metrics]
    return {one.name: _figure(one, found[one.name], tested, spec.margin) for one in watched if one.name in found}


def _delay(known: "pd.DataFrame", spec: QualitySpec) -> float | None:
    if not len(known) or spec.known not in known or spec.time not in known:
        return None
    return float((known[spec.known] - known[spec.time]).dt.total_seconds().median())


def _figure(metric: "Metric", found: "Estimate", tested: Mapping[str, float], margin: float) -> Figure:
    before = next((tested[each] for each in metric.lineage if each in tested), None)
    worse = before is not None and (
        found.high < before - abs(before) * margin if metric.higher else found.low > before + abs(before) * margin
    )
    return Figure(found.value, found.low, found.high, before, worse)
