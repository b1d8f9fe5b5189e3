"""Tracked runs between trackers: as they were recorded, as others keep them, and those of one that has ended."""

from seaway.tracking.mirrors import MIRRORS, Mirrored, mirror
from seaway.tracking.neptune import neptune_runs
from seaway.tracking.tracked import Point, TrackedRun

__all__ = ["MIRRORS", "Mirrored", "Point", "TrackedRun", "mirror", "neptune_runs"]
