"""Adapters: how a job is carried out somewhere; `current(Port)` gives the one of this place."""

from seaway.platforms import pod_settings
from seaway.platforms.place import choices, choose, chosen, current, in_pod, is_local, place

__all__ = ["choices", "choose", "chosen", "current", "in_pod", "is_local", "place"]

if in_pod():
    pod_settings.adopt()
