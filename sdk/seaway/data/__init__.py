"""Raw tables in, validated Parquet out."""

from seaway.data.files import read_file
from seaway.data.ingestion import Tables, ingest
from seaway.data.pictures import add_pictures, read_pictures
from seaway.data.queries import read_query
from seaway.data.rules import Availability, Failure, RuleSet, TableRules
from seaway.data.validation import ValidationReport, validate
from seaway.data.version import file_version, versioned

__all__ = [
    "Availability",
    "Failure",
    "RuleSet",
    "TableRules",
    "Tables",
    "ValidationReport",
    "add_pictures",
    "file_version",
    "ingest",
    "read_file",
    "read_pictures",
    "read_query",
    "validate",
    "versioned",
]
