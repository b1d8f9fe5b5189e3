"""Raw tables in, validated Parquet out."""

from seaway_components.data.augment_examples.component import augment_examples
from seaway_components.data.ingest_tables.component import ingest_tables
from seaway_components.data.stage_data.component import stage_data
from seaway_components.data.synthesize_examples.component import synthesize_examples
from seaway_components.data.validate_tables.component import validate_tables
from seaway_components.data.version_data.component import version_data

__all__ = ["augment_examples", "ingest_tables", "stage_data", "synthesize_examples", "validate_tables", "version_data"]
