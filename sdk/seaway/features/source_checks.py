"""Whether a source file has what its feature view declares, looked at before anything is built of it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from feast import FeatureView
from feast.types import PrimitiveFeastType
from ibis.expr.types import Table

from seaway.errors import FeaturesUnavailable
from seaway.features.sources import EXACT, IN_UTC, LARGEST, columns, known

TIMES = (pa.types.is_timestamp, pa.types.is_date, pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
NUMERIC = {"INT32", "INT64", "FLOAT32", "FLOAT64"}  # Feast's types by name
FIRST = datetime(1, 1, 1, tzinfo=UTC)  # of Python
WHOLE = {"INT32": 2**31 - 1, "INT64": LARGEST}  # and the largest


def check(view: FeatureView, repository: Path) -> None:
    """Refuse a source that its view cannot be built from. Raises: FeaturesUnavailable, with view and column."""
    file = repository / view.batch_source.path
    if not file.is_file():  # a folder, or elsewhere: Feast's own business
        return
    schema = pq.read_schema(file)
    times = [name for name in (view.batch_source.timestamp_field, view.batch_source.created_timestamp_column) if name]
    fields = [*view.entity_columns, *view.features]
    declared = dict(zip(columns(view, fields), (field.dtype for field in fields), strict=True))
    for name in (*times, *declared):
        _check_there(view, schema, name)
    rows = ibis.read_parquet(str(file))
    for name in times:
        _check_time(view, rows, schema, name)
    for name, kind in declared.items():
        _check_kind(view, schema.field(name), kind)
    for name, kind in declared.items():
        if _named(kind) in WHOLE:
            _check_whole(view, rows, name, _named(kind))


def _check_there(view: FeatureView, schema: pa.Schema, name: str) -> None:
    if (count := schema.names.count(name)) != 1:
        found = "has no column" if not count else f"has {count} columns"
        raise FeaturesUnavailable(
            f"The source of feature view {view.name} {found} {name}; it has: {', '.join(schema.names)}. "
            "Give each column that the view names once."
        )
    first = next(other for other in schema.names if other.lower() == name.lower())
    if first != name:  # DuckDB would take that one
        raise FeaturesUnavailable(
            f"The source of feature view {view.name} has columns {first} and {name}, which differ in case only; rename "
            "one of them."
        )


def _check_time(view: FeatureView, rows: Table, schema: pa.Schema, name: str) -> None:
    kind = _value_type(schema.field(name).type)
    if not any(is_kind(kind) for is_kind in TIMES):
        raise FeaturesUnavailable(
            f"Column {name} of feature view {view.name} holds {kind} and is to be its time; write timestamps in UTC."
        )
    time = rows[name].try_cast(IN_UTC)
    try:
        strange = rows.filter(rows[name].notnull() & (time.isnull() | (time < FIRST))).limit(1)
        found = strange.select(found=strange[name].cast("string"))["found"].execute()
    except duckdb.Error as error:  # seconds and milliseconds can be further away than microseconds
        raise FeaturesUnavailable(
            f"Column {name} of feature view {view.name} holds what is no time of the years 1 to 9999: {error}"
        ) from error
    if len(found):
        raise FeaturesUnavailable(
            f"Column {name} of feature view {view.name} holds {found.iloc[0]!r}, which is no time; write "
            "timestamps, or text such as 2024-03-30T12:00:00Z."
        )


def _check_whole(view: FeatureView, rows: Table, name: str, declared: str) -> None:
    """Refuse what would be cut off, or another number: 0.5, 2^40 as INT32, and floats of which several are one."""
    value, largest = rows[name], WHOLE[declared]
    if not value.type().is_numeric():
        return
    if value.type().is_floating():
        largest = min(largest, EXACT)
    fits = value.between(-largest - 1, largest)
    strange = rows.filter(known(value) & ~(fits if value.type().is_integer() else fits & (value % 1 == 0))).limit(1)
    found = strange[name].execute()
    if len(found):
        raise FeaturesUnavailable(
            f"Column {name} of feature view {view.name} holds {found.iloc[0]} as {value.type()}, which is no exact "
            f"{declared}, as it is declared; write whole numbers of that size, or declare another type."
        )


def _check_kind(view: FeatureView, field: pa.Field, declared: Any) -> None:
    kind, name = _value_type(field.type), _named(declared)
    allowed = NUMBERS if name in NUMERIC else TEXTS if name == "STRING" else ()
    if allowed and not any(is_kind(kind) for is_kind in allowed):
        raise FeaturesUnavailable(
            f"Column {field.name} of feature view {view.name} holds {kind} and is declared as {name}; make them one."
        )


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _named(declared: Any) -> str:
    return declared.name if isinstance(declared, PrimitiveFeastType) else ""
