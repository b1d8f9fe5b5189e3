"""Feature definitions and point-in-time correct training examples."""

from seaway.features.examples import ExampleCounts, training_examples
from seaway.features.existing import ExistingRepository, read_repository
from seaway.features.online import OnlineFeatures
from seaway.features.plain import PlainSpec, plain_examples
from seaway.features.project import FeatureProject
from seaway.features.recent import RecentExamples, recent_examples, recent_rows
from seaway.features.repository import FeatureRepository, build
from seaway.features.splits import SplitSpec

__all__ = [
    "ExampleCounts",
    "ExistingRepository",
    "FeatureProject",
    "FeatureRepository",
    "OnlineFeatures",
    "PlainSpec",
    "RecentExamples",
    "SplitSpec",
    "build",
    "plain_examples",
    "read_repository",
    "recent_examples",
    "recent_rows",
    "training_examples",
]
