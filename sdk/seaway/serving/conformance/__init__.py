"""What the Open Inference Protocol asks of a server, as checks that any URL can be put to."""

from seaway.serving.conformance.suite import Outcome, run
from seaway.serving.conformance.target import Target

__all__ = ["Outcome", "Target", "run"]
