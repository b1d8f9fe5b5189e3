"""Raw tables in, validated Parquet out."""

from seaway.data.ingestion import Tables, ingest

__all__ = ["Tables", "ingest"]
