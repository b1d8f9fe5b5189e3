"""Train/serve skew: whether the features that were served are those that training would have seen.

Servers log what they are sent (`seaway.serving.feature_log`), and a request's id names its row. The same rows are made
again by the feature repository, as they are for training, and the two are compared value by value.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.errors import DataUnreadable
from seaway.serving.feature_log import ANSWER, ID, read_log, row_id
from seaway.storage import write_json

if TYPE_CHECKING:
    import pandas as pd

    from seaway.reporting import Page

SKEW_FILE, PAGE_FILE = "skew.json", "skew.html"
RELATIVE = 1e-5  # float32 keeps 7 digits; JSON and an addition in another order may cost one or two of them
SHOWN = 5  # examples of a skewed feature
SERVED, RECOMPUTED = "|served", "|recomputed"  # after a feature's name


@dataclass(frozen=True)
class FeatureSkew:
    """One feature: the share of rows whose value differs, and a few of them as (id, served, recomputed)."""

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
        if not self.logged:
            return "requests are not logged"
        found = f"served otherwise than trained: {', '.join(self.skewed)}" if self.skewed else "no skew"
        return f"{found}, {self.compared:,} rows compared"

    def to_json(self) -> dict[str, Any]:
        """As in `skew.json`."""
        return {**asdict(self), "skewed": self.skewed, "summary": self.summary}


NOT_LOGGED = SkewReport((), compared=0, logged=0)


def check_skew(served: str, examples: Path, keys: Sequence[str], output: Path) -> SkewReport:
    """Compare the log at the URI `served` with examples; writes `skew.json` and `skew.html` into `output`.

    Args:
        served: Folder of one endpoint's log; empty where none is kept: nothing is compared.
        examples: Of `seaway.features.training_examples`, a Parquet file.
        keys: Columns of the examples whose values, joined by `/`, are a request's id.
        output: A folder, made where it is missing.

    Raises:
        DataUnreadable: see `skew`; or there is no log.
        StorageUnavailable: the log cannot be fetched.
    """
    import pandas as pd

    report = skew(read_log(served), _named(pd.read_parquet(examples), keys)) if served else NOT_LOGGED
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / SKEW_FILE, report.to_json())
    _page(report).write(output / PAGE_FILE)
    return report


def _named(examples: "pd.DataFrame", keys: Sequence[str]) -> "pd.DataFrame":
    if not keys or not set(keys) <= set(examples):
        raise DataUnreadable(
            f"Rows are named by the columns {list(keys)}; the examples have {', '.join(map(str, examples))}."
        )
    return examples.assign(**{ID: [row_id(values) for values in examples[list(keys)].itertuples(index=False)]})


def _page(report: SkewReport) -> "Page":
    from seaway.reporting import Page, Table

    rows = [
        (feature.name, f"{feature.share:.1%}", *feature.examples[0]) for feature in report.features if feature.share
    ]
    page = Page("Train/serve skew", report.summary)
    page.section("Features", Table(("feature", "rows that differ", "row", "served", "recomputed"), rows))
    return page


def skew(served: "pd.DataFrame", recomputed: "pd.DataFrame") -> SkewReport:
    """Compare served features with the same rows made again: numbers to five digits, all else exactly.

    Args:
        served: The log's rows; one without an id cannot be compared.
        recomputed: Rows with `id` and, among others, the log's features.

    Raises:
        DataUnreadable: a column is missing, an id is not unique, or no logged row is among the recomputed.
    """
    features = [str(name) for name in served if name not in ANSWER]
    if missing := [name for name in features if name not in recomputed]:
        raise DataUnreadable(f"The recomputed rows lack {', '.join(missing)}, so they cannot be compared.")
    if twice := int(recomputed.duplicated(ID).sum()):
        raise DataUnreadable(f"{twice} recomputed rows share an id with another; name rows by more keys.")
    known = served.dropna(subset=[ID])
    both = known.merge(recomputed[[ID, *features]], on=ID, suffixes=(SERVED, RECOMPUTED))
    if both.empty:
        raise DataUnreadable(
            f"None of {len(served)} served rows, {len(known)} of them with an id, is among the {len(recomputed)} "
            "recomputed ones: ingest the time that was served, and send the same keys as the requests' ids."
        )
    return SkewReport([_compare(both, name) for name in features], len(both), len(served))


def _compare(both: "pd.DataFrame", name: str) -> FeatureSkew:
    columns = [ID, name + SERVED, name + RECOMPUTED]
    differs = _differs(both[columns[1]], both[columns[2]])
    shown = both.loc[differs, columns].head(SHOWN).map(_told)
    examples = [(row, sent, made) for row, sent, made in shown.itertuples(index=False)]
    return FeatureSkew(name, float(differs.mean()), examples)


def _told(value: Any) -> str:
    """A value in an example; a file by its size and hash."""
    if not isinstance(value, bytes):
        return str(value)
    return f"{len(value)} bytes, SHA-256 {hashlib.sha256(value).hexdigest()[:12]}"


def _differs(served: "pd.Series[Any]", recomputed: "pd.Series[Any]") -> "pd.Series[bool]":
    import numpy as np
    import pandas as pd

    absent = served.isna() & recomputed.isna()
    if pd.api.types.is_numeric_dtype(recomputed):
        first, second = (pd.to_numeric(values, errors="coerce").to_numpy(float) for values in (served, recomputed))
        same = np.isclose(first, second, rtol=RELATIVE, atol=math.ulp(1.0))
    elif recomputed.map(lambda value: isinstance(value, bytes)).any():
        same = (served == recomputed).to_numpy(bool)
    else:
        same = (served.astype("string").fillna("") == recomputed.astype("string").fillna("")).to_numpy(bool)
    return ~(pd.Series(same, served.index) | absent)
