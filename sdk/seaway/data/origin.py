"""Which data rows came from: said by `ingest_tables`, carried from step to step, written into a model's lineage."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seaway.data.versions import content_version

ORIGINS = "origins"  # the metadata of an artifact that says which data its rows came from


def origin(tables: Path, source: str, read: str) -> dict[str, str]:
    """What is told of ingested tables.

    Args:
        tables: Their folder.
        source: The function that read them. Its options are left out: a package goes where they may not be seen.
        read: The version that it read, empty where it says none.

    Returns:
        `version`, as `version_data` calls the same files, `source` and `read`.
    """
    return {"version": content_version(tables), "source": source, "read": read}


def origins(*metadata: Mapping[str, Any]) -> list[dict[str, str]]:
    """Those that the artifacts with this metadata say, each once."""
    found = {json.dumps(one, sort_keys=True): dict(one) for told in metadata for one in told.get(ORIGINS, [])}
    return list(found.values())


def carry(given: Sequence[Mapping[str, Any]], made: Sequence[dict[str, Any]]) -> None:
    """Have artifacts that were `made` of the `given` ones say the same origins; both are their metadata."""
    if found := origins(*given):
        for metadata in made:
            metadata[ORIGINS] = found
