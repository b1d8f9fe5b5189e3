"""A project of one's own: looked at, planned, and written as a few short files."""

from seaway.projects.plan import ProjectPlan, plan
from seaway.projects.seen import Wishes
from seaway.projects.write import write

__all__ = ["ProjectPlan", "Wishes", "plan", "write"]
