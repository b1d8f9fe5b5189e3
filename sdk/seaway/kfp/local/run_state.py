"""What a record of a run says that nobody could correct any more, because its runner was killed."""

from collections.abc import Mapping
from typing import Any

from seaway.process_identity import running

PIPELINE = "pipeline.yaml"  # beside `run.json`: what was compiled and run
GOING = ("running", "retrying")


def as_it_is(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a run; where its runner is gone, neither the run nor a step of it is said to run."""
    gone = record["state"] == "running" and not running(record["process"], record.get("process_started", 0.0))
    return interrupted(record) if gone else dict(record)


def interrupted(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a run that was ended before its end, with the steps that ran."""
    steps = [{**step, "state": "interrupted"} if step["state"] in GOING else step for step in record["steps"]]
    return {**record, "state": "interrupted", "reason": "its runner was killed", "steps": steps}
