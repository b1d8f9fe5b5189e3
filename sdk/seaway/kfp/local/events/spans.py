"""OpenTelemetry's spans: one for a run, and below it one for each step, as OTLP has them."""

from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from seaway.kfp.local.events.trace_ids import span, trace
from seaway.kfp.local.run_record import Record, Step
from seaway.version import VERSION

BAD = ("failed", "interrupted")


def of_run(record: Record) -> bytes:
    """The span of a run that has ended."""
    reason = record.reason or next((step.reason for step in record.steps if step.state == "failed"), "")
    found = _made(record.run, record.run, record.pipeline, record.begun, record.seconds, record.state, reason)
    return _request(found, {"seaway.run": record.run})


def of_step(record: Record, step: Step) -> bytes:
    """The span of a step that has ended."""
    name = f"{record.run}/{step.number}"
    found = _made(record.run, name, step.title, step.begun, step.seconds, step.state, step.reason)
    found.parent_span_id = span(record.run)
    told = {"seaway.run": record.run, "seaway.step": step.name, "seaway.state": step.state}
    return _request(found, {**told, "seaway.attempts": step.attempts})


def _made(run: str, name: str, title: str, begun: float, seconds: float, state: str, reason: str) -> Span:
    code = Status.STATUS_CODE_ERROR if state in BAD else Status.STATUS_CODE_OK
    return Span(
        trace_id=trace(run),
        span_id=span(name),
        name=title,
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=int(begun * 1e9),
        end_time_unix_nano=int((begun + seconds) * 1e9),
        status=Status(code=code, message=reason),
    )


def _request(found: Span, attributes: dict[str, Any]) -> bytes:
    found.attributes.extend(_value(name, value) for name, value in attributes.items())
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add()
    spans.resource.attributes.extend([_value("service.name", "seaway"), _value("service.version", VERSION)])
    spans.scope_spans.add().spans.append(found)
    return bytes(request.SerializeToString())


def _value(name: str, value: Any) -> KeyValue:
    known = AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)
    return KeyValue(key=name, value=known)
