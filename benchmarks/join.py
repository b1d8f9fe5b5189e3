"""The point-in-time join: the ASOF store beside Feast's own stores, on all flights of the year."""

import os
import tempfile
import time
import warnings
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from seaway.data import ingest
from seaway.features import build

from benchmarks import Row, main

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from feast import FeatureStore

SOURCE = "seaway_examples.flights.source:read_tables"
DEFINITIONS = "seaway_examples.flights.definitions:PROJECT"
OURS, DUCKDB, FILE = "seaway.features.asof_store.AsofOfflineStore", "duckdb", "file"
ONE_VIEW = ["weather:temp", "weather:wind_speed", "weather:precip"]
REPEATS = 3
SAME = "same rows"
NO_GOAL = "none stated"  # the goal of ten times is for all flights beside the DuckDB store
SOME = 8000  # flights for all seven views, which Feast joins with each flight's whole history
FEW = 1000  # flights for Feast's default store, whose time and memory grow with rows times history


def measure() -> list[Row]:
    """Rows a second of each store, on the same entity rows; ours is the median of three."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        year = _prepare(Path(folder) / "year", {})
        some = _prepare(Path(folder) / "some", {"rows": SOME})
        few = _prepare(Path(folder) / "few", {"rows": FEW})
        return [
            _compare("join, one view, the year", DUCKDB, year, ONE_VIEW, ">= 10x"),
            _compare("join, all 7 views, 8,000 flights", DUCKDB, some, None, NO_GOAL),
            _compare("join, one view, few rows", FILE, few, ONE_VIEW, NO_GOAL),
        ]


def _prepare(folder: Path, options: dict[str, object]) -> Path:
    ingest(SOURCE, options, folder / "tables")
    build(folder / "tables", DEFINITIONS, folder / "repository", online=False)
    return folder


def _flights(tables: Path) -> "pd.DataFrame":
    columns = "flight_id, carrier, origin, dest, tailnum, scheduled_departure AS event_timestamp"
    return duckdb.read_parquet(str(tables / "flights.parquet")).project(columns).df()


def _compare(name: str, other: str, folder: Path, features: Sequence[str] | None, goal: str) -> Row:
    rows = _flights(folder / "tables")
    with chdir(folder / "repository"):  # Feast's DuckDB store takes relative paths from here
        ours, seconds = _run(OURS, rows, features, REPEATS)
        theirs, other_seconds = _run(other, rows, features, 1)
    difference = _difference(ours, theirs)
    if other == DUCKDB and difference != SAME:
        raise AssertionError(f"{name}: Feast's {other} store {difference}; the stores must agree.")
    note = f"{len(rows):,} rows; Feast's {other} store: {difference}"
    return Row(name, len(rows) / seconds, len(rows) / other_seconds, "rows/s", goal, "higher", note)


def _run(kind: str, rows: "pd.DataFrame", features: Sequence[str] | None, repeats: int) -> "tuple[pa.Table, float]":
    store = _open(kind)
    wanted = list(features) if features else store.get_feature_service("arrival_delay")
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        table = store.get_historical_features(rows.copy(), wanted).to_arrow()
        times.append(time.perf_counter() - start)
    return table, sorted(times)[len(times) // 2]


def _open(kind: str) -> "FeatureStore":
    import yaml
    from feast import FeatureStore
    from feast.repo_config import RepoConfig

    config = yaml.safe_load(Path("feature_store.yaml").read_text())
    return FeatureStore(config=RepoConfig(**{**config, "offline_store": {"type": kind}}, repo_path=Path.cwd()))


def _difference(ours: "pa.Table", theirs: "pa.Table") -> str:
    if ours.num_rows != theirs.num_rows:
        return f"loses {ours.num_rows - theirs.num_rows:,} rows"
    order = [("flight_id", "ascending")]
    theirs = theirs.select(ours.column_names)
    return SAME if ours.sort_by(order).equals(theirs.sort_by(order)) else "gives other values or types"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(measure)
