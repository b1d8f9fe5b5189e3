"""Labels by people: rows are chosen, asked, answered, and the answers become one label with its confidence."""

from seaway.labeling.aggregation import Aggregated, Annotator, Decided, aggregate
from seaway.labeling.items import Answers, Item, Label, Question
from seaway.labeling.port import LabelQueue
from seaway.labeling.waiting import Wanted, wait_for

__all__ = [
    "Aggregated",
    "Annotator",
    "Answers",
    "Decided",
    "Item",
    "Label",
    "LabelQueue",
    "Question",
    "Wanted",
    "aggregate",
    "wait_for",
]
