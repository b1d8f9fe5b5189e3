"""Raw tables in, validated Parquet out."""

from seaway.data.files import read_file
from seaway.data.ingestion import Tables, ingest
from seaway.data.rules import Availability, Failure, RuleSet, TableRules
from seaway.data.validation import ValidationReport, validate

__all__ = [
    "Availability",
    "Failure",
    "RuleSet",
    "TableRules",
    "Tables",
    "ValidationReport",
    "ingest",
    "read_file",
    "validate",
]
