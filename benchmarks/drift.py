"""Alarms of drift where there is none and where there is: Seaway's verdict beside a test a column and distances alone.

The whole year of real flights, its 27 features without predictions. The other way is Kolmogorov-Smirnov or chi-squared
on rows taken for independent, any column below 5 % by Bonferroni; Evidently's own rule, 0.1 in half of the columns, is
told in the note.
"""

import contextlib
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp
from seaway.data import ingest
from seaway.features import SplitSpec, build, training_examples
from seaway.monitoring.drift import DriftSpec, compare, feature
from seaway_examples.flights.schema import CATEGORICAL, NUMERIC

from benchmarks import Row, main

SPEC = DriftSpec(list(NUMERIC), CATEGORICAL, rows=10_000)
SPLITS = 2  # random ones of each month
EVIDENTLYS_SHARE = 0.5  # of columns
WINTER = (12, 1, 2)
FOLDER = "SEAWAY_BENCHMARK_EXAMPLES"  # a folder that keeps the year's examples from one run to the next
Pair = tuple[pd.DataFrame, pd.DataFrame]
NOTHING = ("halves of a month, in time", "halves of a month, random days", "halves of a month, random rows")
SEASON = ("winter against summer", "other months half a year apart")


@dataclass(frozen=True)
class Verdicts:
    """On one pair of samples: Seaway's, with the features that it names, then those of the other two ways."""

    alarm: bool
    features: set[str]
    plain: bool
    distances: bool


def measure() -> list[Row]:
    """Alarms by kind of pair."""
    warnings.simplefilter("ignore")
    logging.getLogger().setLevel(logging.ERROR)
    with _folder() as folder:
        rows = year(folder)
    months = {number: part.sample(SPEC.rows, random_state=0).sort_index() for number, part in rows.groupby("month")}
    found: dict[str, list[Verdicts]] = {}
    for kind, (first, second) in pairs(months):
        found.setdefault(kind, []).append(_verdicts(first, second))
    winter = found[SEASON[0]]
    named, plainly = sum("temp" in one.features for one in winter), sum(one.plain for one in winter)
    told = Row("winter against summer, temperature named", named, plainly, f"of {len(winter)}", "all", "higher")
    return [*(_row(kind, found[kind]) for kind in (*NOTHING, *SEASON)), told]


def _verdicts(first: pd.DataFrame, second: pd.DataFrame) -> Verdicts:
    report, _ = compare(first, second, SPEC)
    far = np.mean([column.distance > SPEC.effect for column in report.columns])
    return Verdicts(report.alarm, set(map(feature, report.drifted)), plain(first, second), far >= EVIDENTLYS_SHARE)


def _row(kind: str, found: Sequence[Verdicts]) -> Row:
    ours, theirs, distances = (sum(getattr(one, name) for one in found) for name in ("alarm", "plain", "distances"))
    named = [len(one.features) for one in found]
    goal, better = ("0", "lower") if kind in NOTHING else ("all", "higher")
    some = f"{sum(map(bool, named))} name a feature, at most {max(named)}"
    note = f"pairs with an alarm; {some}; alarms by Evidently's distances {distances}"
    return Row(kind, ours, theirs, f"of {len(found)}", goal, better, note)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    if kept := os.environ.get(FOLDER):
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def year(folder: Path) -> pd.DataFrame:
    """All examples, in time order; built once."""
    files = {name: folder / f"{name}.parquet" for name in SplitSpec().fractions}
    if not all(file.exists() for file in files.values()):
        ingest("seaway_examples.flights.source:read_tables", {"months": "all"}, folder / "tables")
        build(folder / "tables", "seaway_examples.flights.definitions:PROJECT", folder / "repository", online=False)
        training_examples(folder / "repository", folder / "tables", SplitSpec(0.997, 0.001, 0.001, 0.001), files)
    return pd.concat([pd.read_parquet(file) for file in files.values()], ignore_index=True)


def pairs(months: Mapping[int, pd.DataFrame]) -> Iterator[tuple[str, Pair]]:
    """Samples by what they are: halves of one month in time, of its days, of its rows; months half a year apart."""
    rng = np.random.default_rng(0)
    for number, rows in months.items():
        day = rows["event_timestamp"].dt.dayofyear
        early = day < day.median()
        yield NOTHING[0], (rows[early], rows[~early])
        for _ in range(SPLITS):
            chosen = day.isin(rng.choice(day.unique(), day.nunique() // 2, replace=False))
            yield NOTHING[1], (rows[chosen], rows[~chosen])
            chosen = pd.Series(rng.random(len(rows)) < 0.5, rows.index)
            yield NOTHING[2], (rows[chosen], rows[~chosen])
        opposite = (number + 5) % 12 + 1
        season = SEASON[0] if {number, opposite} & set(WINTER) else SEASON[1]
        yield season, (rows, months[opposite])


def plain(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Whether any column's test, with rows taken for independent, is below 5 % after Bonferroni's correction."""
    level = 0.05 / (len(NUMERIC) + len(CATEGORICAL))
    numbers = (ks_2samp(first[name].dropna(), second[name].dropna()).pvalue for name in NUMERIC)
    tables = (pd.crosstab(pd.concat([first, second])[name].fillna("").to_numpy(object),
                          np.repeat([0, 1], [len(first), len(second)])) for name in CATEGORICAL)  # fmt: skip
    return any(p < level for p in numbers) or any(chi2_contingency(table).pvalue < level for table in tables)


if __name__ == "__main__":
    main(measure)
