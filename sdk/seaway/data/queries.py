"""The rows of a query as a table: of PostgreSQL, and what speaks its wire protocol, or of a SQLite file.

A password is libpq's to find, in `PGPASSWORD` or `~/.pgpass`: one in an address would be kept wherever that is kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from seaway.data.columns import chosen
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.extras import advice

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

POSTGRES, SQLITE = ("postgresql", "postgres"), ("sqlite",)


def is_database(place: str) -> bool:
    """Whether an address is a database's."""
    return urlsplit(place).scheme in (*POSTGRES, *SQLITE)


def read_query(
    database: str, query: str, kinds: Mapping[str, str], optional: Sequence[str] = (), needed: Sequence[str] = ()
) -> "pa.Table":
    """The columns that `kinds` names of a query's rows, each as the kind says; see `read_file`.

    Args:
        database: `postgresql://USER@HOST/NAME` or `sqlite:///PATH`.
        query: One SELECT; what it changes is undone.
        optional: Columns that may be missing, and are empty then: a label that is not known yet.
        needed: Columns without which a row is left out.

    Raises:
        DataUnreadable: the database does not answer, refuses the query, or gives no such column.
        InvalidSpec: the address is none of a database, or has a password in it.
    """
    with asked(database, query) as rows:
        return chosen(rows, kinds, "The query", optional, needed)


@contextmanager
def asked(place: str, query: str) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A DuckDB database whose table `rows` is what the query gives.

    Raises:
        DataUnreadable, InvalidSpec: see `read_query`.
    """
    import duckdb

    address = urlsplit(place)
    if address.password is not None:
        raise InvalidSpec(
            "The database's address has a password in it, which would be written into the project. Leave it out, and "
            "give it by PGPASSWORD or ~/.pgpass."
        )
    if not query.strip():
        raise InvalidSpec("A database needs a query: the SELECT whose rows are to be learned from.")
    if address.scheme in POSTGRES:
        found = _postgres(place, query)
    elif address.scheme in SQLITE:
        found = _sqlite(Path(unquote(address.netloc + address.path.removeprefix("/"))), query)
    else:
        raise InvalidSpec(f"{place} is no database's address; there are postgresql://USER@HOST/NAME, sqlite:///PATH.")
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        database.register("found", found)
        database.execute("CREATE TABLE rows AS SELECT * FROM found")
        yield database


def _postgres(place: str, query: str) -> "pa.Table":
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise InvalidSpec(f"A query of PostgreSQL needs a package that is missing. {advice(error.name)}") from error
    import pyarrow as pa

    try:
        with dbapi.connect(place) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return plain(cursor.fetch_arrow_table())
    except (dbapi.Error, pa.ArrowException) as error:
        raise DataUnreadable(f"The query cannot be answered: {_told(error)}") from error


def plain(table: "pa.Table") -> "pa.Table":
    """Values that Arrow has no type for, such as numeric and uuid, as what they are kept as: text."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if isinstance(field.type, pa.BaseExtensionType):
            chunks = [chunk.storage for chunk in table.column(place).chunks]
            table = table.set_column(place, field.name, pa.chunked_array(chunks, field.type.storage_type))
    return table


def _sqlite(file: Path, query: str) -> "pa.Table":
    """As texts: a column of SQLite may hold values of any type."""
    import sqlite3

    import pyarrow as pa

    if not file.is_file():
        raise DataUnreadable(f"{file.absolute()} does not exist; a path from the root is sqlite:////PATH.")
    try:
        with closing(sqlite3.connect(f"file:{file.absolute()}?mode=ro", uri=True)) as connection:
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description or ()]
            rows = cursor.fetchall()
    except sqlite3.Error as error:
        raise DataUnreadable(f"The query cannot be answered: {_told(error)}") from error
    if len(set(names)) < len(names) or not names:
        raise DataUnreadable(f"The query gives the columns {', '.join(names) or 'none'}; give each a name of its own.")
    values = zip(*rows, strict=True) if rows else [()] * len(names)
    columns = [pa.array([None if one is None else str(one) for one in column], pa.string()) for column in values]
    return pa.table(columns, names=names)


def _told(error: Exception) -> str:
    return " ".join(str(error).split())
