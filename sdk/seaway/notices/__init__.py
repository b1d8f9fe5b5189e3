"""Telling people how a run ended: the step that failed, why, its last lines and where to look; once, and no secret."""

from seaway.notices.notice import WHEN, Notice, compose, wanted
from seaway.notices.telling import tell

__all__ = ["WHEN", "Notice", "compose", "tell", "wanted"]
