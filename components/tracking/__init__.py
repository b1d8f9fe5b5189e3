"""Tracked runs in the forms of other trackers."""

from seaway_components.tracking.mirror_run.component import mirror_run

__all__ = ["mirror_run"]
