"""Searches that were written for other tools, read into Seaway's, and Seaway's written for them."""

from seaway.tuning.dialects.draft import Search
from seaway.tuning.dialects.reading import FORMATS, read
from seaway.tuning.dialects.writing import TARGETS, Written, write

__all__ = ["FORMATS", "TARGETS", "Search", "Written", "read", "write"]
