"""How raw tables and training examples are shown: rows by month and outcome, features by how they separate."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.errors import DataUnreadable
from seaway.reporting import charts
from seaway.reporting.page import Block, Figure, Figures, Fold, Table, Text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Numbers = npt.NDArray[np.float64]

SHOWN = 6  # features drawn; the others are in the table
BINS = 24
SPAN = 0.01, 0.99  # quantiles between which a feature is drawn; a few extremes would flatten the rest


@dataclass(frozen=True)
class Subject:
    """What the examples are about: the table that they come from and its columns of time, outcome and label.

    `outcome` says why a row has no label (cancelled, diverted).
    """

    table: str = "flights"
    time: str = "scheduled_departure"
    outcome: str = "status"
    label: str = "late"


def table_rows(tables: Path) -> dict[str, int]:
    """Rows of each Parquet file in a folder, by table name."""
    from pyarrow import ArrowInvalid, parquet

    try:
        return {file.stem: parquet.read_metadata(file).num_rows for file in sorted(tables.glob("*.parquet"))}
    except (OSError, ArrowInvalid) as error:
        raise DataUnreadable(f"A table in {tables} is no readable Parquet file ({error}); ingest it anew.") from error


def data_blocks(tables: Path, subject: Subject) -> list[Block]:
    """Rows of each table, and the subject's rows by month and outcome; a month without rows is named."""
    rows = table_rows(tables)
    blocks: list[Block] = [Table(["table", "rows"], list(rows.items()))]
    months = _months(tables / f"{subject.table}.parquet", subject)
    figure = _months_figure(months, subject)
    return [Figures([figure]), *blocks] if figure else blocks


def _months(file: Path, subject: Subject) -> dict[str, dict[str, int]]:
    """Rows by outcome and month: `{outcome: {month: rows}}`."""
    import duckdb

    label = _quoted(subject.label)
    query = f"""
        SELECT CASE {label} WHEN 1 THEN ? WHEN 0 THEN ? ELSE {_quoted(subject.outcome)}::VARCHAR END AS outcome,
            strftime({_quoted(subject.time)}, '%Y-%m') AS month, count(*) AS rows
        FROM read_parquet(?) GROUP BY ALL ORDER BY rows DESC
    """  # noqa: S608 - identifiers are quoted
    found: dict[str, dict[str, int]] = {}
    try:
        with duckdb.connect() as database:
            database.execute("SET TimeZone = 'UTC'")
            values = [subject.label, f"not {subject.label}", str(file)]
            for outcome, month, count in database.execute(query, values).fetchall():
                found.setdefault(outcome or "unknown", {})[month] = count
    except (duckdb.IOException, duckdb.BinderException, duckdb.InvalidInputException) as error:
        raise DataUnreadable(f"{file} cannot be shown by month: {error}") from error
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _months_figure(found: Mapping[str, Mapping[str, int]], subject: Subject) -> Figure | None:
    seen = sorted({month for counts in found.values() for month in counts})
    if not seen:
        return None
    months = _every_month(seen[0], seen[-1])
    parts = {outcome: [counts.get(month, 0) for month in months] for outcome, counts in found.items()}
    alt = f"{subject.table} by month. " + "; ".join(f"{name}: {sum(counts):,}" for name, counts in parts.items())
    empty = [month for month in months if month not in seen]
    caption = " ".join(
        [
            f"{', '.join(f'{sum(counts):,} {name}' for name, counts in parts.items())}; months in UTC.",
            f"No rows in {', '.join(empty)}." if empty else "",
        ]
    )
    return Figure(charts.columns(months, parts, "rows", alt), f"{subject.table.capitalize()} by month", caption)


def _every_month(first: str, last: str) -> list[str]:
    """The months from `first` to `last`, both included, as `2013-01`."""
    places = [12 * int(year) + int(month) - 1 for year, month in (end.split("-") for end in (first, last))]
    return [f"{place // 12}-{place % 12 + 1:02}" for place in range(places[0], places[1] + 1)]


def feature_blocks(views: Mapping[str, int], train: Path, signature: Mapping[str, Any], label: str) -> list[Block]:
    """The feature views, the features that separate best on their own, and a table of all.

    `views` maps a feature view to the rows of its source.
    """
    from seaway.storage.arrow_numpy import numbers

    rows = _read(train, {label, *(spec["name"] for spec in signature["inputs"])})
    inputs = [spec for spec in signature["inputs"] if spec["name"] in rows.column_names]
    labels = numbers(rows[label])
    described = sorted((_described(rows, spec, labels) for spec in inputs), key=_strength, reverse=True)
    drawn = [item for item in described if item["auc"] is not None and item["distinct"] > SHOWN][:SHOWN]
    figures = [_feature_figure(numbers(rows[item["name"]]), item, labels, label) for item in drawn]
    headers = ["feature", "unit", "distinct values", "missing", "mean", "ROC AUC alone"]
    table = [_feature_row(item) for item in described]
    return [
        Text(
            f"{len(inputs)} inputs for {rows.num_rows:,} training rows, each as it was known at the time of "
            "prediction. The figures show those that separate best on their own; each curve is scaled to its own rows."
        ),
        *([Figures(figures)] if figures else []),
        Fold("Feature views", [Table(["view", "source rows"], list(views.items()))]),
        Fold("All inputs", [Table(headers, table, align="llrrrr")]),
    ]


def _read(file: Path, columns: Collection[str]) -> "pa.Table":
    """Those of `columns` that the file has."""
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as opened:
            return opened.read([name for name in opened.schema_arrow.names if name in columns])
    except (OSError, ValueError) as error:
        raise DataUnreadable(f"{file} is no readable Parquet file ({error}); run the step that writes it.") from error


def _described(rows: "pa.Table", spec: Mapping[str, Any], labels: "Numbers") -> dict[str, Any]:
    from seaway.storage.arrow_numpy import numbers

    described = {"name": spec["name"], "unit": spec.get("unit", "")}
    if spec["datatype"] == "BYTES":
        values = rows[spec["name"]]
        missing = values.null_count / len(values)
        return described | {"distinct": len(values.drop_null().unique()), "missing": missing, **UNMEASURED}
    return described | _measured(numbers(rows[spec["name"]]), labels)


UNMEASURED = {"mean": None, "auc": None}


def _measured(values: "Numbers", labels: "Numbers") -> dict[str, Any]:
    import numpy as np

    known = ~np.isnan(values)
    if not known.any():
        return {"distinct": 0, "missing": 1.0, **UNMEASURED}
    negatives, positives = (np.sort(values[known & (labels == label)]) for label in (0, 1))
    return {
        "distinct": len(np.unique(values[known])),
        "missing": float(1 - known.mean()),
        "mean": float(values[known].mean()),
        "auc": _alone(negatives, positives),
    }


def _alone(negatives: "Numbers", positives: "Numbers") -> float | None:
    """ROC AUC of one number as the score, from its sorted values in either class.

    It is the share of pairs in order, ties counting half (Hanley and McNeil 1982).
    """
    import numpy as np

    if not len(positives) or not len(negatives):
        return None
    below, not_above = (np.searchsorted(negatives, positives, side) for side in ("left", "right"))
    return float((below + not_above).mean() / (2 * len(negatives)))


def _strength(item: Mapping[str, Any]) -> float:
    return abs(item["auc"] - 0.5) if item["auc"] is not None else -1.0


def _feature_row(item: Mapping[str, Any]) -> list[Any]:
    auc = None if item["auc"] is None else f"{item['auc']:.3f}"
    return [item["name"], item["unit"], item["distinct"], f"{item['missing']:.1%}", item["mean"], auc]


def _feature_figure(values: "Numbers", item: Mapping[str, Any], labels: "Numbers", label: str) -> Figure:
    import numpy as np

    name = item["name"]
    low, high = np.nanquantile(values, SPAN)
    edges = np.linspace(low, high, BINS + 1)
    parts = {title: values[labels == value] for title, value in ((f"not {label}", 0), (label, 1))}
    counts = {title: np.histogram(part, edges)[0].tolist() for title, part in parts.items()}
    means = {title: np.nanmean(part) for title, part in parts.items()}
    alt = f"Distribution of {name}: mean " + ", ".join(f"{mean:.3g} where {title}" for title, mean in means.items())
    unit = f" ({item['unit']})" if item["unit"] not in ("", "1") else ""
    caption = f"ROC AUC alone {item['auc']:.3f}; missing in {item['missing']:.1%} of the rows."
    return Figure(charts.histogram(edges.tolist(), counts, f"{name}{unit}", alt), name, caption)


def learning_blocks(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> list[Block]:
    """Loss and validation figures by epoch, for each training; `histories` are the objects of `history.jsonl`."""
    drawn = {"validation_loss": "Validation loss", "validation_auc": "Validation ROC AUC"}
    figures = [_history_figure(histories, key, title) for key, title in drawn.items()]
    rows = [_history_row(name, history) for name, history in histories.items() if history]
    headers = ["training", "epochs", "best epoch", "training loss", "validation loss", "validation ROC AUC", "seconds"]
    return [Figures([figure for figure in figures if figure]), Table(headers, rows, align="lrrrrrr")]


def _history_figure(histories: Mapping[str, Sequence[Mapping[str, float]]], key: str, title: str) -> Figure | None:
    lines = [
        charts.Series(name, [entry["epoch"] for entry in history], [entry[key] for entry in history])
        for name, history in histories.items()
        if history and all(key in entry for entry in history)
    ]
    if not lines:
        return None
    alt = f"{title} by epoch: " + "; ".join(f"{line.name} ends at {line.y[-1]:.4f}" for line in lines)
    return Figure(charts.lines(lines, "epoch", "", alt), title)


def _history_row(name: str, history: Sequence[Mapping[str, float]]) -> list[Any]:
    best = min(history, key=lambda entry: entry.get("validation_loss", float("inf")))
    figures = [f"{best[key]:.4f}" if key in best else None for key in ("loss", "validation_loss", "validation_auc")]
    seconds = sum(entry.get("seconds", 0.0) for entry in history)
    return [name, len(history), int(best["epoch"]), *figures, f"{seconds:.1f}"]
