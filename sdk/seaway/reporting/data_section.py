"""How raw tables and training examples are shown: rows by month and outcome, features by how they separate."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.errors import DataUnreadable
from seaway.reporting import charts
from seaway.reporting.label import Label, label_of, plain_number
from seaway.reporting.page import Block, Figure, Figures, Fold, Table, Text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Numbers = npt.NDArray[np.float64]

SHOWN = 6  # features drawn; the others are in the table
BINS = 24
SHORT = {"auc": "ROC AUC", "rmse": "RMSE", "r2": "R²"}
TIMES = ("event_timestamp", "label_timestamp")  # of each example
SPAN = 0.01, 0.99  # quantiles between which a feature is drawn; a few extremes would flatten the rest


@dataclass(frozen=True)
class Subject:
    """What the examples are about: the table that they come from and its columns of time, outcome and label.

    `outcome` says why a row has no label; each may be empty, and then what needs it is not shown.
    """

    table: str = ""
    time: str = ""
    outcome: str = ""
    label: str = ""


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
    if not (subject.table and subject.time):
        return blocks
    months = _months(tables / f"{subject.table}.parquet", subject)
    figure = _months_figure(months, subject)
    return [Figures([figure]), *blocks] if figure else blocks


def _months(file: Path, subject: Subject) -> dict[str, dict[str, int]]:
    """Rows by outcome and month: `{outcome: {month: rows}}`."""
    import duckdb

    outcome = f"{_quoted(subject.outcome)}::VARCHAR" if subject.outcome else "NULL"
    label = (
        f"CASE TRY_CAST({_quoted(subject.label)} AS DOUBLE) WHEN 1 THEN ? WHEN 0 THEN ? END" if subject.label else "?"
    )
    query = f"""
        SELECT coalesce({label}, {outcome}) AS outcome,
            strftime({_quoted(subject.time)}, '%Y-%m') AS month, count(*) AS rows
        FROM read_parquet(?) GROUP BY ALL ORDER BY rows DESC
    """  # noqa: S608 - identifiers are quoted
    found: dict[str, dict[str, int]] = {}
    try:
        with duckdb.connect() as database:
            database.execute("SET TimeZone = 'UTC'")
            words = [subject.label, f"not {subject.label}"] if subject.label else ["rows"]
            values = [*words, str(file)]
            for outcome, month, count in database.execute(query, values).fetchall():
                found.setdefault(outcome or "other rows", {})[month] = count
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


def feature_blocks(
    views: Mapping[str, int], train: Path, signature: Mapping[str, Any], label: str, positive: str = ""
) -> list[Block]:
    """The feature views, the features that tell most of the label on their own, and a table of all.

    `views` maps a feature view to the rows of its source, and is empty where there are none. `positive` is the value of
    the label that counts as one of two; empty where labels are 0 and 1.
    """
    from seaway.storage.arrow_numpy import numbers

    rows = _read(train, {label, *(spec["name"] for spec in signature["inputs"])})
    inputs = [spec for spec in signature["inputs"] if spec["name"] in rows.column_names]
    told = label_of(rows, label, positive)
    described = sorted((_described(rows, spec, told) for spec in inputs), key=_strength, reverse=True)
    drawn = [item for item in described if item["strength"] is not None and item["distinct"] > SHOWN][:SHOWN]
    figures = [_feature_figure(numbers(rows[item["name"]]), item, told) for item in drawn]
    headers = ["feature", "unit", "distinct values", "missing", "mean", told.measure]
    table = [_feature_row(item) for item in described]
    return [
        Text(
            f"{len(inputs)} inputs for {rows.num_rows:,} training rows, each as it was known at the time of "
            "prediction. The figures show those that tell most on their own; each curve is scaled to its own rows."
        ),
        *([Figures(figures)] if figures else []),
        *([Fold("Feature views", [Table(["view", "source rows"], list(views.items()))])] if views else []),
        Fold("All inputs", [Table(headers, table, align="llrrrr")]),
    ]


def inputs_of(train: Path, units: Mapping[str, str], label: str) -> list[dict[str, str]]:
    """What `feature_blocks` is told of the inputs: the columns that have a unit, or else all but label and times."""
    from pyarrow import ArrowInvalid, parquet

    try:
        columns = parquet.read_schema(train).names
    except (OSError, ArrowInvalid) as error:
        raise DataUnreadable(f"{train} is no readable Parquet file ({error}); run the step that writes it.") from error
    if missing := sorted({label, *units} - set(columns)):
        raise DataUnreadable(f"{train} lacks {', '.join(missing)}; it has {', '.join(columns)}.")
    names = units or [name for name in columns if name not in (label, *TIMES)]
    return [{"name": name, "datatype": "FP32", "unit": units.get(name, "")} for name in names]


def _read(file: Path, columns: Collection[str]) -> "pa.Table":
    """Those of `columns` that the file has."""
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as opened:
            return opened.read([name for name in opened.schema_arrow.names if name in columns])
    except (OSError, ValueError) as error:
        raise DataUnreadable(f"{file} is no readable Parquet file ({error}); run the step that writes it.") from error


def _described(rows: "pa.Table", spec: Mapping[str, Any], label: Label) -> dict[str, Any]:
    from seaway.storage.arrow_numpy import numbers

    described = {"name": spec["name"], "unit": spec.get("unit", "")}
    values = rows[spec["name"]]
    if spec["datatype"] == "BYTES" or not plain_number(values.type):
        missing = values.null_count / len(values)
        return described | {"distinct": len(values.drop_null().unique()), "missing": missing, **UNMEASURED}
    return described | _measured(numbers(values), label)


UNMEASURED = {"mean": None, "strength": None}


def _measured(values: "Numbers", label: Label) -> dict[str, Any]:
    import numpy as np

    known = ~np.isnan(values)
    if not known.any():
        return {"distinct": 0, "missing": 1.0, **UNMEASURED}
    return {
        "distinct": len(np.unique(values[known])),
        "missing": float(1 - known.mean()),
        "mean": float(values[known].mean()),
        "strength": label.strength(values[known], known),
    }


def _strength(item: Mapping[str, Any]) -> float:
    return abs(item["strength"][1]) if item["strength"] is not None else -1.0


def _feature_row(item: Mapping[str, Any]) -> list[Any]:
    shown = None if item["strength"] is None else f"{item['strength'][0]:.3f}"
    return [item["name"], item["unit"], item["distinct"], f"{item['missing']:.1%}", item["mean"], shown]


def _feature_figure(values: "Numbers", item: Mapping[str, Any], label: Label) -> Figure:
    import numpy as np

    name = item["name"]
    low, high = np.nanquantile(values, SPAN)
    edges = np.linspace(low, high, BINS + 1)
    parts = {title: values[rows] for title, rows in label.parts().items()}
    counts = {title: np.histogram(part, edges)[0].tolist() for title, part in parts.items()}
    means = {title: np.nanmean(part) for title, part in parts.items() if not np.isnan(part).all()}
    alt = f"Distribution of {name}: mean " + ", ".join(f"{mean:.3g} where {title}" for title, mean in means.items())
    unit = f" ({item['unit']})" if item["unit"] not in ("", "1") else ""
    caption = f"{label.measure} {item['strength'][0]:.3f}; missing in {item['missing']:.1%} of the rows."
    return Figure(charts.histogram(edges.tolist(), counts, f"{name}{unit}", alt), name, caption)


def origin_rows(origins: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """For each data that rows were made of: its version, and what read it in which version of its own."""
    return [[f"data {one['version']}", ", ".join(filter(None, (one["source"], one["read"])))] for one in origins]


def origin_blocks(origins: Sequence[Mapping[str, str]]) -> list[Block]:
    """Which data the training rows were made of, and how they are brought back."""
    how = "Where version_data has kept them, seaway data checkout @VERSION FOLDER brings them back."
    return [Table(["", "read by"], origin_rows(origins), align="ll"), Text(how)]


def learning_blocks(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> list[Block]:
    """Loss and validation figures by epoch, for each training; `histories` are the objects of `history.jsonl`."""
    entries = [entry for history in histories.values() for entry in history]
    drawn = dict.fromkeys(key for entry in entries for key in entry if key.startswith("validation_"))
    figures = [_history_figure(histories, key, _words(key)) for key in drawn]
    rows = [_history_row(name, history, ["loss", *drawn]) for name, history in histories.items() if history]
    headers = ["training", "epochs", "best epoch", "training loss", *(_words(key).lower() for key in drawn), "seconds"]
    return [
        Figures([figure for figure in figures if figure]),
        Table(headers, rows, align="l" + "r" * (len(headers) - 1)),
    ]


def _words(key: str) -> str:
    """`validation_auc` as Validation ROC AUC."""
    words = [SHORT.get(word, word) for word in key.split("_")]
    return " ".join([words[0].capitalize(), *words[1:]])


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


def _history_row(name: str, history: Sequence[Mapping[str, float]], keys: Sequence[str]) -> list[Any]:
    best = min(history, key=lambda entry: entry.get("validation_loss", float("inf")))
    figures = [f"{best[key]:.4f}" if key in best else None for key in keys]
    seconds = sum(entry.get("seconds", 0.0) for entry in history)
    return [name, len(history), int(best["epoch"]), *figures, f"{seconds:.1f}"]
