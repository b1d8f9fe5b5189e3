"""Feature repositories and training examples."""

from seaway_components.features.build_features.component import build_features
from seaway_components.features.get_recent_examples.component import get_recent_examples
from seaway_components.features.get_training_examples.component import get_training_examples
from seaway_components.features.split_table.component import split_table

__all__ = ["build_features", "get_recent_examples", "get_training_examples", "split_table"]
