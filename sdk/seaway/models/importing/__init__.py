"""A signed, proved package of a model that Seaway did not train."""

from seaway.models.importing.apart import Limits
from seaway.models.importing.importer import ImportSpec, import_model, sample_of

__all__ = ["ImportSpec", "Limits", "import_model", "sample_of"]
