"""A project of one's own: looked at, planned, and written as a few short files."""

from seaway.projects.plan import ProjectPlan, Wishes, plan
from seaway.projects.write import write

__all__ = ["ProjectPlan", "Wishes", "plan", "write"]
