"""A project of two small feature views, `a` with a price and `b` with a stock, whose data a test sets as it wants."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float32
from seaway.features import FeatureProject

ROWS, SHOPS = 200, 5
TIMES = pd.Series(pd.date_range("2024-03-30", periods=ROWS, freq="30min", tz="UTC").astype("datetime64[us, UTC]"))
NAMES = [f"s{row % SHOPS}" for row in range(ROWS)]
A = pd.DataFrame({"shop": NAMES, "t": TIMES, "price": [float(row) for row in range(ROWS)]})
B = pd.DataFrame({"shop": NAMES, "t": TIMES, "stock": [float(row % 7) for row in range(ROWS)]})
AT = TIMES + pd.Timedelta("1h")
SOLD = [row % 2 for row in range(ROWS)]
ENTITIES = pd.DataFrame({"shop": NAMES, "event_timestamp": AT, "label_timestamp": AT, "sold": SOLD})
PROJECT: FeatureProject  # set by a test: `monkeypatch.setattr(small_features, "PROJECT", project(...), raising=False)`


def project(
    a: Any = A,
    b: Any = B,
    entities: Any = ENTITIES,
    ttl: timedelta = timedelta(hours=6),
    key: ValueType = ValueType.STRING,
) -> FeatureProject:
    """Sources are data frames, or Arrow tables where pandas has no such type."""
    shop = Entity(name="shop", join_keys=["shop"], value_type=key)
    views = [
        FeatureView(
            name=name,
            entities=[shop],
            ttl=ttl,
            schema=[Field(name=column, dtype=Float32)],
            source=FileSource(path=f"sources/{name}.parquet", timestamp_field="t"),
        )
        for name, column in (("a", "price"), ("b", "stock"))
    ]
    service = FeatureService(name="all", features=views)
    return FeatureProject(
        "small",
        "all",
        [shop, *views, service],
        _writer({"a": a, "b": b}),
        lambda tables: _table(entities),
        label="sold",
        numeric=["price", "stock"],
        categorical=[],
        keep=["shop"],
    )


def _writer(frames: dict[str, Any]) -> Callable[[Any, Any], None]:
    def write(tables: Any, sources: Any) -> None:
        for name, frame in frames.items():
            pq.write_table(_table(frame), sources / f"{name}.parquet")

    return write


def _table(frame: Any) -> pa.Table:
    return frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
