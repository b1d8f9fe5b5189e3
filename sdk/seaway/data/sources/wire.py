"""One transaction over PostgreSQL's wire protocol, which changes nothing; rows are Arrow."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from seaway.data.queries import plain
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.extras import advice

if TYPE_CHECKING:
    import pyarrow as pa

POSTGRES = ("postgresql", "postgres")
BY_COPY = "adbc.postgresql.use_copy"


class Ask(Protocol):
    """A statement's rows."""

    def __call__(self, statement: str) -> "pa.Table": ...


@contextmanager
def transaction(database: str, begin: str, system: str, copy: bool = True) -> Iterator[Ask]:
    """What answers statements within one transaction, which is never committed.

    Args:
        database: `postgresql://USER@HOST/NAME`.
        begin: The statement that begins it.
        system: How errors call what is asked.
        copy: Rows by COPY in binary; else as the protocol's plain answers.

    Raises:
        DataUnreadable: it does not answer, ends the connection, or refuses a statement.
        InvalidSpec: the address is none of its kind, or has a password in it; a package is missing.
    """
    _check(database, system)
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise InvalidSpec(f"{system} needs a package that is missing. {advice(error.name)}") from error
    import pyarrow as pa

    try:
        with dbapi.connect(database, autocommit=True) as connection, connection.cursor() as cursor:

            def ask(statement: str) -> pa.Table:
                cursor.execute(statement)
                return plain(cursor.fetch_arrow_table())

            cursor.adbc_statement.set_options(**{BY_COPY: str(copy).lower()})
            cursor.execute(begin)
            yield ask
    except (dbapi.Error, pa.ArrowException) as error:
        raise DataUnreadable(f"{system} gave no whole answer: {' '.join(str(error).split())}") from error


def one(table: "pa.Table") -> Any:
    """The first value of a statement's rows."""
    return table.column(0)[0].as_py()


def _check(database: str, system: str) -> None:
    address = urlsplit(database)
    if address.scheme not in POSTGRES:
        raise InvalidSpec(f"{address.scheme or database!r} is no address of {system}: postgresql://USER@HOST/NAME.")
    if address.password is not None:
        raise InvalidSpec("The database's address has a password in it; give it by PGPASSWORD or ~/.pgpass.")
