"""Source files of feature views as people write them, read with times in UTC (`source_checks` says which it takes).

Times may be timestamps of any unit, with a zone or without (then UTC), dates, or ISO text; rows without a time or
without a key are never anybody's value. pandas writes nanoseconds, and floats for integer keys of which one is missing.
"""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
from feast import FeatureView, Field
from feast.data_source import DataSource
from feast.errors import FeastError
from feast.infra.offline_stores.duckdb import _read_data_source
from feast.infra.offline_stores.file_source import FileSource
from ibis.expr import datatypes
from ibis.expr.types import Table, Value

IN_UTC = datatypes.Timestamp(timezone="UTC")
EXACT = 2**53  # from here on a float no longer tells whole numbers apart
LARGEST = 2**63 - 1  # of INT64
LIBRARY_ERRORS = (
    *(FeastError, ibis.common.exceptions.IbisError, duckdb.Error, pa.ArrowException),
    *(ValueError, TypeError, KeyError, AttributeError, OverflowError, AssertionError, OSError),
)  # what Feast, Ibis, DuckDB and Arrow end in on data that they do not take


def read(source: DataSource, repository: str, keys: Sequence[str] = ()) -> Table:
    """The rows of a source that have a time and all `keys`: times in UTC to the microsecond, no decimals."""
    table = _read_data_source(source, repository)
    times = [name for name in (source.timestamp_field, source.created_timestamp_column) if name]
    changed = {name: table[name].cast(IN_UTC) for name in times}
    changed |= {name: _number(table[name]) for name in table.columns if table[name].type().is_decimal()}
    table = table.mutate(**changed)
    for name in (source.timestamp_field, *keys):
        table = table.filter(known(table[name]))
    floats = [name for name in keys if table[name].type().is_floating()]
    whole = {name: table[name].cast("int64") for name in floats if _is_whole(table[name], EXACT)}
    return table.mutate(**whole) if whole else table


def columns(view: FeatureView, fields: Sequence[Field]) -> list[str]:
    """What a view's fields are called in its source."""
    originals = {new: old for old, new in view.batch_source.field_mapping.items()}
    return [originals.get(field.name, field.name) for field in fields]


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


def known(value: Value) -> Value:
    """Whether it is there; in floats NaN is missing, too.

    By its text: DuckDB 2.0 concludes from a file's statistics, which leave NaN out, that ISNAN is false.
    """
    there = value.notnull()
    return there & (value.cast("string") != "nan") if value.type().is_floating() else there


def _number(value: Value) -> Value:
    """A decimal as an integer where its type has no fraction and it is none of INT64's outliers, else as a float."""
    return value.cast("int64" if value.type().scale == 0 and _is_whole(value, LARGEST) else "float64")


def _is_whole(value: Value, largest: int) -> bool:
    """Whether all are integers up to `largest`: pandas' form of integers of which one was missing is floats."""
    return bool(((value % 1 == 0) & value.between(-largest, largest)).all().execute())
