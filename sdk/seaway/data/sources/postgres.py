"""Tables of PostgreSQL, and of what speaks its wire protocol, all of one moment.

`ingest_tables(source="seaway.data.sources.postgres:read", options={"database": "postgresql://reader@db/shop",
"queries": {"orders": "SELECT * FROM orders", "customers": "SELECT * FROM customers"}})`

Rows come by COPY in binary, as Arrow. A password is libpq's to find, in `PGPASSWORD` or `~/.pgpass`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seaway.data.columns import quoted
from seaway.data.sources.wire import one, transaction
from seaway.data.version import versioned, with_version
from seaway.errors import InvalidSpec

if TYPE_CHECKING:
    import pyarrow as pa

SYSTEM = "PostgreSQL"
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
SNAPSHOT = "SELECT pg_current_snapshot()::text"


def version_of(database: str, **_: object) -> str:
    """The snapshot that a reader would see now: another one after each transaction that wrote anything."""
    with transaction(database, BEGIN, SYSTEM) as ask:
        return f"snapshot {one(ask(SNAPSHOT))}"


@versioned(version_of)
def read(
    database: str, queries: Mapping[str, str], after: Mapping[str, Mapping[str, Any]] | None = None
) -> "dict[str, pa.Table]":
    """A table a query, all in one REPEATABLE READ transaction: what changes meanwhile is in none of them.

    Args:
        database: `postgresql://USER@HOST/NAME`.
        queries: A SELECT by the table's name.
        after: What was read before: by the table's name, a column and its greatest value. Only rows beyond it are read.

    Raises:
        DataUnreadable: the database does not answer, ends the connection, or refuses a query.
        InvalidSpec: the address is none of PostgreSQL, or has a password in it; there is no query, or none of `after`.
    """
    if not queries:
        raise InvalidSpec(f"{SYSTEM} needs queries: a SELECT by the name of each table.")
    if strange := sorted(set(after or {}) - set(queries)):
        raise InvalidSpec(f"`after` names {', '.join(strange)}, of which there is no query.")
    wanted = {name: _beyond(query, (after or {}).get(name, {})) for name, query in queries.items()}
    with transaction(database, BEGIN, SYSTEM) as ask:
        version = f"snapshot {one(ask(SNAPSHOT))}"
        return {name: with_version(ask(query), version) for name, query in wanted.items()}


def _beyond(query: str, after: Mapping[str, Any]) -> str:
    """The query, with only the rows whose columns are beyond these values, which are of the columns' types."""
    wanted = [f"{quoted(name)} > {_literal(str(value))}" for name, value in after.items()]
    bare = query.strip().rstrip(";")
    return f"SELECT * FROM ({bare}) AS read WHERE {' AND '.join(wanted)}" if wanted else bare  # noqa: S608 - quoted


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
