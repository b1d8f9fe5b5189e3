"""What it means to predict a label: one file a task, asked by training, evaluation, gate, rollout and monitoring."""

from seaway.tasks.estimate import Estimate, Measured, estimates
from seaway.tasks.target import Target
from seaway.tasks.task import Metric, Task, learnt, named, of

__all__ = ["Estimate", "Measured", "Metric", "Target", "Task", "estimates", "learnt", "named", "of"]
