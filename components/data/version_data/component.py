from kfp import dsl
from seaway.kfp import component


@component
def version_data(
    tables: dsl.Input[dsl.Dataset],
    version: dsl.Output[dsl.Artifact],
    name: str,
    note: str = "",
    store: str = "",
) -> str:
    """Keep tables as a version that can be named, compared and brought back; the same content is the same version.

    Args:
        tables: Made by `ingest_tables`, or any folder of Parquet files.
        version: `version.json`: name, version, the files' hashes, rows, schema, where they were read from.
        name: Of the data.
        note: What is new in it.
        store: Folder or URI that keeps the files; empty takes `SEAWAY_DATA_VERSIONS`.

    Returns:
        `NAME@VERSION`, for `seaway data checkout` and `seaway.data.sources.versions:read`.

    Raises:
        DataUnreadable: the folder holds no Parquet file.
        StorageUnavailable: the store does not answer.
    """
    from dataclasses import asdict
    from pathlib import Path

    from seaway.data.versions import Versions
    from seaway.platforms.home import data_versions
    from seaway.storage import write_json

    kept = Versions(store or data_versions(), name)
    found, new = kept.keep(Path(tables.path), note, tables.metadata.get("read_from"))
    write_json(Path(version.path) / "version.json", asdict(found))
    version.metadata["summary"] = f"{name}@{found.version}, {'new' if new else 'kept before'}"
    return f"{name}@{found.version}"
