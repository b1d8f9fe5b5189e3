"""Raw tables in, validated Parquet out."""

from seaway_components.data.ingest_tables.component import ingest_tables
from seaway_components.data.validate_tables.component import validate_tables

__all__ = ["ingest_tables", "validate_tables"]
