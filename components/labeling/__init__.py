"""Rows chosen, labelled by people, and taught to a model."""

from seaway_components.labeling.add_labels.component import add_labels
from seaway_components.labeling.aggregate_labels.component import aggregate_labels
from seaway_components.labeling.choose_to_label.component import choose_to_label
from seaway_components.labeling.collect_labels.component import collect_labels
from seaway_components.labeling.export_labels.component import export_labels
from seaway_components.labeling.find_label_errors.component import find_label_errors
from seaway_components.labeling.import_labels.component import import_labels
from seaway_components.labeling.send_to_label.component import send_to_label

__all__ = [
    "add_labels",
    "aggregate_labels",
    "choose_to_label",
    "collect_labels",
    "export_labels",
    "find_label_errors",
    "import_labels",
    "send_to_label",
]
