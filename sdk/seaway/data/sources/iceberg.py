"""A table of Apache Iceberg, as it is or as it was in one of its snapshots.

`ingest_tables(source="seaway.data.sources.iceberg:read", options={"table": "shop.orders", "snapshot": 6031})`

The catalog is one of `~/.pyiceberg.yaml` or of `PYICEBERG_CATALOG__NAME__URI` in the environment, where secrets belong.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seaway.data.version import versioned, with_version
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.extras import advice

if TYPE_CHECKING:
    import pyarrow as pa

LATEST = 0


def version_of(
    table: str,
    catalog: str = "default",
    properties: Mapping[str, str] | None = None,
    snapshot: int = LATEST,
    **_: object,
) -> str:
    """The table's id and that of its snapshot."""
    return _version(_opened(table, catalog, properties), snapshot)


@versioned(version_of)
def read(
    table: str,
    catalog: str = "default",
    properties: Mapping[str, str] | None = None,
    snapshot: int = LATEST,
    columns: Sequence[str] = (),
    where: str = "",
    name: str = "rows",
) -> "dict[str, pa.Table]":
    """The table's rows.

    Args:
        table: Namespace and name, such as `shop.orders`.
        catalog: Its name.
        properties: Of the catalog, such as `uri` and `warehouse`, beside those of the environment.
        snapshot: Its id; 0 for the latest.
        columns: That are read; none for all.
        where: Which rows, such as `amount > 10`; empty for all.
        name: What the table is to be called.

    Raises:
        DataUnreadable: there is no such catalog, table, snapshot or column, or one of its files is gone.
        InvalidSpec: what reads Iceberg is not installed.
    """
    found = _opened(table, catalog, properties)
    said = _version(found, snapshot)
    try:
        filtered = {"row_filter": where} if where else {}
        scan = found.scan(selected_fields=tuple(columns) or ("*",), snapshot_id=snapshot or None, **filtered)
        rows = scan.to_arrow()
    except Exception as error:
        raise DataUnreadable(f"{said} cannot be read: {_line(error)}") from error
    return {name: with_version(rows, said)}


def _opened(table: str, catalog: str, properties: Mapping[str, str] | None) -> Any:
    try:
        from pyiceberg.catalog import load_catalog
    except ImportError as error:
        raise InvalidSpec(f"Iceberg needs a package that is missing. {advice(error.name)}") from error
    try:
        return load_catalog(catalog, **(properties or {})).load_table(table)
    except Exception as error:
        raise DataUnreadable(f"The catalog {catalog!r} gives no table {table!r}: {_line(error)}") from error


def _version(found: Any, snapshot: int) -> str:
    """Raises: DataUnreadable: there is no such snapshot, or none yet."""
    kept = found.snapshot_by_id(snapshot) if snapshot else found.current_snapshot()
    if kept is None:
        wanted = f"snapshot {snapshot}" if snapshot else "snapshot yet"
        raise DataUnreadable(
            f"{'.'.join(found.name())} has no {wanted}; it has {[one.snapshot_id for one in found.snapshots()]}."
        )
    return f"iceberg {found.metadata.table_uuid}, snapshot {kept.snapshot_id}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
