"""Ids of OpenTelemetry, made of a run's name: what a step starts can say to what it belongs before a span is sent."""

import hashlib

TRACE_BYTES, SPAN_BYTES = 16, 8  # W3C Trace Context


def traceparent(run: str) -> str:
    """What the processes of a run find in `TRACEPARENT`: the run's span, sampled (W3C Trace Context, version 00)."""
    return f"00-{trace(run).hex()}-{span(run).hex()}-01"


def trace(run: str) -> bytes:
    """Of all that a run does."""
    return hashlib.sha256(f"trace of {run}".encode()).digest()[:TRACE_BYTES]


def span(name: str) -> bytes:
    """Of a run by its name, or of a step by `RUN/NUMBER`."""
    return hashlib.sha256(f"span of {name}".encode()).digest()[:SPAN_BYTES]
