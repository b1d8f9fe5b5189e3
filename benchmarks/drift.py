"""How often drift is found where there is none, and where there is: `python -m benchmarks.drift FOLDER`.

FOLDER gets the examples of the whole year. Alarms of Seaway's verdict stand beside those of a plain test a column
(Kolmogorov-Smirnov or chi-squared, Bonferroni) and of Evidently's distances alone (0.1 in half of the columns).
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp
from seaway.data import ingest
from seaway.features import SplitSpec, build, training_examples
from seaway.monitoring.drift import DriftSpec, compare
from seaway_examples.flights.schema import CATEGORICAL, NUMERIC

SPEC = DriftSpec(list(NUMERIC), CATEGORICAL, rows=10_000)
SPLITS = 4  # random ones of each month
Pair = tuple[pd.DataFrame, pd.DataFrame]


def year(folder: Path) -> pd.DataFrame:
    """All examples, in time order; built once."""
    files = {name: folder / f"{name}.parquet" for name in SplitSpec().fractions}
    if not all(file.exists() for file in files.values()):
        ingest("seaway_examples.flights.source:read_tables", {"months": "all"}, folder / "tables")
        build(folder / "tables", "seaway_examples.flights.definitions:PROJECT", folder / "repository", online=False)
        training_examples(folder / "repository", folder / "tables", SplitSpec(0.997, 0.001, 0.001, 0.001), files)
    return pd.concat([pd.read_parquet(file) for file in files.values()], ignore_index=True)


def pairs(months: dict[int, pd.DataFrame]) -> Iterator[tuple[str, Pair]]:
    """Samples by what they are: halves of one month in time, of its days, of its rows; months half a year apart."""
    rng = np.random.default_rng(0)
    for number, rows in months.items():
        day = rows["event_timestamp"].dt.dayofyear
        early = day < day.median()
        yield "halves of a month, in time", (rows[early], rows[~early])
        for _ in range(SPLITS):
            chosen = day.isin(rng.choice(day.unique(), day.nunique() // 2, replace=False))
            yield "halves of a month, random days", (rows[chosen], rows[~chosen])
            chosen = pd.Series(rng.random(len(rows)) < 0.5, rows.index)
            yield "halves of a month, random rows", (rows[chosen], rows[~chosen])
        yield "months half a year apart", (rows, months[(number + 5) % 12 + 1])


def plain(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Whether any column's test, with rows taken for independent, is below 5 % after Bonferroni's correction."""
    level = 0.05 / (len(NUMERIC) + len(CATEGORICAL))
    numbers = (ks_2samp(first[name].dropna(), second[name].dropna()).pvalue for name in NUMERIC)
    tables = (pd.crosstab(pd.concat([first, second])[name].fillna("").to_numpy(object),
                          np.repeat([0, 1], [len(first), len(second)])) for name in CATEGORICAL)  # fmt: skip
    return any(p < level for p in numbers) or any(chi2_contingency(table).pvalue < level for table in tables)


def main() -> None:
    rows = year(Path(sys.argv[1]))
    months = {number: part.sample(SPEC.rows, random_state=0).sort_index() for number, part in rows.groupby("month")}
    found: dict[str, list[tuple[bool, bool, bool]]] = {}
    for kind, (first, second) in pairs(months):
        report, _ = compare(first, second, SPEC)
        far = [column.distance > SPEC.effect for column in report.columns]
        found.setdefault(kind, []).append((report.alarm, plain(first, second), sum(far) >= 0.5 * len(far)))
    for kind, alarms in found.items():
        counts = np.sum(alarms, axis=0)
        print(f"{kind}: of {len(alarms)}, Seaway {counts[0]}, plain tests {counts[1]}, distances alone {counts[2]}")


if __name__ == "__main__":
    main()
