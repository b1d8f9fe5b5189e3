"""Raw tables in, validated Parquet out."""

from seaway_components.data.ingest_tables.component import ingest_tables
from seaway_components.data.validate_tables.component import validate_tables
from seaway_components.data.version_data.component import version_data

__all__ = ["ingest_tables", "validate_tables", "version_data"]
