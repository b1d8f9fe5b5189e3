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

    from seaway.evaluation.metrics import Estimate

WATCHED = {"roc_auc": (1, ("test_roc_auc", "validation_auc")), "log_loss": (-1, ("test_log_loss", "validation_loss"))}
# figure: (1 where more is better, names in the lineage, the best first)


@dataclass(frozen=True)
class QualitySpec:
    """How much worse a figure may be, and how many labels say anything.

    Attributes:
        label: Column of the true class, 0 or 1; null while it is not known.
        time, known: Columns of when a row was predicted and when its label became known.
        margin: Least loss that matters, as a share of the tested figure.
        labels: Fewer of either class give no figures.
    """

    label: str = "late"
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


def quality(rows: "pd.DataFrame", tested: Mapping[str, float], spec: QualitySpec, now: "pd.Timestamp") -> QualityReport:
    """Figures of the rows whose labels were known at `now`.

    Args:
        rows: With `prediction`, a probability, and the columns that `spec` names.
        tested: Figures of the model's lineage.
        spec: What counts as worse.
        now: A time in UTC.

    Raises:
        DataUnreadable: a column is missing.
    """
    from seaway.evaluation.metrics import Predictions, estimates

    wanted = ("prediction", spec.label, spec.time, spec.known)
    if missing := [name for name in wanted if name not in rows]:
        raise DataUnreadable(f"Quality needs the column {', '.join(missing)}; there are {', '.join(rows.columns)}.")
    known = rows[(rows[spec.known] <= now) & rows[spec.label].notna()]
    labels = known[spec.label].to_numpy(bool)
    delay = (known[spec.known] - known[spec.time]).dt.total_seconds().median() if len(known) else None
    figures: dict[str, Figure] = {}
    if min(labels.sum(), (~labels).sum()) >= spec.labels:
        model = Predictions(known["prediction"].to_numpy(float), labels)
        found = estimates({"model": model}, "model")[0]["model"]
        figures = {name: _figure(name, found[name], tested, spec.margin) for name in WATCHED}
    return QualityReport(figures, len(rows), len(known), None if delay is None else float(delay))


def _figure(name: str, found: "Estimate", tested: Mapping[str, float], margin: float) -> Figure:
    sign, names = WATCHED[name]
    before = next((tested[each] for each in names if each in tested), None)
    worse = before is not None and (
        found.high < before * (1 - margin) if sign > 0 else found.low > before * (1 + margin)
    )
    return Figure(found.value, found.low, found.high, before, worse)
