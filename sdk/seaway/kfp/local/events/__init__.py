"""A run as OpenLineage events and OpenTelemetry spans, sent to where `SEAWAY_EVENTS` says."""

from seaway.kfp.local.events.publishing import published
from seaway.kfp.local.events.receivers import Receiver, receivers

__all__ = ["Receiver", "published", "receivers"]
