"""Labels in the files of other tools: one file a format; what a format has no place for is told, never dropped."""

from seaway.labeling.formats.annotated import Annotated, Box
from seaway.labeling.formats.convert import FORMATS, export_labels, import_labels, lost, unread

__all__ = ["FORMATS", "Annotated", "Box", "export_labels", "import_labels", "lost", "unread"]
