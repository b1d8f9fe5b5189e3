"""Runs that Neptune's exporter wrote: Parquet files of a project's folder, and the files that they name.

Its README (Apache-2.0, the schema's table) is the source: a row an attribute or a point of a series, typed columns, and
`RUN_part_N.parquet`, of which part 0 is written last.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet as pq

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.tracking.tracked import Point, TrackedRun

PART = re.compile(r"(?P<run>.+)_part_(?P<part>\d+)\.parquet")
ONE_VALUE = ("float", "int", "string", "bool", "datetime", "string_set")
FILES = ("file", "file_series", "file_set", "artifact")
SERIES = ("string_series", "histogram_series")
NEEDED = ("project_id", "run_id", "attribute_path", "attribute_type", "step", "timestamp")
FINEST = 6  # digits of a step behind the point
Row = dict[str, Any]


def neptune_runs(data: Path, files: Path, kept: Path) -> Iterator[TrackedRun]:
    """The runs of an export, one after another.

    Args:
        data: The exporter's `--data-path`.
        files: Its `--files-path`.
        kept: A folder for what MLflow keeps as files: series of texts and of histograms, a JSON line each value.

    Raises:
        DataUnreadable: there are no runs, parts are missing, or a file that a run names is.
        InvalidSpec: a run names a file outside `files`, or has an attribute of a kind that is not known.
    """
    parts = _parts(data)
    if not parts:
        raise DataUnreadable(f"{data} has no runs of Neptune's exporter: no RUN_part_0.parquet in a project's folder.")
    for number, (run, found) in enumerate(parts.items()):
        yield _read(run, found, files.resolve(), kept / str(number))


def _parts(data: Path) -> dict[str, list[Path]]:
    """The parts of each run in their order, by the run's path without its parts."""
    found: dict[str, dict[int, Path]] = defaultdict(dict)
    for path in sorted(data.glob("*/*.parquet")):
        if named := PART.fullmatch(path.name):
            found[str(path.parent / named["run"])][int(named["part"])] = path
    for run, parts in found.items():
        if sorted(parts) != list(range(len(parts))):
            raise DataUnreadable(f"The export of {run} is not whole: it has the parts {sorted(parts)}. Export it anew.")
    return {run: [parts[number] for number in sorted(parts)] for run, parts in found.items()}


def _read(name: str, parts: Sequence[Path], files: Path, kept: Path) -> TrackedRun:
    rows = [row for part in parts for row in _rows(part)]
    if not rows:
        raise DataUnreadable(f"The export of {name} has no rows. Export it anew.")
    by_kind: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_kind[_known(row)].append(row)
    scale = _scale(rows)
    run, project = rows[0]["run_id"], rows[0]["project_id"]
    tags = {"neptune.project": project, "neptune.run": run}
    return TrackedRun(
        key=f"{project}/{run}",
        name=run,
        experiment=project,
        params={row["attribute_path"]: _text(row) for kind in ONE_VALUE for row in by_kind[kind]},
        tags=tags if scale == 1 else tags | {"neptune.step_multiplier": str(scale)},
        points=[_point(row, scale) for row in by_kind["float_series"]],
        files={**_named(by_kind, files), **_series(by_kind, kept)},
    )


def _rows(part: Path) -> list[Row]:
    try:
        table = pq.read_table(part)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataUnreadable(f"{part} cannot be read: {error}. Export its run anew.") from error
    if missing := [name for name in NEEDED if name not in table.column_names]:
        raise DataUnreadable(f"{part} lacks the columns {missing}, which Neptune's exporter writes.")
    rows: list[Row] = table.to_pylist()
    return rows


def _known(row: Row) -> str:
    kind = str(row["attribute_type"])
    if kind not in (*ONE_VALUE, *FILES, *SERIES, "float_series"):
        raise InvalidSpec(f"{row['run_id']} has {row['attribute_path']!r} of the kind {kind!r}, which is not known.")
    return kind


def _scale(rows: Sequence[Row]) -> int:
    """By what the run's steps are multiplied so that all are whole, a power of ten."""
    steps = {Decimal(row["step"]) for row in rows if row["step"] is not None}
    scales = (int(10**digits) for digits in range(FINEST))
    return next((scale for scale in scales if all((step * scale) % 1 == 0 for step in steps)), int(10**FINEST))


def _text(row: Row) -> str:
    value = row[f"{row['attribute_type']}_value"]
    if isinstance(value, list):
        return ",".join(sorted(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _step(row: Row, scale: int) -> int:
    return int(Decimal(row["step"] or 0) * scale)


def _point(row: Row, scale: int) -> Point:
    time_ms = int(row["timestamp"].timestamp() * 1000) if row["timestamp"] else 0
    return Point(row["attribute_path"], float(row["float_value"]), _step(row, scale), time_ms)


def _named(by_kind: dict[str, list[Row]], files: Path) -> dict[str, Path]:
    """The files that rows name, by attribute, step where it has one, and their paths below it."""
    found: dict[str, Path] = {}
    for row in (row for kind in FILES for row in by_kind[kind]):
        step = "" if row["step"] is None else f"/step_{row['step'].normalize():f}"
        path = _inside(row, files)
        every = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        below = path if path.is_dir() else path.parent
        for one in every:
            found[f"files/{row['attribute_path']}{step}/{one.relative_to(below)}"] = _within(row, one, files)
    return found


def _inside(row: Row, files: Path) -> Path:
    path = _within(row, files / (row["file_value"] or {}).get("path", ""), files)
    if not path.exists():
        raise DataUnreadable(f"{row['run_id']} names {path} as {row['attribute_path']!r}, which is missing.")
    return path


def _within(row: Row, path: Path, files: Path) -> Path:
    if not path.resolve().is_relative_to(files):
        raise InvalidSpec(f"{row['run_id']} names a file outside {files} as {row['attribute_path']!r}: {path}.")
    return path


def _series(by_kind: dict[str, list[Row]], kept: Path) -> dict[str, Path]:
    """Series that are no numbers, a file of JSON lines each: step, time, value."""
    lines: dict[str, list[str]] = defaultdict(list)
    for row in (row for kind in SERIES for row in by_kind[kind]):
        value = row["string_value"] if row["attribute_type"] == "string_series" else row["histogram_value"]
        time = row["timestamp"].isoformat() if row["timestamp"] else None
        step = None if row["step"] is None else float(row["step"])
        lines[row["attribute_path"]].append(json.dumps({"step": step, "time": time, "value": value}))
    kept.mkdir(parents=True, exist_ok=True)
    found = {}
    for number, (name, texts) in enumerate(lines.items()):
        found[f"series/{name}.jsonl"] = kept / f"{number}.jsonl"
        (kept / f"{number}.jsonl").write_text("\n".join(texts) + "\n")
    return found
