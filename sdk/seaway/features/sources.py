"""Source files of feature views as people write them: read with times in UTC, and checked against their view.

Times may be timestamps of any unit, with a zone or without (then UTC), dates, or ISO text; rows without a time or
without a key are never anybody's value. pandas writes nanoseconds, and floats for integer keys of which one is missing.
"""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from feast import FeatureView
from feast.data_source import DataSource
from feast.errors import FeastError
from feast.infra.offline_stores.duckdb import _read_data_source
from feast.infra.offline_stores.file_source import FileSource
from feast.types import PrimitiveFeastType
from ibis.expr import datatypes
from ibis.expr.types import Table

from seaway.errors import FeaturesUnavailable

UTC = datatypes.Timestamp(timezone="UTC")
TIMES = (pa.types.is_timestamp, pa.types.is_date, pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
NUMERIC = {"INT32", "INT64", "FLOAT32", "FLOAT64"}  # Feast's types by name
LIBRARY_ERRORS = (
    *(FeastError, ibis.common.exceptions.IbisError, duckdb.Error, pa.ArrowException),
    *(ValueError, TypeError, KeyError, AttributeError, OverflowError, AssertionError, OSError),
)  # what Feast, Ibis, DuckDB and Arrow end in on data that they do not take


def read(source: DataSource, repository: str, keys: Sequence[str] = ()) -> Table:
    """The rows of a source that have a time and all `keys`: times in UTC to the microsecond, no decimals."""
    table = _read_data_source(source, repository)
    times = [name for name in (source.timestamp_field, source.created_timestamp_column) if name]
    changed = {name: table[name].cast(UTC) for name in times}
    changed |= {name: table[name].cast("float64") for name in table.columns if table[name].type().is_decimal()}
    table = table.mutate(**changed)
    for name in (source.timestamp_field, *keys):
        table = table.filter(table[name].notnull())
    whole = {name: table[name].cast("int64") for name in keys if _is_whole(table, name)}
    return table.mutate(**whole) if whole else table


def located(source: DataSource, repository: Path | None) -> DataSource:
    """The source, its path taken from the repository's folder, as Feast does elsewhere."""
    if not isinstance(source, FileSource):
        return source
    absolute = copy.deepcopy(source)
    absolute.file_options.uri = FileSource.get_uri_for_file_path(repository, source.path)
    return absolute


def reader(keys: Sequence[str]) -> Callable[[DataSource, str], Table]:
    """`read` as Feast asks for it."""
    return lambda source, repository: read(source, repository, keys)


def _is_whole(table: Table, name: str) -> bool:
    """Whether a column of floats holds integers: pandas' form of integers of which one was missing."""
    if not table[name].type().is_floating():
        return False
    return bool((table[name] == table[name].round()).all().execute())


def check(view: FeatureView, repository: Path) -> None:
    """Refuse a source that its view cannot be built from. Raises: FeaturesUnavailable, with view and column."""
    file = repository / view.batch_source.path
    if not file.is_file():  # a folder, or elsewhere: Feast's own business
        return
    schema = pq.read_schema(file)
    renamed = {new: old for old, new in view.batch_source.field_mapping.items()}
    times = [name for name in (view.batch_source.timestamp_field, view.batch_source.created_timestamp_column) if name]
    declared = {renamed.get(field.name, field.name): field.dtype for field in (*view.entity_columns, *view.features)}
    for name in (*times, *declared):
        _check_there(view, schema, name)
    for name in times:
        _check_time(view, file, schema, name)
    for name, kind in declared.items():
        _check_kind(view, schema.field(name), kind)


def _check_there(view: FeatureView, schema: pa.Schema, name: str) -> None:
    if (count := schema.names.count(name)) != 1:
        found = "has no column" if not count else f"has {count} columns"
        raise FeaturesUnavailable(
            f"The source of feature view {view.name} {found} {name}; it has: {', '.join(schema.names)}. "
            "Give each column that the view names once."
        )


def _check_time(view: FeatureView, file: Path, schema: pa.Schema, name: str) -> None:
    kind = _value_type(schema.field(name).type)
    if not any(is_kind(kind) for is_kind in TIMES):
        raise FeaturesUnavailable(
            f"Column {name} of feature view {view.name} holds {kind} and is to be its time; write timestamps in UTC."
        )
    column = ibis.read_parquet(str(file))[name]
    strange = column.as_table().filter(column.notnull() & column.try_cast(UTC).isnull()).limit(1).execute()
    if len(strange):
        raise FeaturesUnavailable(
            f"Column {name} of feature view {view.name} holds {strange[name].iloc[0]!r}, which is no time; write "
            "timestamps, or text such as 2024-03-30T12:00:00Z."
        )


def _check_kind(view: FeatureView, field: pa.Field, declared: Any) -> None:
    kind, name = _value_type(field.type), declared.name if isinstance(declared, PrimitiveFeastType) else ""
    allowed = NUMBERS if name in NUMERIC else TEXTS if name == "STRING" else ()
    if allowed and not any(is_kind(kind) for is_kind in allowed):
        raise FeaturesUnavailable(
            f"Column {field.name} of feature view {view.name} holds {kind} and is declared as {name}; make them one."
        )


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
