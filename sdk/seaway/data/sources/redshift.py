"""Tables of Amazon Redshift, all of one moment; of a PostgreSQL too, so that a pipeline is tried without a warehouse.

`ingest_tables(source="seaway.data.sources.redshift:read", options={"database": "postgresql://reader@host:5439/shop",
"queries": {"orders": "SELECT * FROM orders"}, "unload": "s3://bucket/scratch"})`

A password is libpq's to find, in `PGPASSWORD` or `~/.pgpass`. Redshift has no snapshot that could be named, so a
version is that of the rows: what `version_data` calls them. A run therefore reads them each time.
"""

import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.data.ingestion import write_table
from seaway.data.sources import redshift_sql, unloaded
from seaway.data.sources.wire import Ask, one, transaction
from seaway.data.version import require_version, with_version, without_version
from seaway.data.versions import content_version
from seaway.errors import InvalidSpec
from seaway.storage import storage_for

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp

SYSTEM = "Redshift"
BEGIN = "BEGIN ISOLATION LEVEL SERIALIZABLE"
READ_ONLY = f"{BEGIN} READ ONLY"
SERVER = "SELECT version() AS said"


def read(
    database: str,
    queries: Mapping[str, str],
    after: Mapping[str, Mapping[str, Any]] | None = None,
    unload: str = "",
    role: str = redshift_sql.DEFAULT_ROLE,
    version: str = "",
) -> "dict[str, pa.Table]":
    """A table a query, all in one SERIALIZABLE transaction: what changes meanwhile is in none of them.

    Rows without ORDER BY, and all that are unloaded, come in the order of their columns: the same rows are the same
    table.

    Args:
        database: `postgresql://USER@HOST:5439/NAME`. A PostgreSQL is asked the same queries in its own dialect.
        queries: A SELECT in Redshift's SQL by the table's name.
        after: What was read before: by the table's name, a column and its greatest value. Only rows beyond it are read.
        unload: A folder of S3 that Redshift writes the rows to, as Parquet, and that is emptied when they are read;
            empty to have them over the connection, which is for what fits in memory twice.
        role: The ARN that Redshift writes as; `default` for that of the cluster.
        version: That the rows must have; empty for any.

    Raises:
        DataUnreadable: the warehouse does not answer, ends the connection, or refuses a query; what it unloaded is not
            whole; the rows have another version.
        InvalidSpec: the address is none, or has a password in it; a query is not one SELECT; `after` names none of
            them; `unload` is not on S3.
    """
    _check(queries, after or {}, unload)
    asked = {name: redshift_sql.query(text, name, (after or {}).get(name)) for name, text in queries.items()}
    begin = BEGIN if unload else READ_ONLY
    with transaction(database, begin, SYSTEM, copy=False) as ask:
        tables = _unloaded(ask, asked, unload, role) if unload else _over_the_wire(ask, asked)
    found = _version(tables)
    require_version(found, version, "What Redshift gave")
    return {name: with_version(table, found) for name, table in tables.items()}


def _check(queries: Mapping[str, str], after: Mapping[str, object], unload: str) -> None:
    if not queries:
        raise InvalidSpec(f"{SYSTEM} needs queries: a SELECT by the name of each table.")
    if strange := sorted(set(after) - set(queries)):
        raise InvalidSpec(f"`after` names {', '.join(strange)}, of which there is no query.")
    if unload and not unload.startswith("s3://"):
        raise InvalidSpec(f"Redshift unloads to s3://BUCKET/FOLDER, not to {unload}.")


def _over_the_wire(ask: Ask, asked: "Mapping[str, exp.Query]") -> "dict[str, pa.Table]":
    dialect = redshift_sql.REDSHIFT if SYSTEM in one(ask(SERVER)) else redshift_sql.POSTGRES
    read = {name: ask(query.sql(dialect)) for name, query in asked.items()}
    return {name: table if redshift_sql.ordered(asked[name]) else _sorted(table) for name, table in read.items()}


def _unloaded(ask: Ask, asked: "Mapping[str, exp.Query]", unload: str, role: str) -> "dict[str, pa.Table]":
    with _emptied(f"{unload.rstrip('/')}/{uuid.uuid4().hex}") as scratch:
        for name, query in asked.items():
            ask(redshift_sql.unload(query, f"{scratch}/{name}", role))
        return {name: _sorted(unloaded.read(f"{scratch}/{name}")) for name in asked}


@contextmanager
def _emptied(folder: str) -> Iterator[str]:
    try:
        yield folder
    finally:
        storage_for(folder).remove(folder)


def _sorted(table: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    try:
        return table.sort_by([(name, "ascending") for name in table.column_names])
    except pa.ArrowException as error:
        raise InvalidSpec(f"Rows cannot be put in order ({error}); give the query an ORDER BY.") from error


def _version(tables: "Mapping[str, pa.Table]") -> str:
    """As `version_data` calls the same tables."""
    with tempfile.TemporaryDirectory(prefix="seaway-data-") as folder:
        for name, table in tables.items():
            write_table(without_version(table), Path(folder) / f"{name}.parquet")
        return f"rows {content_version(Path(folder))}"
