from kfp import dsl
from seaway.kfp import component


@component
def ingest_tables(
    tables: dsl.Output[dsl.Dataset],
    source: str,
    options: dict = {},  # noqa: B006
):
    """Read raw tables from a source and write each as Parquet.

    Args:
        tables: A folder with one Parquet file a table.
        source: `package.module:function` that returns Arrow tables by name; read anew in each local run, unless it says
            its data's version (`seaway.data.versioned`).
        options: Arguments of that function, such as {"rows": 1000}.

    Raises:
        InvalidSpec: the source does not exist, or takes no such option.
        DataUnreadable: the source gives no table, or an empty one.
    """
    from pathlib import Path

    from seaway.data import ingest
    from seaway.data.origin import ORIGINS, origin

    result = ingest(source, options, Path(tables.path))
    tables.metadata.update(schema=result.schema, rows=result.rows, sha256=result.sha256)
    tables.metadata["read_from"] = {"source": source, "options": options, "version": result.version}
    tables.metadata[ORIGINS] = [origin(Path(tables.path), source, result.version)]
    tables.metadata["summary"] = ", ".join(f"{rows:,} {name}" for name, rows in result.rows.items())
