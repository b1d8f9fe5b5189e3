"""Drift: whether features and predictions are still those that the model was trained on.

A column has drifted where the difference is more than chance (`significance`) and more than a trifle: its distance
exceeds `DriftSpec.effect`. Either alone misleads: on many rows every difference is significant, and between two weeks
of weather every distance is large. The whole has drifted where the predictions have, or enough of the columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.features.project import EVENT_TIME
from seaway.monitoring import embeddings, significance

if TYPE_CHECKING:
    import pandas as pd

    from seaway.monitoring.evidently import Comparison
    from seaway.monitoring.significance import Array

    Samples = tuple[pd.DataFrame, pd.DataFrame]

PREDICTION = "prediction"
MISSING = " is missing"  # after a number's name: a category of its own
OWN_DAYS = 90_000  # of rows without a time: more do not fit a timestamp in nanoseconds
SEED = 0  # of the rows that are compared where there are more than `DriftSpec.rows`


@dataclass(frozen=True)
class DriftSpec:
    """What is compared, and what counts as drift.

    Attributes:
        numeric, categorical: Columns of both samples.
        time: Column of when a row happened; rows of one day are not independent. Rows without it are.
        level: Chance that any column of two samples of one distribution counts as drifted.
        effect: Least distance that matters: Wasserstein's in standard deviations of the reference, or Jensen-Shannon's.
            0.1 is Evidently's own threshold, and what Cohen (1988) would call half of a small effect.
        share: Of the columns, drifted ones from which on the whole has drifted.
        rows: At most so many of each sample are compared, drawn at random.
        predictions, called: Columns of both samples that hold what the model answered, as numbers and as categories;
            one that a sample lacks is not compared.
        embedded: Columns of both samples that hold embeddings of pictures or texts, an array a row or None.
        unwatched: Inputs that cannot be compared, which the report is to say.

    Raises:
        InvalidSpec: no column, a column twice, or a number out of range.
    """

    numeric: Sequence[str] = ()
    categorical: Sequence[str] = ()
    time: str = EVENT_TIME
    level: float = 0.05
    effect: float = 0.1
    share: float = 0.2
    rows: int = 20_000
    predictions: Sequence[str] = (PREDICTION,)
    called: Sequence[str] = ()
    embedded: Sequence[str] = ()
    unwatched: Sequence[str] = ()

    def __post_init__(self) -> None:
        names = (*self.numeric, *self.categorical, *self.embedded)
        if not (names or self.unwatched) or len(set(names)) < len(names) or set(self.answers) & set(names):
            reserved = " or ".join(map(repr, self.answers))
            raise InvalidSpec(f"Drift needs columns, each once and none named {reserved}; given are {names}.")
        for name in ("level", "effect", "share"):
            if not 0 < getattr(self, name) <= 1:
                raise InvalidSpec(f"{name} is {getattr(self, name)}; it must be above 0 and at most 1.")
        if self.rows < 1:
            raise InvalidSpec(f"rows is {self.rows}; at least one row must be compared.")

    @property
    def answers(self) -> tuple[str, ...]:
        """All columns of what the model answered."""
        return (*self.predictions, *self.called)


@dataclass(frozen=True)
class ColumnDrift:
    """One column: its distance, the p-value corrected for all columns, and the verdict."""

    name: str
    distance: float
    p_value: float
    drifted: bool


@dataclass(frozen=True)
class DriftReport:
    """The verdict on each column; `limit` is the spec's `share`, `days` and `rows` are of reference and current,
    `answers` are the columns of predictions; `unwatched` are inputs that could not be compared."""

    columns: Sequence[ColumnDrift]
    limit: float
    days: tuple[int, int]
    rows: tuple[int, int]
    answers: Sequence[str] = (PREDICTION,)
    unwatched: Sequence[str] = ()

    @property
    def alarm(self) -> bool:
        """Whether the predictions have drifted, or enough of the features."""
        return bool(set(self.answers) & set(self.drifted)) or self.share >= self.limit

    @property
    def drifted(self) -> list[str]:
        """Names of drifted columns, the farthest first."""
        ordered = sorted(self.columns, key=lambda column: -column.distance)
        return [column.name for column in ordered if column.drifted]

    @property
    def share(self) -> float:
        """Features that have drifted, in value or in being missing, among all."""
        known = {feature(column.name) for column in self.columns}
        return len(set(map(feature, self.drifted))) / len(known)

    @property
    def summary(self) -> str:
        """One line."""
        verdict = "drift" if self.alarm else "no drift"
        farthest = f", farthest {', '.join(self.drifted[:3])}" if self.drifted else ""
        blind = f"; {', '.join(self.unwatched)} not compared, the model has no embedding" if self.unwatched else ""
        return f"{verdict}: {self.share:.0%} of the features{farthest}{blind}"

    def to_json(self) -> dict[str, Any]:
        """As in `drift.json`."""
        return {
            **asdict(self),
            "alarm": self.alarm,
            "share": self.share,
            "drifted": self.drifted,
            "summary": self.summary,
        }


def compare(reference: "pd.DataFrame", current: "pd.DataFrame", spec: DriftSpec) -> "tuple[DriftReport, Comparison]":
    """The verdicts of `drift`, and what can draw them. Raises: DataUnreadable, see `drift`."""
    from seaway.monitoring.evidently import Comparison

    samples = (_prepared(reference, spec, "reference"), _prepared(current, spec, "current"))
    numeric, categorical = _columns(samples, spec)
    comparison = Comparison(*samples, numeric, categorical)
    tests = {name: _p_value(samples, name, name in numeric, spec) for name in [*numeric, *categorical]}
    apart = {name: _apart(samples, name, spec) for name in spec.embedded}
    p_values = {**tests, **{name: found.p_value for name, found in apart.items()}}
    distances = {**comparison.distances(), **{name: found.distance for name, found in apart.items()}}
    return _judge(samples, p_values, distances, spec), comparison


def feature(column: str) -> str:
    """The feature that a column tells of."""
    return column.removesuffix(MISSING)


def _judge(
    samples: "Samples", p_values: Mapping[str, float], distances: Mapping[str, float], spec: DriftSpec
) -> DriftReport:
    columns = [
        ColumnDrift(name, distances[name], p, p < spec.level and distances[name] > spec.effect)
        for name, p in significance.holm(p_values).items()
    ]
    first, second = samples
    days, rows = (first[spec.time].nunique(), second[spec.time].nunique()), (len(first), len(second))
    return DriftReport(columns, spec.share, days, rows, spec.answers, spec.unwatched)


def _prepared(rows: "pd.DataFrame", spec: DriftSpec, which: str) -> "pd.DataFrame":
    """At most `spec.rows` rows in their order, with one more column of whether a number is missing."""
    predicted = [name for name in spec.predictions if name in rows]
    categories = [*spec.categorical, *(name for name in spec.called if name in rows)]
    names = [*spec.numeric, *categories, *predicted, *spec.embedded]
    if missing := [name for name in names if name not in rows]:
        raise DataUnreadable(f"The {which} rows lack {', '.join(missing)}; they have {', '.join(rows.columns)}.")
    if rows.empty:
        raise DataUnreadable(f"There are no {which} rows to compare.")
    days = rows[spec.time].dt.floor("D") if spec.time in rows else _own_days(rows)
    chosen = rows[names].assign(**{spec.time: days})
    if len(chosen) > spec.rows:
        chosen = chosen.sample(spec.rows, random_state=SEED).sort_index()
    texts = {name: chosen[name].astype("string").fillna("").astype(object) for name in categories}
    gaps = {name + MISSING: chosen[name].isna().map({True: "yes", False: "no"}) for name in spec.numeric}
    numbers = chosen[[*spec.numeric, *predicted]].astype("float64")
    vectors = {name: chosen[name] for name in spec.embedded}
    return numbers.assign(**texts, **gaps, **vectors, **{spec.time: chosen[spec.time]})


def _own_days(rows: "pd.DataFrame") -> "pd.Series[pd.Timestamp]":
    """Rows of no known time are independent: each is a day of its own."""
    import numpy as np
    import pandas as pd

    return pd.Series(pd.Timestamp(0) + pd.to_timedelta(np.arange(len(rows)) % OWN_DAYS, unit="D"), index=rows.index)


def _columns(samples: "Samples", spec: DriftSpec) -> tuple[list[str], list[str]]:
    """Numbers that both samples hold, and categories with those of what is missing anywhere."""
    numeric = [name for name in (*spec.numeric, *spec.predictions) if all(_has(sample, name) for sample in samples)]
    gaps = (name + MISSING for name in spec.numeric)
    holes = [name for name in gaps if any((sample[name] == "yes").any() for sample in samples)]
    called = [name for name in spec.called if all(name in sample for sample in samples)]
    return numeric, [*spec.categorical, *called, *holes]


def _has(sample: "pd.DataFrame", name: str) -> bool:
    return name in sample and bool(sample[name].notna().any())


def _p_value(samples: "Samples", name: str, number: bool, spec: DriftSpec) -> float:
    values, days = zip(*(_values(sample, name, spec.time) for sample in samples), strict=True)
    test = significance.of_numbers if number else significance.of_categories
    return test(*values, *days)


def _apart(samples: "Samples", name: str, spec: DriftSpec) -> embeddings.Difference:
    import numpy as np

    (before, first), (now, second) = (_values(sample, name, spec.time) for sample in samples)
    then, since = (np.array(list(rows), float) for rows in (before, now))
    return embeddings.difference(then, since, first, second)


def _values(sample: "pd.DataFrame", name: str, time: str) -> "tuple[Array, Array]":
    """What there is of a column, and the day of each row."""
    there = sample[name].notna().to_numpy()
    days = (sample[time] - sample[time].min()).dt.days.to_numpy()
    return sample[name].to_numpy()[there], days[there]
