"""A signed, proved package of a model that Seaway did not train."""

from seaway.models.importing.importer import ImportSpec, import_model

__all__ = ["ImportSpec", "import_model"]
