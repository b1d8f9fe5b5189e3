"""Train/serve skew: whether the features that were served are those that training would have seen.

The log of served features is Parquet, a row a request: the keys that name the row, the model's inputs as they were
sent, and, where known, `version` and `prediction`. The same rows are made again by the feature repository, as they are
for training, and the two are compared value by value.
"""

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.storage import atomic_path, storage_for, write_json

if TYPE_CHECKING:
    import pandas as pd

    from seaway.reporting import Page

SKEW_FILE, PAGE_FILE = "skew.json", "skew.html"
RELATIVE = 1e-5  # float32 keeps 7 digits; JSON and an addition in another order may cost one or two of them
ANSWER = ("version", "prediction")  # columns of the log that are no inputs
SHOWN = 5  # examples of a skewed feature


@dataclass
class FeatureLog:
    """Keeps served features in memory and writes them as one Parquet file; a server appends, a sink flushes.

    Args:
        folder: Where the files go, one a flush.
        keys: Names of the columns that name a row.
    """

    folder: Path
    keys: Sequence[str]
    _rows: list[dict[str, Any]] = field(default_factory=list)

    def append(self, key: Mapping[str, Any], inputs: Mapping[str, Any], version: str, prediction: float) -> None:
        """Keep one request. Raises: InvalidSpec where `key` names a row otherwise than the log does."""
        if set(key) != set(self.keys):
            raise InvalidSpec(f"A row is named by {', '.join(self.keys)}; given were {', '.join(key)}.")
        self._rows.append({**key, **inputs, "version": version, "prediction": prediction})

    def flush(self) -> Path | None:
        """Write what has been kept and begin anew; the file, or None where there was nothing."""
        import pyarrow as pa
        from pyarrow import parquet

        if not self._rows:
            return None
        rows, self._rows = self._rows, []
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / f"{len(list(self.folder.glob('*.parquet'))):08d}.parquet"
        with atomic_path(target) as draft:
            parquet.write_table(pa.Table.from_pylist(rows), draft, compression="zstd")
        return target


@dataclass(frozen=True)
class FeatureSkew:
    """One feature: the share of rows whose value differs, and a few of them as (key, served, recomputed)."""

    name: str
    share: float
    examples: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class SkewReport:
    """Each feature, and how many logged rows could be made again."""

    features: Sequence[FeatureSkew]
    compared: int
    logged: int

    @property
    def skewed(self) -> list[str]:
        """Names of the features that differ, the most often differing first."""
        ordered = sorted(self.features, key=lambda feature: -feature.share)
        return [feature.name for feature in ordered if feature.share]

    @property
    def summary(self) -> str:
        """One line."""
        found = f"served otherwise than trained: {', '.join(self.skewed)}" if self.skewed else "no skew"
        return f"{found}, {self.compared:,} rows compared"

    def to_json(self) -> dict[str, Any]:
        """As in `skew.json`."""
        return {**asdict(self), "skewed": self.skewed, "summary": self.summary}


def check_skew(served: str, examples: Path, keys: Sequence[str], output: Path) -> SkewReport:
    """Compare the log at the URI `served` with examples; writes `skew.json` and `skew.html` into `output`.

    All columns of the log but its keys, `version` and `prediction` are features.

    Raises:
        DataUnreadable: see `skew`; or there is no log.
        StorageUnavailable: the log cannot be fetched.
    """
    import pandas as pd

    log = _fetched(served)
    features = [name for name in log.columns if name not in (*keys, *ANSWER)]
    report = skew(log, pd.read_parquet(examples), keys, features)
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / SKEW_FILE, report.to_json())
    _page(report).write(output / PAGE_FILE)
    return report


def _fetched(served: str) -> "pd.DataFrame":
    import pandas as pd

    with tempfile.TemporaryDirectory(prefix="seaway-served-") as folder:
        storage_for(served).download(served, Path(folder) / "log")
        files = sorted((Path(folder) / "log").glob("*.parquet"))
        if not files:
            raise DataUnreadable(f"{served} holds no Parquet files; see FeatureLog for what a log of requests is.")
        return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)


def _page(report: SkewReport) -> "Page":
    from seaway.reporting import Page, Table

    rows = [
        (feature.name, f"{feature.share:.1%}", *feature.examples[0]) for feature in report.features if feature.share
    ]
    page = Page("Train/serve skew", report.summary)
    page.section("Features", Table(("feature", "rows that differ", "row", "served", "recomputed"), rows))
    return page


def skew(
    served: "pd.DataFrame", recomputed: "pd.DataFrame", keys: Sequence[str], features: Sequence[str]
) -> SkewReport:
    """Compare served features with the same rows made again.

    Args:
        served: The log's rows.
        recomputed: Examples of `seaway.features.training_examples`.
        keys: Columns of both that name a row.
        features: Columns to compare: numbers to five digits, all else exactly; missing equals missing.

    Raises:
        DataUnreadable: a column is missing, a key is not unique, or no logged row is among the recomputed.
    """
    for which, rows in (("served", served), ("recomputed", recomputed)):
        if missing := [name for name in (*keys, *features) if name not in rows]:
            raise DataUnreadable(f"The {which} rows lack {', '.join(missing)}, so they cannot be compared.")
    if twice := int(recomputed.duplicated(list(keys)).sum()):
        raise DataUnreadable(f"{twice} recomputed rows share {', '.join(keys)} with another; name rows uniquely.")
    names = [*keys, *features]
    both = served[names].merge(recomputed[names], on=list(keys), suffixes=("|served", "|recomputed"))
    if both.empty:
        raise DataUnreadable(
            f"None of {len(served)} served rows is among the {len(recomputed)} recomputed ones by {', '.join(keys)}; "
            "ingest the time that was served."
        )
    return SkewReport([_compare(both, name, keys) for name in features], len(both), len(served))


def _compare(both: "pd.DataFrame", name: str, keys: Sequence[str]) -> FeatureSkew:
    served, recomputed = both[f"{name}|served"], both[f"{name}|recomputed"]
    differs = _differs(served, recomputed)
    shown = both[differs].head(SHOWN)
    examples = [
        ("/".join(str(row[key]) for key in keys), str(row[f"{name}|served"]), str(row[f"{name}|recomputed"]))
        for _, row in shown.iterrows()
    ]
    return FeatureSkew(name, float(differs.mean()), examples)


def _differs(served: "pd.Series[Any]", recomputed: "pd.Series[Any]") -> "pd.Series[bool]":
    import numpy as np
    import pandas as pd

    absent = served.isna() & recomputed.isna()
    if pd.api.types.is_numeric_dtype(recomputed):
        first, second = (pd.to_numeric(values, errors="coerce").to_numpy(float) for values in (served, recomputed))
        same = np.isclose(first, second, rtol=RELATIVE, atol=math.ulp(1.0))
    else:
        same = (served.astype("string").fillna("") == recomputed.astype("string").fillna("")).to_numpy(bool)
    return ~(pd.Series(same, served.index) | absent)
