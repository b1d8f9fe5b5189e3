"""The loop that all bundled trainers share: they bring rows, a network and params, and export what it found."""

from seaway.training.loop.distillation import learnt, read_lesson, student
from seaway.training.loop.epochs import Data, Examples, Fit
from seaway.training.loop.params import LoopParams
from seaway.training.loop.program import figures, learn

__all__ = ["Data", "Examples", "Fit", "LoopParams", "figures", "learn", "learnt", "read_lesson", "student"]
